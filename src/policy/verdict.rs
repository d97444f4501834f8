//! What the rules say to one who asks, in sentences: the caller, or the person for whom an agent calls

use super::{
    asker::Asker,
    condition::{Condition, ForeignRule},
    criteria::Criteria,
    decision::{Effect, Ground},
    document::{Rule, RuleEffect},
    evaluate::{Bearing, bearing, can_be_asked, decide_for, selects},
    explain::{Question, ownership},
    requirement::Requirement,
    selector::Selector,
};

/// The answer to one of them
pub struct Verdict<'e> {
    /// What is answered
    pub result: Effect,
    /// The rule that made it; `None` when no rule allows
    pub rule: Option<&'e Rule>,
    /// Sentences, the deciding one first
    pub reasons: Vec<String>,
}

/// A rule that bears on the question
pub struct Bearer<'e> {
    rule: &'e Rule,
    bearing: Bearing,
    /// What is left of its condition on this resource
    open: Criteria,
}

impl Bearer<'_> {
    /// Whether it does here what it is for
    pub fn acts(&self) -> bool {
        self.open == if self.rule.effect == RuleEffect::Allow { Criteria::Always } else { Criteria::Never }
    }

    /// Whether that hangs on what is not known here
    pub fn is_open(&self) -> bool {
        !matches!(self.open, Criteria::Always | Criteria::Never)
    }
}

impl<'e> Verdict<'e> {
    /// What the rules say to this one, whoever stands behind them
    pub fn of(question: &Question<'e>, asker: &Asker<'_>) -> Self {
        let answer = question.on_resource(decide_for(question.policy, question.rules, asker, question.permission));
        let bearers: Vec<_> = question.covering().filter_map(|rule| Bearer::of(question, rule, asker)).collect();
        // One without a condition comes first: it decides whatever the resource. Before it one of which the reader may know.
        let first = |effect: RuleEffect, which: fn(&Bearer<'e>) -> bool| {
            let found = bearers.iter().filter(|bearer| bearer.rule.effect == effect && which(bearer));
            found.min_by_key(|bearer| {
                (question.audience.hides(question, bearer.rule, asker), bearer.bearing != Bearing::Always)
            })
        };
        let ground = match answer.ground {
            Ground::Rule(number) => question.policy.rules.get(usize::from(number)),
            _ => None,
        };
        let decided = match answer.effect {
            Effect::Allow => first(RuleEffect::Allow, Bearer::acts),
            Effect::Conditional => first(RuleEffect::Allow, Bearer::acts)
                .and(first(RuleEffect::Deny, Bearer::is_open))
                .or_else(|| first(RuleEffect::Allow, Bearer::is_open)),
            Effect::Deny => first(RuleEffect::Deny, Bearer::acts).or_else(|| {
                // Denied wherever another rule would allow, whatever is still open.
                bearers.iter().find(|bearer| {
                    let is_ground = ground.is_some_and(|rule| std::ptr::eq(rule, bearer.rule));
                    is_ground && bearer.rule.effect == RuleEffect::Deny && bearer.is_open()
                })
            }),
        };
        let mut reasons: Vec<String> = decided.iter().map(|bearer| bearer.sentence(question, asker)).collect();
        if answer.ground == Ground::TooLong {
            reasons.push(
                "the conditions of the rules that allow it are too long for one answer: join or narrow them".into(),
            );
        }
        let others =
            bearers.iter().filter(|bearer| !decided.is_some_and(|decided| std::ptr::eq(decided.rule, bearer.rule)));
        match answer.effect {
            // What would have changed it.
            Effect::Deny if decided.is_none() => {
                reasons.extend(
                    others
                        .filter(|other| other.rule.effect == RuleEffect::Allow)
                        .map(|other| other.sentence(question, asker)),
                );
                if reasons.is_empty() {
                    reasons.push(format!(
                        "no rule allows `{}` to this {}",
                        question.permission.name,
                        asker.kind.as_str()
                    ));
                }
            }
            Effect::Allow => {
                reasons.extend(
                    others
                        .filter(|other| other.rule.effect == RuleEffect::Deny)
                        .map(|other| other.sentence(question, asker)),
                );
            }
            _ => {}
        }
        if answer.effect == Effect::Deny {
            reasons.extend(question.covering().filter_map(|rule| near_miss(question, rule, asker)));
        }
        Self { result: answer.effect, rule: decided.map(|bearer| bearer.rule), reasons }
    }

