//! What is asked about a principal: may it, why, and what does it own

use super::{Engine, breaks_glass};
use crate::{
    directory::EntityRef,
    identity::Handle,
    keys::SignatureVerifier,
    policy::{
        Answered, Audience, CriteriaNumber, Decision, Effect, Explanation, Permission, PermissionId, Resource, Study,
        asker::Asker,
        criteria::Criteria,
        decision::Ground,
        evaluate::{self, Answer},
        explain::Question,
        study::study,
    },
    time::Timestamp,
};

const BREAK_GLASS: &str =
    "break_glass: an entry under `entraAccess.breakGlass` allows it, as the groups are not known and no rule denies it";

impl<V: SignatureVerifier> Engine<V> {
    /// The number for a permission
    pub fn permission_id(&mut self, permission: Permission) -> Option<PermissionId> {
        self.permissions.intern(permission)
    }

    /// Decides; a table look-up when the same was asked before in this epoch
    pub fn decide(&mut self, principal: Handle, permission: PermissionId, now: Timestamp) -> Decision {
        let table = if principal.is_in_second_table() { &mut self.sessions } else { &mut self.callers };
        let Some((caller, derived)) = table.get_mut(principal, now) else {
            return Decision::deny(Ground::UnknownPrincipal);
        };
        if derived.epoch != self.epoch || now >= derived.until {
            derived.epoch = self.epoch;
            derived.standing = self.directory.standing(caller, caller.issued_at, now);
            let steady = self.policy.as_ref().map(|policy| policy.steady_until(&caller.assurance, now));
            derived.until = steady.unwrap_or(Timestamp::NEVER).min(derived.standing.until);
            derived.decisions.clear();
        }
        if let Some(Some(decision)) = derived.decisions.get(permission.index()) {
            return *decision;
        }
        let (Some(policy), Some(asked)) = (&self.policy, self.permissions.get(permission)) else {
            return Decision::deny(Ground::NotReady);
        };
        let decision = if derived.standing.revoked.is_some() {
            Decision::deny(Ground::Revoked)
        } else {
            let rules = entry(&mut self.covering, permission).get_or_insert_with(|| policy.covering(asked));
            let (standing, entity) = (derived.standing, derived.entity.as_ref());
            let mut asker = Asker::new(caller, entity, &self.directory, standing, self.ownership, now);
            asker.break_glass = breaks_glass(&self.configuration.break_glass, caller, &standing);
            let answer = evaluate::decide(policy, rules, &asker, asked);
            Decision::of(&answer, |criteria| self.criteria.intern(criteria))
        };
        *entry(&mut derived.decisions, permission) = Some(decision);
        decision
    }

    /// What the principal owns through: its own entity and the owners that its groups stand for, ascending
    ///
    /// `None` when the principal is not known, or has no account in force.
    pub fn owners(&self, principal: Handle, now: Timestamp) -> Option<Vec<EntityRef>> {
        let asker = self.asker(principal, now).filter(|asker| asker.standing.revoked.is_none())?;
        Some(self.owners_of(&asker))
    }

