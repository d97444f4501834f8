//! Object ids of Entra as small numbers, in the order in which they were first seen

use super::graph::{index, number};
use crate::identity::Guid;

/// A table that only grows: open addressing, because most of the memory of a directory is here
#[derive(Debug, Clone, Default)]
pub struct Ids {
    ids: Vec<Guid>,
    /// A power of two; number plus one, 0 for a free slot
    slots: Vec<u32>,
}

impl Ids {
    /// The number of an id, given now if it is new
    pub fn intern(&mut self, id: Guid) -> u32 {
        if self.ids.len().saturating_mul(8) >= self.slots.len().saturating_mul(7) {
            self.grow();
        }
        let slot = self.slot(id);
        let known = self.slots.get(slot).copied().unwrap_or(0);
        if known != 0 {
            return known.saturating_sub(1);
        }
        self.ids.push(id);
        let taken = number(self.ids.len());
        if let Some(place) = self.slots.get_mut(slot) {
            *place = taken;
        }
        taken.saturating_sub(1)
    }

    /// The number of an id that is known
    pub fn get(&self, id: Guid) -> Option<u32> {
        self.slots.get(self.slot(id))?.checked_sub(1)
    }

    /// The id of a number
    pub fn id(&self, number: u32) -> Option<Guid> {
        self.ids.get(index(number)).copied()
    }

    /// Gives back room that was kept for more
    pub fn shrink(&mut self) {
        self.ids.shrink_to_fit();
    }

    /// How many there are
    pub const fn len(&self) -> usize {
        self.ids.len()
    }

    /// Bytes of memory
    pub fn bytes(&self) -> usize {
        self.ids.capacity().saturating_mul(16).saturating_add(self.slots.capacity().saturating_mul(4))
    }

    /// Where the id is, or would be
    fn slot(&self, id: Guid) -> usize {
        let last = self.slots.len().saturating_sub(1);
        let mut slot = hash(id) & last;
        while let Some(taken) = self.slots.get(slot).and_then(|taken| taken.checked_sub(1)) {
            if self.id(taken) == Some(id) {
                break;
            }
            slot = slot.wrapping_add(1) & last;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len().saturating_mul(2).max(64)];
        for at in 0..self.ids.len() {
            let slot = self.ids.get(at).map_or(0, |id| self.slot(*id));
            if let Some(place) = self.slots.get_mut(slot) {
                *place = number(at).saturating_add(1);
            }
        }
    }
}

/// Entra's ids are random but for their first bytes, which are time: all of them count
fn hash(id: Guid) -> usize {
    let folded = u64::try_from((id.value() ^ id.value() >> 64) & u128::from(u64::MAX)).unwrap_or(0);
    usize::try_from(folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_number() {
        let mut ids = Ids::default();
        let id = |at: u128| Guid::from_value(at << 64 | at.wrapping_mul(0xdead_beef));
        assert_eq!(ids.get(id(1)), None);
        for _ in 0..2 {
            for at in 0..10_000 {
                assert_eq!(u128::from(ids.intern(id(at))), at);
            }
        }
        assert_eq!(ids.len(), 10_000);
        for at in 0..10_000_u32 {
            assert_eq!((ids.get(id(u128::from(at))), ids.id(at)), (Some(at), Some(id(u128::from(at)))));
        }
        assert_eq!(ids.get(id(10_000)), None);
    }
}