    /// The agent's answer together with that of its person
    pub fn and_person(mut self, person: Self, result: Effect) -> Self {
        let refused = |verdict: &Self| verdict.result == Effect::Deny;
        match (refused(&self), refused(&person)) {
            (false, true) => Self {
                reasons: person
                    .reasons
                    .into_iter()
                    .map(|reason| format!("the person for whom the agent calls is refused: {reason}"))
                    .collect(),
                ..person
            },
            (false, false) if result == Effect::Deny => {
                self.reasons
                    .insert(0, "nothing is allowed both to the agent and to the person for whom it calls".into());
                Self { rule: None, ..self }
            }
            (false, false) if self.result == Effect::Allow && person.result == Effect::Conditional => person,
            _ => self,
        }
    }
}

impl<'e> Bearer<'e> {
    /// `None` for a rule that does not apply, whatever the resource
    pub fn of(question: &Question<'e>, rule: &'e Rule, asker: &Asker<'_>) -> Option<Self> {
        let bearing = bearing(rule, asker, question.permission);
        let open = match &bearing {
            Bearing::None => return None,
            Bearing::Always if rule.effect == RuleEffect::Allow => Criteria::Always,
            Bearing::Always => Criteria::Never,
            Bearing::If(criteria) => question.given(criteria),
        };
        Some(Self { rule, bearing, open })
    }

    /// Calls back with each rule of another plugin that it asks for
    pub fn each_rule(&self, tell: &mut dyn FnMut(&ForeignRule)) {
        if let Bearing::If(criteria) = &self.bearing {
            criteria.each_rule(tell);
        }
    }

    /// What it does, or would do
    pub fn sentence(&self, question: &Question<'_>, asker: &Asker<'_>) -> String {
        let id = &self.rule.id;
        let allow = self.rule.effect == RuleEffect::Allow;
        let verb = if allow { "allows" } else { "denies" };
        let Bearing::If(criteria) = &self.bearing else {
            let doubt = doubt(question, self.rule, asker);
            let doubt =
                doubt.map_or_else(String::new, |doubt| format!(": {doubt}, and what is not known spares nobody"));
            return format!("rule `{id}` {verb} `{}`{doubt}", question.permission.name);
        };
        let about_owner = matches!(criteria, Criteria::Owned | Criteria::NotOwned);
        let condition = match (criteria, allow) {
            (Criteria::Owned, true) | (Criteria::NotOwned, false) => "for resources that the principal owns".to_owned(),
            (Criteria::NotOwned, true) => "for resources that the principal does not own".to_owned(),
            (Criteria::Owned, false) => "for resources that the principal may not own".to_owned(),
            (Criteria::NotRule(rule), false) => format!("where {}", Criteria::Rule(rule.clone()).words()),
            (Criteria::Rule(rule), false) => format!("where {}", Criteria::NotRule(rule.clone()).words()),
            (_, true) => format!("where {}", criteria.words()),
            (_, false) => format!("except where {}", criteria.words()),
        };
        let facts = match question.resource {
            Some(_) if criteria.asks_for_ownership() => format!(": {}", ownership(question)),
            _ => String::new(),
        };
        if question.resource.is_none() || self.is_open() {
            return format!("rule `{id}` {verb} it {condition}{facts}");
        }
        match (self.acts(), about_owner) {
            (true, true) => format!("rule `{id}` {verb} it{facts}"),
            (true, false) => format!("rule `{id}` {verb} it {condition}{facts}"),
            (false, true) if (*criteria == Criteria::Owned) == allow => {
                format!("rule `{id}` would {} the owner{facts}", if allow { "allow" } else { "deny" })
            }
            _ => format!("rule `{id}` would {} it {condition}{facts}", if allow { "allow" } else { "deny" }),
        }
    }
}

/// Why an allow rule that covers the permission did not help
fn near_miss(question: &Question<'_>, rule: &Rule, asker: &Asker<'_>) -> Option<String> {
    let missed = rule.effect == RuleEffect::Allow && bearing(rule, asker, question.permission) == Bearing::None;
    (missed && question.audience.sees_rule(question, rule)).then(|| misfit(question, rule, asker))
}

/// Why a rule that covers the permission does not apply
pub fn misfit(question: &Question<'_>, rule: &Rule, asker: &Asker<'_>) -> String {
    format!("rule `{}` does not match: {}", rule.id, reason(question, rule, asker))
}

