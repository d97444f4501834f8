//! Who is directly in which Entra group: what was loaded of a tenant, and what is being loaded

use serde::Serialize;

use super::{
    graph::{Lists, index, number, set},
    ids::Ids,
};
use crate::identity::Guid;

/// The members of a tenant's groups
#[derive(Debug, Clone)]
pub struct Tenant {
    /// `tid`
    pub id: Guid,
    /// Users and whatever else can be a member, by object id; who was one once stays known, so that nobody's last group is
    /// taken for "never heard of"
    pub principals: Ids,
    /// For each principal its groups
    pub memberships: Lists,
    /// Groups directly inside groups
    pub nested: Vec<(u32, u32)>,
    /// For each group 1 where everybody is known who is in it, directly or not; `None` where that is so of all groups
    pub covered: Option<Vec<u32>>,
    /// By number of a group: 1 for those that there are, be it with nobody in them
    pub present: Vec<u32>,
}

/// What became of the pages
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MembersReport {
    /// Entra groups known, those that only the catalog names included
    pub groups: usize,
    /// Users and other members
    pub principals: usize,
    /// How often one of them is directly in a group
    pub memberships: usize,
    /// How often a group is directly in another
    pub nested: usize,
    /// Memory of the whole directory
    pub bytes: usize,
}

/// Edges in the order in which the pages gave them, and what took them away again
#[derive(Debug, Default)]
struct Edges {
    edges: Vec<(u32, u32)>,
    /// Pairs that were removed, and how many edges there were by then: those are meant
    removed: Ids,
    before: Vec<u32>,
    /// Where the group being read begins, and who is no longer in it
    first: usize,
    leaving: Vec<u32>,
}

/// Any member, or any group
const ANY: u32 = u32::MAX;

/// A pair as a key
fn pair(member: u32, group: u32) -> Guid {
    Guid::from_value(u128::from(member) << 32 | u128::from(group))
}

impl Edges {
    fn open(&mut self) {
        self.first = self.edges.len();
    }

    fn push(&mut self, member: u32, gone: bool) {
        if gone {
            self.leaving.push(member);
        } else {
            self.edges.push((member, ANY));
        }
    }

    /// A page may name the group after its members
    fn close(&mut self, group: u32) {
        self.edges.get_mut(self.first..).unwrap_or_default().iter_mut().for_each(|edge| edge.1 = group);
        for member in std::mem::take(&mut self.leaving) {
            // One page may say that somebody came and went: the later word counts, and which that was is not told.
            self.remove(member, group);
        }
    }

    fn remove(&mut self, member: u32, group: u32) {
        let (at, before) = (index(self.removed.intern(pair(member, group))), number(self.edges.len()));
        match self.before.get_mut(at) {
            Some(earlier) => *earlier = before,
            None => self.before.push(before),
        }
    }

    fn finish(mut self) -> Vec<(u32, u32)> {
        if self.before.is_empty() {
            return self.edges;
        }
        let before = |member: u32, group: u32| {
            let at = self.removed.get(pair(member, group)).and_then(|at| self.before.get(index(at)));
            at.copied().unwrap_or(0)
        };
        let mut at = 0_u32;
        self.edges.retain(|(member, group)| {
            let gone = before(*member, *group).max(before(ANY, *group)).max(before(*member, ANY));
            let kept = gone <= at;
            at = at.saturating_add(1);
            kept
        });
        self.edges
    }
}

/// Pages on their way into the directory; nothing of them counts until they are all there
#[derive(Debug)]
pub struct Loading {
    tenant: Guid,
    principals: Ids,
    memberships: Edges,
    nested: Edges,
    covered: Option<Vec<u32>>,
    present: Vec<u32>,
}

impl Loading {
    /// Everything anew, or what has changed since `earlier`; all direct members will be known then of the groups that are `covered`
    pub(super) fn new(tenant: Guid, earlier: Option<&Tenant>, all: bool, covered: Option<Vec<u32>>) -> Self {
        let mut loading = Self {
            tenant,
            covered,
            present: earlier.filter(|_| !all).map(|earlier| earlier.present.clone()).unwrap_or_default(),
            principals: earlier.map(|earlier| earlier.principals.clone()).unwrap_or_default(),
            memberships: Edges::default(),
            nested: Edges::default(),
        };
        if let Some(earlier) = earlier.filter(|_| !all) {
            loading.memberships.edges = earlier.memberships.pairs().collect();
            loading.nested.edges.clone_from(&earlier.nested);
        }
        loading
    }

    /// A group begins; its members follow
    pub(super) fn open(&mut self) {
        self.memberships.open();
        self.nested.open();
    }

    /// A user or other principal in the group, or no longer
    pub(super) fn principal(&mut self, id: Guid, gone: bool) {
        let member = self.principals.intern(id);
        self.memberships.push(member, gone);
    }

    /// A group in the group, or no longer
    pub(super) fn group(&mut self, member: u32, gone: bool) {
        self.nested.push(member, gone);
    }

    /// The group's number; `gone` when it was deleted, `absent` when it is not there and keeps its places in others
    pub(super) fn close(&mut self, group: u32, gone: bool, absent: bool) {
        self.memberships.close(group);
        self.nested.close(group);
        if self.present.len() <= index(group) {
            self.present.resize(index(group).saturating_add(1), 0);
        }
        set(&mut self.present, group, u32::from(!gone && !absent));
        if gone {
            self.memberships.remove(ANY, group);
            self.nested.remove(ANY, group);
            self.nested.remove(group, ANY);
        }
    }

    pub(super) fn finish(mut self) -> Tenant {
        self.principals.shrink();
        let memberships = Lists::new(self.principals.len(), &self.memberships.finish());
        Tenant {
            id: self.tenant,
            principals: self.principals,
            memberships,
            nested: self.nested.finish(),
            covered: self.covered,
            present: self.present,
        }
    }
}
