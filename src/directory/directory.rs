//! All of it joined: from a principal to its Entra groups, the owners they stand for, and whatever these are inside of

use super::{
    Catalog, DirectoryInput, DirectoryReport, EntityRef, Following, GroupMapping, Loading, MembersReport, PageReport,
    Standing, TrustedLocations,
    following::Word,
    graph::{Closure, Lists, Reached, get, index, number, set},
    ids::Ids,
    members::Tenant,
    page,
};
use crate::{
    identity::{Guid, Principal},
    limits,
    time::Timestamp,
};

/// Groups, their members and owners; everything derived is built once and swapped whole
#[derive(Debug, Default)]
pub struct Directory {
    /// How many levels of nesting count; `None` for all
    depth: Option<u32>,
    /// Ids that are no groups, whatever a token lists; ascending
    roles: Vec<Guid>,
    /// Groups of pages
    loaded: Ids,
    tenants: Vec<Tenant>,
    catalog: Catalog,
    loading: Option<Loading>,
    /// Accounts, and how far the tenants are followed
    pub following: Following,
    /// The same and those that the catalog names: not kept beyond it, as anybody may write new ones every day
    groups: Ids,
    /// Nodes below are Entra groups by their number, the others owners
    first_owner: u32,
    sure: Lists,
    /// What counts for a deny only
    doubtful: Lists,
    closure: Option<Closure>,
    reached: Reached,
}

/// How somebody comes to own through an owner, from above
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The owner, and the owners inside it
    pub owners: Vec<EntityRef>,
    /// The Entra group that stands for the last of them, and the groups inside it; the principal is in the last
    pub groups: Vec<Guid>,
}

/// A member of a tenant's groups; valid until the next [`Directory::commit_members`]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    tenant: u8,
    /// Below 2^24
    principal: u32,
}

impl Member {
    /// As one number
    pub fn number(self) -> u32 {
        u32::from(self.tenant) << 24 | self.principal
    }

    /// From one number, whatever it is: nobody is in no group
    pub const fn from_number(number: u32) -> Self {
        let [tenant, ..] = number.to_be_bytes();
        Self { tenant, principal: number & 0xff_ffff }
    }
}

impl Directory {
    /// With the operator's own bindings, until the catalog is read
    pub fn new(depth: Option<u32>, mapping: &[GroupMapping]) -> Self {
        let mut directory = Self { depth, ..Self::default() };
        directory.set_catalog(DirectoryInput::default(), mapping, &TrustedLocations::default());
        directory
    }

    /// Replaces what the catalog says
    pub fn set_catalog(
        &mut self,
        input: DirectoryInput,
        mapping: &[GroupMapping],
        trusted: &TrustedLocations,
    ) -> DirectoryReport {
        let (catalog, report) = Catalog::build(input, mapping, trusted);
        self.catalog = catalog;
        self.rebuild();
        report
    }

    /// Replaces the ids that are directory roles: nobody owns by one, though a deny may hold by it
    pub fn set_roles(&mut self, mut ids: Vec<Guid>) {
        ids.sort_unstable();
        ids.dedup();
        self.roles = ids;
    }

    /// The directory roles, ascending
    pub fn roles(&self) -> &[Guid] {
        &self.roles
    }

    /// Whether an id is that of a directory role, and of no group
    pub fn is_role(&self, id: Guid) -> bool {
        self.roles.binary_search(&id).is_ok()
    }