    fn owners_of(&self, asker: &Asker<'_>) -> Vec<EntityRef> {
        let caller = asker.principal;
        // What an agent were given under its own name would not be its person's.
        let own = asker.entity.into_iter().filter(|_| !caller.acts_for_person());
        let mut owners: Vec<EntityRef> = own.cloned().collect();
        owners.extend(self.directory.owners_of(caller, &asker.standing));
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// The same and the owners that a disputed or untrusted claim may stand for, in no order: what a deny rule has to reckon with
    ///
    /// `None` also when anything may be an owner: what is asked here was decided elsewhere, maybe where more is known.
    pub fn possible_owners(&self, principal: Handle, now: Timestamp) -> Option<Vec<EntityRef>> {
        let asker = self.asker(principal, now)?;
        (asker.standing.revoked.is_none() && asker.knows_all_owners()).then(|| self.claimed_owners(&asker))
    }

    fn claimed_owners(&self, asker: &Asker<'_>) -> Vec<EntityRef> {
        let mut owners = self.owners_of(asker);
        owners.extend(self.directory.possible_owners_of(asker.principal, &asker.standing));
        owners
    }

    /// The owners of the principal that own something in the catalog
    pub fn owning(&self, principal: Handle, now: Timestamp) -> Option<Vec<EntityRef>> {
        let mut owners = self.owners(principal, now)?;
        owners.retain(|owner| self.directory.owns_something(owner));
        Some(owners)
    }

    /// Until when [`Engine::decide`] goes on to answer the same about a principal, unless an epoch begins or the principal
    /// itself changes: it ends, or a sign-in becomes too old for a rule. The beginning of time for whom it was not asked
    pub fn steady_until(&self, principal: Handle, now: Timestamp) -> Timestamp {
        match self.table(principal).get_with(principal, now) {
            Some((caller, derived)) if derived.epoch == self.epoch => derived.until.min(caller.expires_at),
            _ => Timestamp::default(),
        }
    }

    /// Decides about a permission without a number: slower, and nothing is remembered
    pub fn decide_unnumbered(&self, principal: Handle, permission: &Permission, now: Timestamp) -> Decision {
        Decision::of(&self.answer(principal, permission, now), |_| CriteriaNumber::NONE)
    }

    fn answer(&self, principal: Handle, permission: &Permission, now: Timestamp) -> Answer {
        let Some(asker) = self.asker(principal, now) else {
            return Answer::deny(Ground::UnknownPrincipal);
        };
        let Some(policy) = &self.policy else {
            return Answer::deny(Ground::NotReady);
        };
        if asker.standing.revoked.is_some() {
            return Answer::deny(Ground::Revoked);
        }
        evaluate::decide(policy, &policy.covering(permission), &asker, permission)
    }

    fn asker(&self, principal: Handle, now: Timestamp) -> Option<Asker<'_>> {
        let (caller, derived) = self.table(principal).get_with(principal, now)?;
        let standing = self.directory.standing(caller, caller.issued_at, now);
        let mut asker = Asker::new(caller, derived.entity.as_ref(), &self.directory, standing, self.ownership, now);
        asker.break_glass = breaks_glass(&self.configuration.break_glass, caller, &standing);
        Some(asker)
    }

    /// The condition with a number that a decision of this policy carries
    pub fn criteria(&self, number: CriteriaNumber) -> Option<&Criteria> {
        self.criteria.get(number)
    }

    /// The condition of an answer whose condition has no number; `None` when the answer is not conditional (any more)
    pub fn criteria_unnumbered(&self, principal: Handle, permission: &Permission, now: Timestamp) -> Option<Criteria> {
        let answer = self.answer(principal, permission, now);
        (answer.effect == Effect::Conditional).then_some(answer.criteria)
    }

    /// Decides and says why; `None` when the principal is not known or has no account in force, or nothing can be decided yet
    pub fn explain(
        &self,
        principal: Handle,
        permission: &Permission,
        resource: Option<&Resource>,
        now: Timestamp,
    ) -> Option<Explanation> {
        let mut audience = Audience::everything();
        audience.brief = true;
        Some(self.study_for(&audience, principal, permission, resource, &Answered::default(), now)?.explanation)
    }

    /// The same with every rule that was considered; `answered` is what rules of other plugins say of the resource
    pub fn study(
        &self,
        principal: Handle,
        permission: &Permission,
        resource: Option<&Resource>,
        answered: &Answered,
        now: Timestamp,
    ) -> Option<Study> {
        self.study_for(&Audience::everything(), principal, permission, resource, answered, now)
    }

    /// The same as far as `audience` may know
    pub fn study_for(
        &self,
        audience: &Audience,
        principal: Handle,
        permission: &Permission,
        resource: Option<&Resource>,
        answered: &Answered,
        now: Timestamp,
    ) -> Option<Study> {
        let policy = self.policy.as_ref()?;
        let asker = self.asker(principal, now).filter(|asker| asker.standing.revoked.is_none())?;
        let mut study = study(&Question {
            policy,
            rules: &policy.covering(permission),
            asker,
            permission,
            owners: &self.owners_of(&asker),
            possible_owners: &self.claimed_owners(&asker),
            resource,
            answered,
            directory: &self.directory,
            audience,
        });
        if asker.break_glass && self.answer(principal, permission, now).ground == Ground::BreakGlass {
            study.explanation.reasons.insert(0, BREAK_GLASS.into());
        }
        Some(study)
    }

    /// Ids of the rules in the order of their numbers
    pub fn rule_ids(&self) -> Vec<&str> {
        self.policy.iter().flat_map(|policy| &policy.rules).map(|rule| rule.id.as_ref()).collect()
    }
}

/// The place for a permission, making room for it; numbers are small because the table that gives them out is bounded
fn entry<T: Default + Clone>(places: &mut Vec<T>, permission: PermissionId) -> &mut T {
    let at = permission.index();
    if places.len() <= at {
        places.resize(at.saturating_add(1), T::default());
    }
    #[expect(clippy::indexing_slicing, reason = "the lines above made the place")]
    &mut places[at]
}
