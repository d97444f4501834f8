//! A small seeded generator (SplitMix64): a failure names its seed and happens again

/// The generator
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// True in `of` of `outof` cases
    pub fn chance(&mut self, of: usize, outof: usize) -> bool {
        self.below(outof) < of
    }

    /// One of them
    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// Some of them, in their order
    pub fn some<T: Clone>(&mut self, all: &[T], of: usize, outof: usize) -> Vec<T> {
        all.iter().filter(|_| self.chance(of, outof)).cloned().collect()
    }

    /// Shuffles
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}
