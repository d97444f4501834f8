//! Time as a value: the core has no clock, every question carries its own "now"

/// Seconds since 1970-01-01T00:00:00Z, as in a JWT NumericDate without fractions (RFC 7519 section 2)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The end of time
    pub const NEVER: Self = Self(u64::MAX);

    /// From whole seconds
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Whole seconds
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Later by `seconds`; stays at the end of time instead of overflowing
    #[must_use]
    pub const fn after(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Earlier by `seconds`; stays at the beginning of time instead of overflowing
    #[must_use]
    pub const fn before(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to `self`, zero when `earlier` is later
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