/// The part of a rule that keeps it from applying: the key in the policy
pub fn clause(rule: &Rule, asker: &Asker<'_>) -> &'static str {
    let deny = rule.effect == RuleEffect::Deny;
    match selects(rule, asker) {
        Some(false) => "principals",
        None if !deny => "principals",
        _ if rule.requirement.as_ref().is_some_and(|requirement| asker.meets(requirement) == deny) => "requires",
        _ => "when",
    }
}

fn reason(question: &Question<'_>, rule: &Rule, asker: &Asker<'_>) -> String {
    match selects(rule, asker) {
        Some(false) if !question.audience.sees_selectors(rule) => return "it is for others".into(),
        Some(false) => return format!("it is for {}", selectors(rule)),
        // Neither a selector nor a condition that can't be told keeps a deny rule from applying.
        _ if rule.effect == RuleEffect::Deny => return "the sign-in is what it asks for".into(),
        None => return format!("{}, and unknown is never taken for membership", undecided(rule, asker)),
        Some(true) => {}
    }
    if let Some(unmet) = unmet(rule, asker) {
        return format!("it asks for a sign-in {}", unmet.words());
    }
    untold(question, rule, asker)
}

/// Why a deny rule applies that might not, were everything known
fn doubt(question: &Question<'_>, rule: &Rule, asker: &Asker<'_>) -> Option<String> {
    if rule.effect == RuleEffect::Allow {
        return None;
    }
    if selects(rule, asker).is_none() {
        return Some(undecided(rule, asker).into());
    }
    // One that holds of everything needs no doubt.
    let may_fail = |condition: &Condition| condition.normal(false, &|_| true) != Criteria::Never;
    rule.condition.as_ref().is_some_and(may_fail).then(|| untold(question, rule, asker))
}

/// Why it is not known whether a rule is for the principal
fn undecided(rule: &Rule, asker: &Asker<'_>) -> &'static str {
    let by_group = rule.selectors.iter().flatten().any(|selector| matches!(selector, Selector::Group(_)));
    match by_group && !asker.knows_groups() {
        true => "the groups of the principal are not known",
        false => "whether it is for the principal is not known",
    }
}

/// What keeps a condition from being told of any resource
fn untold(question: &Question<'_>, rule: &Rule, asker: &Asker<'_>) -> String {
    let Question { permission, .. } = question;
    let resource_type = permission.resource_type.as_deref();
    let allow = rule.effect == RuleEffect::Allow;
    let were_it_known = |condition: &Condition| condition.normal(allow, &can_be_asked(permission)) != Criteria::Never;
    if rule.condition.as_ref().is_some_and(were_it_known) {
        return match asker.knows_groups() {
            true => "it asks for ownership, and not all is known through which the principal may own".into(),
            false => "it asks for ownership, and the groups of the principal are not known".into(),
        };
    }
    let mut foreign = rule.condition.iter().flat_map(|condition| condition.rules());
    match foreign.find(|rule| !rule.fits(resource_type)).map(|rule| rule.name.as_ref()) {
        Some(name) => format!("`{name}` can't be asked of the resources of `{}`", permission.name),
        None => format!("it asks for ownership, which `{}` has no resource for", permission.name),
    }
}

/// What a rule asks of the sign-in, as far as it is not met
fn unmet(rule: &Rule, asker: &Asker<'_>) -> Option<Requirement> {
    let requirement = rule.requirement.as_ref().filter(|requirement| !asker.meets(requirement))?;
    Some(asker.lacks(requirement))
}

/// The rules that a stronger sign-in would turn, and what each of them asks for
pub fn step_up(question: &Question<'_>) -> (Vec<String>, Vec<Requirement>) {
    let asker = &question.asker;
    let turned = |rule: &&Rule| {
        let turns = |asker: &Asker<'_>| {
            bearing(rule, asker, question.permission) != bearing(rule, &asker.assured(), question.permission)
        };
        turns(asker) || asker.person().is_some_and(|person| turns(&person))
    };
    let mut requirements: Vec<Requirement> = Vec::new();
    let mut sentences = Vec::new();
    for (rule, unmet) in question.covering().filter(turned).filter_map(|rule| Some((rule, unmet(rule, asker)?))) {
        let id = &rule.id;
        let verb = if rule.effect == RuleEffect::Allow { "allows it after" } else { "denies it without" };
        sentences.push(format!("step_up_required: rule `{id}` {verb} a sign-in {}", unmet.words()));
        if !requirements.contains(&unmet) {
            requirements.push(unmet);
        }
    }
    (sentences, requirements)
}

fn selectors(rule: &Rule) -> String {
    let names: Vec<_> = rule.selectors.iter().flatten().map(Selector::words).collect();
    crate::text::join(&names, " or ")
}
