//! Principals held by number: what crosses the WebAssembly boundary is a handle, never a claim

use super::Principal;
use crate::time::Timestamp;

/// Names a principal in a table: slot in the low 16 bits, generation in the next 14, and the table in bit 30
///
/// A handle that was released never names another principal until 16,383 others went through the same slot; until then
/// it is answered like an unknown one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(u32);

const SLOT_BITS: u32 = 16;
const GENERATIONS: u16 = 0x3fff;
/// Set in the handles of one of two tables
const SECOND_TABLE: u32 = 1 << 30;

impl Handle {
    /// As it crosses the boundary; the highest bit is never set
    pub const fn number(self) -> u32 {
        self.0
    }

    /// From a number that crossed the boundary
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    fn new(slot: u16, generation: u16) -> Self {
        Self(u32::from(generation & GENERATIONS) << SLOT_BITS | u32::from(slot))
    }

    /// The same place in the second of two tables
    #[must_use]
    pub const fn in_second_table(self) -> Self {
        Self(self.0 | SECOND_TABLE)
    }

    /// Whether it names a place in the second of two tables
    pub const fn is_in_second_table(self) -> bool {
        self.0 & SECOND_TABLE != 0
    }

    fn slot(self) -> usize {
        usize::try_from(self.0 & 0xffff).unwrap_or(usize::MAX)
    }

    fn generation(self) -> u16 {
        u16::try_from(self.0 >> SLOT_BITS & u32::from(GENERATIONS)).unwrap_or(u16::MAX)
    }
}

#[derive(Debug)]
struct Slot<T> {
    generation: u16,
    content: Option<(Principal, T)>,
}

/// A bounded table of principals, each with data `T` derived from it
#[derive(Debug)]
pub struct Principals<T> {
    capacity: usize,
    slots: Vec<Slot<T>>,
    free: Vec<u16>,
    next_victim: usize,
}

impl<T: Default> Principals<T> {
    /// An empty table for up to `capacity` principals, 65,536 at the most
    pub const fn new(capacity: usize) -> Self {
        Self { capacity, slots: Vec::new(), free: Vec::new(), next_victim: 0 }
    }

    /// Takes a principal in; a full table gives up the one that has been longest in it
    pub fn admit(&mut self, principal: Principal) -> (Handle, Option<Principal>) {
        let slot = self.free.pop().or_else(|| self.grow()).unwrap_or_else(|| self.evict());
        let Some(content) = self.slots.get_mut(usize::from(slot)) else {
            return (Handle::new(slot, 0), None);
        };
        content.generation = content.generation.wrapping_add(1) & GENERATIONS;
        let given_up = content.content.replace((principal, T::default()));
        (Handle::new(slot, content.generation), given_up.map(|(principal, _)| principal))
    }

    fn grow(&mut self) -> Option<u16> {
        if self.slots.len() >= self.capacity {
            return None;
        }
        let slot = u16::try_from(self.slots.len()).ok()?;
        self.slots.push(Slot { generation: 0, content: None });
        Some(slot)
    }

    fn evict(&mut self) -> u16 {
        let victim = self.next_victim;
        self.next_victim = victim.checked_add(1).filter(|next| *next < self.slots.len()).unwrap_or(0);
        u16::try_from(victim).unwrap_or(0)
    }

    /// The principal, unless it was released or has expired; also one whose token has to be claimed first
    pub fn get(&self, handle: Handle, now: Timestamp) -> Option<&Principal> {
        self.content(handle, now).map(|(principal, _)| principal)
    }

    /// One that counts, with its derived data
    pub fn get_with(&self, handle: Handle, now: Timestamp) -> Option<(&Principal, &T)> {
        self.content(handle, now).filter(|(principal, _)| !principal.is_unclaimed())
    }

    /// The same with its derived data to fill in
    pub fn get_mut(&mut self, handle: Handle, now: Timestamp) -> Option<(&mut Principal, &mut T)> {
        self.content_mut(handle, now).filter(|(principal, _)| !principal.is_unclaimed())
    }

    /// Lets one count whose token was claimed; whether there is such a one
    pub fn claim(&mut self, handle: Handle, now: Timestamp) -> bool {
        let job = self.content_mut(handle, now).and_then(|(principal, _)| principal.job.as_mut());
        job.is_some_and(|job| job.single_use.take().is_some())
    }

    fn content(&self, handle: Handle, now: Timestamp) -> Option<(&Principal, &T)> {
        let slot = self.slots.get(handle.slot())?;
        let (principal, data) = slot.content.as_ref()?;
        (slot.generation == handle.generation() && now < principal.expires_at).then_some((principal, data))
    }

    fn content_mut(&mut self, handle: Handle, now: Timestamp) -> Option<(&mut Principal, &mut T)> {
        let slot = self.slots.get_mut(handle.slot())?;
        let (principal, data) = slot.content.as_mut()?;
        (slot.generation == handle.generation() && now < principal.expires_at).then_some((principal, data))
    }

    /// Forgets a principal; its handle is unknown from now on
    pub fn release(&mut self, handle: Handle) {
        if let Some(slot) = self.slots.get_mut(handle.slot())
            && slot.generation == handle.generation()
            && slot.content.take().is_some()
            && let Ok(free) = u16::try_from(handle.slot())
        {
            self.free.push(free);
        }
    }

    /// Number of principals held
    pub fn len(&self) -> usize {
        self.slots.len().saturating_sub(self.free.len())
    }

    /// Whether none is held
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Assurance, Groups, Guid, PrincipalKind};

    fn principal(id: u32) -> Principal {
        Principal {
            kind: PrincipalKind::User,
            issuer: "test".into(),
            tenant_id: Guid::from_value(1),
            object_id: Guid::from_value(u128::from(id)),
            client_id: None,
            actor: None,
            groups: Groups::unknown(),
            roles: vec![],
            name: None,
            assurance: Assurance::default(),
            job: None,
            issued_at: Timestamp::default(),
            expires_at: Timestamp::from_seconds(100),
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1);

    #[test]
    fn a_released_handle_names_nobody() {
        let mut table = Principals::<()>::new(1000);
        let first = table.admit(principal(1)).0;
        table.release(first);
        let second = table.admit(principal(2)).0;
        assert_eq!(first.slot(), second.slot());
        assert!(table.get(first, NOW).is_none());
        assert_eq!(table.get(second, NOW).unwrap().object_id, Guid::from_value(2));
        table.release(first); // a second release of the old handle must not free the new principal
        assert!(table.get(second, NOW).is_some());
    }

    #[test]
    fn an_expired_principal_is_nobody() {
        let mut table = Principals::<()>::new(1000);
        let handle = table.admit(principal(1)).0;
        assert!(table.get(handle, Timestamp::from_seconds(99)).is_some());
        assert!(table.get(handle, Timestamp::from_seconds(100)).is_none());
    }

    #[test]
    fn a_full_table_never_mixes_principals_up() {
        let mut table = Principals::<()>::new(1000);
        let handles: Vec<_> = (0..2500).map(|id| (id, table.admit(principal(id)).0)).collect();
        let mut alive = 0;
        for (id, handle) in handles {
            if let Some(found) = table.get(handle, NOW) {
                assert_eq!(found.object_id, Guid::from_value(u128::from(id)));
                alive += 1;
            }
        }
        assert_eq!(alive, 1000);
    }
}