    /// Begins to load the members of a tenant's groups: `all` of them, or what has changed
    ///
    /// From the commit on, all members of the groups `covered` are known (16 bytes for each id, as it is written), of every group
    /// with `None`. About any other group that does not list somebody nothing is known.
    ///
    /// # Errors
    /// Changes need something to change.
    pub fn begin_members(&mut self, tenant: Guid, all: bool, covered: Option<&[u8]>) -> Result<(), &'static str> {
        let earlier = self.tenants.iter().find(|known| known.id == tenant);
        if earlier.is_none() && !all {
            return Err("there is nothing to change yet: load all members first");
        }
        let covered = covered.map(|ids| {
            let ids = ids.as_chunks().0;
            let mut flags = vec![0; self.loaded.len().saturating_add(ids.len())];
            for id in ids {
                set(&mut flags, self.loaded.intern(Guid::from_value(u128::from_be_bytes(*id))), 1);
            }
            flags
        });
        self.loading = Some(Loading::new(tenant, earlier, all, covered));
        Ok(())
    }

    /// Reads a page
    ///
    /// # Errors
    /// It is none. What was loaded so far is given up: a part is not the whole.
    pub fn add_members(&mut self, page: &[u8]) -> Result<PageReport, String> {
        let loading = self.loading.as_mut().ok_or("nothing is being loaded: begin first")?;
        page::read(page, loading, &mut self.loaded).map_err(|error| {
            self.loading = None;
            format!("the page is not one of /groups/delta with members: {}", error.words())
        })
    }

    /// Swaps to what was loaded
    ///
    /// # Errors
    /// Nothing was, or it was given up.
    pub fn commit_members(&mut self) -> Result<MembersReport, &'static str> {
        let tenant = self.loading.take().ok_or("nothing is being loaded: begin first")?.finish();
        self.tenants.retain(|known| known.id != tenant.id);
        self.tenants.push(tenant);
        self.rebuild();
        self.narrow();
        let mut report = MembersReport { groups: self.groups.len(), bytes: self.bytes(), ..MembersReport::default() };
        for tenant in &self.tenants {
            report.principals = report.principals.saturating_add(tenant.principals.len());
            report.memberships = report.memberships.saturating_add(tenant.memberships.pairs().count());
            report.nested = report.nested.saturating_add(tenant.nested.len());
        }
        Ok(report)
    }

    /// Takes groups off what the tenant loaded last covers that hold, at any depth, one that it does not cover: whoever is in that
    /// one is in them, too
    fn narrow(&mut self) {
        let Some(tenant) = self.tenants.last() else { return };
        let Some(covered) = &tenant.covered else { return };
        let mut starts = Vec::new();
        for (inside, _) in &tenant.nested {
            if get(covered, *inside) != 1 {
                starts.push(*inside);
            }
        }
        let open = self.walk(&starts, false);
        if let Some(covered) = self.tenants.last_mut().and_then(|tenant| tenant.covered.as_mut()) {
            for (node, _) in open {
                set(covered, node, 0);
            }
        }
    }

    fn rebuild(&mut self) {
        self.groups = self.loaded.clone();
        let bindings: Vec<_> = self.catalog.bindings.iter().map(|b| (self.groups.intern(b.from), b)).collect();
        self.first_owner = number(self.groups.len());
        let owner = |owner: u32| self.first_owner.saturating_add(owner);
        let count = self.groups.len().saturating_add(self.catalog.owners.len());
        let (mut sure, mut doubtful) = (Vec::new(), Vec::new());
        for tenant in &self.tenants {
            sure.extend_from_slice(&tenant.nested);
        }
        for (group, binding) in bindings {
            if binding.sure { &mut sure } else { &mut doubtful }.push((group, owner(binding.owner)));
        }
        for nesting in &self.catalog.nesting {
            if nesting.sure { &mut sure } else { &mut doubtful }.push((owner(nesting.from), owner(nesting.owner)));
        }
        self.sure = Lists::new(count, &sure);
        self.doubtful = Lists::new(count, &doubtful);
        self.closure = if self.depth.is_none() { Closure::new(&self.sure, limits::CLOSURE_NODES) } else { None };
    }

    /// What is to be said of a principal that comes with a token `issued` then
    #[inline(never)]
    pub fn standing(&self, principal: &Principal, issued: Timestamp, now: Timestamp) -> Standing {
        let loaded = self.tenants.iter().any(|known| known.id == principal.tenant_id);
        let groups = loaded.then(|| self.member_of(principal).is_some());
        self.following.standing(principal, issued, groups, now)
    }

    /// The owners that the principal certainly owns through, its own entity aside; in no order
    pub fn owners_of(&self, principal: &Principal, standing: &Standing) -> Vec<EntityRef> {
        let mut reached = Reached::default();
        self.climb(&self.starts(principal, standing), &mut reached);
        reached.nodes().iter().filter_map(|node| self.owner(*node)).cloned().collect()
    }

    /// The same and the owners that it may own through: by disputed or untrusted claims, by directory roles, by the groups of a
    /// token that is newer than the directory or that the directory does not have, and by groups that were not loaded
    pub fn possible_owners_of(&self, principal: &Principal, standing: &Standing) -> Vec<EntityRef> {
        let mut starts = self.starts(principal, standing);
        let followed = standing.word == Word::Directory;
        let counts = |id: Guid| !followed || standing.newer_token || self.is_role(id) || !self.knows(principal, id);
        starts.extend(principal.groups.ids().iter().filter(|id| counts(**id)).filter_map(|id| self.group(*id)));
        let listed = |id: Guid| principal.groups.contains(id);
        for binding in self.catalog.bindings.iter().filter(|_| followed) {
            let unheard = self.is_role(binding.from) && listed(binding.from).is_none();
            if unheard || !self.covers(principal, binding.from) {
                starts.extend(self.group(binding.from));
            }
        }
        self.walk(&starts, true).iter().filter_map(|(node, _)| self.owner(*node)).cloned().collect()
    }

    /// How the principal owns through this owner; `None` if it does not
    pub fn path(&self, principal: &Principal, standing: &Standing, owner: &EntityRef) -> Option<Path> {
        let walked = self.walk(&self.starts(principal, standing), false);
        let wanted = self.first_owner.checked_add(self.catalog.number(owner)?)?;
        let mut path = Path { owners: Vec::new(), groups: Vec::new() };
        let mut at = walked.iter().position(|(node, _)| *node == wanted);
        while let Some((node, from)) = at.and_then(|at| walked.get(at)) {
            path.owners.extend(self.owner(*node).cloned());
            path.groups.extend(self.group_id(*node));
            at = usize::try_from(*from).ok();
        }
        Some(path).filter(|path| !path.owners.is_empty())
    }

    /// Whether the members of one group are in another, directly or not
    pub fn is_inside(&self, group: Guid, other: Guid) -> bool {
        group == other || self.leads(group, self.group(other))
    }

    /// Whether the members of a group own through this owner
    pub fn owns_through(&self, group: Guid, owner: &EntityRef) -> bool {
        self.leads(group, self.catalog.number(owner).and_then(|number| self.first_owner.checked_add(number)))
    }

    fn leads(&self, group: Guid, to: Option<u32>) -> bool {
        let start = self.group(group).filter(|_| !self.is_role(group));
        to.is_some() && self.walk(start.as_slice(), false).iter().any(|(node, _)| Some(*node) == to)
    }

    /// The Entra groups that stand for this owner, ascending
    pub fn groups_of(&self, owner: &EntityRef) -> Vec<Guid> {
        let wanted = self.catalog.number(owner);
        let bindings = self.catalog.bindings.iter().filter(|binding| binding.sure && Some(binding.owner) == wanted);
        let mut groups: Vec<_> = bindings.map(|binding| binding.from).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// Whether the owner owns anything, as far as the host said
    pub fn owns_something(&self, owner: &EntityRef) -> bool {
        self.catalog.owns_something(owner)
    }

    /// A member whose tenant was loaded
    pub fn member(&self, tenant: Guid, object: Guid) -> Option<Member> {
        let at = self.tenants.iter().position(|known| known.id == tenant)?;
        let principal = self.tenants.get(at)?.principals.get(object).filter(|principal| *principal < 1 << 24)?;
        Some(Member { tenant: u8::try_from(at).ok()?, principal })
    }

    /// The groups that a member is directly in
    fn direct(&self, member: Member) -> &[u32] {
        self.tenants.get(usize::from(member.tenant)).map_or(&[], |tenant| tenant.memberships.of(member.principal))
    }

    /// Everything that a member is in, as numbers: Entra groups, and owners above them
    pub fn resolve(&mut self, member: Member) -> &[u32] {
        let mut reached = std::mem::take(&mut self.reached);
        self.climb(self.direct(member), &mut reached);
        self.reached = reached;
        self.resolved()
    }

    /// What [`Directory::resolve`] found last
    pub fn resolved(&self) -> &[u32] {
        self.reached.nodes()
    }

    /// The Entra group of such a number
    pub fn group_id(&self, node: u32) -> Option<Guid> {
        self.groups.id(node)
    }

    /// Whether a group has somebody as a member, directly or not
    pub fn is_in(&self, principal: &Principal, group: Guid) -> bool {
        let (Some(member), Some(wanted)) = (self.member_of(principal), self.group(group)) else {
            return false;
        };
        self.walk(self.direct(member), false).iter().any(|(node, _)| *node == wanted)
    }

    /// Whether whoever is in a group, directly or not, would be found by [`Directory::is_in`]
    #[inline(never)]
    pub fn covers(&self, principal: &Principal, group: Guid) -> bool {
        let Some(tenant) = self.tenants.iter().find(|known| known.id == principal.tenant_id) else { return false };
        let Some(covered) = &tenant.covered else { return true };
        self.loaded.get(group).is_some_and(|number| get(covered, number) == 1)
    }

    /// How many groups have somebody as a member, directly or not
    pub fn count_of(&self, principal: &Principal) -> usize {
        let direct = self.member_of(principal).map_or(&[][..], |member| self.direct(member));
        self.walk(direct, false).iter().filter(|(node, _)| self.group_id(*node).is_some()).count()
    }

    fn member_of(&self, principal: &Principal) -> Option<Member> {
        self.member(principal.tenant_id, principal.object_id)
    }

    /// Its groups as far as they bear on anything, by whoever's word counts
    fn starts(&self, principal: &Principal, standing: &Standing) -> Vec<u32> {
        match standing.word {
            Word::Directory => self.member_of(principal).map_or(&[][..], |member| self.direct(member)).to_vec(),
            Word::Nobody(_) => Vec::new(),
            Word::Record => {
                let groups = principal.groups.ids().iter().filter(|id| !self.is_role(**id));
                groups.filter_map(|id| self.group(*id)).collect()
            }
        }
    }

    /// Whether the tenant of somebody has such a group; a directory role is none, whoever names it
    #[inline(never)]
    pub fn knows(&self, principal: &Principal, group: Guid) -> bool {
        let Some(number) = self.loaded.get(group) else { return false };
        self.tenants.iter().any(|known| known.id == principal.tenant_id && get(&known.present, number) == 1)
    }

    fn group(&self, id: Guid) -> Option<u32> {
        self.groups.get(id)
    }

    fn owner(&self, node: u32) -> Option<&EntityRef> {
        self.catalog.owners.get(index(node.checked_sub(self.first_owner)?))
    }

    fn nodes(&self) -> usize {
        self.sure.count()
    }

    /// Certain things only: by the closure, if there is one
    fn climb(&self, starts: &[u32], reached: &mut Reached) {
        reached.clear(self.nodes());
        match &self.closure {
            Some(closure) => starts.iter().for_each(|start| reached.insert_above(closure, *start)),
            None => {
                for (node, _) in self.walk(starts, false) {
                    reached.insert(node);
                }
            }
        }
    }

    /// Step by step: each node with the place of the one that led to it
    fn walk(&self, starts: &[u32], doubts: bool) -> Vec<(u32, u32)> {
        let mut reached = Reached::default();
        reached.clear(self.nodes());
        let mut walked: Vec<(u32, u32)> = Vec::new();
        let mut next: Vec<(u32, u32)> = starts.iter().map(|start| (*start, u32::MAX)).collect();
        let (mut at, mut level) = (0, 0_u32);
        loop {
            walked.extend(next.drain(..).filter(|(node, _)| reached.insert(*node)));
            while let Some((node, _)) = walked.get(at).copied() {
                let doubtful = if doubts { self.doubtful.of(node) } else { &[] };
                for target in self.sure.of(node).iter().chain(doubtful) {
                    // What a group stands for is no level.
                    if node < self.first_owner && *target >= self.first_owner {
                        if reached.insert(*target) {
                            walked.push((*target, number(at)));
                        }
                    } else {
                        next.push((*target, number(at)));
                    }
                }
                at = at.saturating_add(1);
            }
            if next.is_empty() || self.depth == Some(level) {
                return walked;
            }
            level = level.saturating_add(1);
        }
    }

    /// Bytes of memory for groups, members and nesting
    fn bytes(&self) -> usize {
        let tenants = self.tenants.iter().map(|tenant| {
            let nested = tenant.nested.capacity().saturating_mul(8);
            tenant.principals.bytes().saturating_add(tenant.memberships.bytes()).saturating_add(nested)
        });
        let closure = self.closure.as_ref().map_or(0, Closure::bytes);
        [self.loaded.bytes(), self.groups.bytes(), self.sure.bytes(), self.doubtful.bytes(), closure]
            .into_iter()
            .chain(tenants)
            .sum()
    }
}
