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

    /// From a time as Microsoft Graph writes it, `2026-11-28T11:26:32Z`, with or without a fraction of the second
    ///
    /// A fraction counts as a whole second, so that what is "not before" is never taken for earlier than it is. Before 1970 is the
    /// beginning of time: `0001-01-01T00:00:00Z` stands for "never".
    pub fn parse_utc(text: &[u8]) -> Option<Self> {
        let (date, rest) = (text.get(..19)?, text.get(19..)?.strip_suffix(b"Z")?);
        let fraction = match rest {
            [] => false,
            [b'.', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                digits.iter().any(|digit| *digit != b'0')
            }
            _ => return None,
        };
        let separated = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if !separated.iter().all(|(at, mark)| date.get(*at) == Some(mark)) {
            return None;
        }
        let number = |from: usize, to: usize| {
            let digits = date.get(from..to)?;
            let value = |sum: u64, digit: &u8| sum.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')));
            digits.iter().all(u8::is_ascii_digit).then(|| digits.iter().fold(0, value))
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let fits =
            year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
        let days = days_before(year, month).wrapping_add(day);
        let seconds = days.wrapping_mul(24).wrapping_add(hour).wrapping_mul(60).wrapping_add(minute).wrapping_mul(60);
        // Days are counted so that the first of January 1970 is the 719,529th.
        let since = seconds.wrapping_add(second).wrapping_add(u64::from(fraction)).checked_sub(719_529 * 86_400);
        fits.then(|| Self(since.unwrap_or(0)))
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

/// Days from the beginning of the year 0 to the first of a month, by the Gregorian calendar; a year begins in March for this
const fn days_before(year: u64, month: u64) -> u64 {
    let (year, month) =
        if month > 2 { (year, month.wrapping_sub(3)) } else { (year.wrapping_sub(1), month.wrapping_add(9)) };
    let leaps = (year / 4).wrapping_sub(year / 100).wrapping_add(year / 400);
    year.wrapping_mul(365)
        .wrapping_add(leaps)
        .wrapping_add(month.wrapping_mul(153).wrapping_add(2) / 5)
        .wrapping_add(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        Timestamp::parse_utc(text.as_bytes()).map(Timestamp::seconds)
    }

    #[test]
    fn times_are_read_as_graph_writes_them() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:01Z", 1),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2024-03-01T00:00:00Z", 1_709_251_200),
            ("2025-10-09T08:53:20Z", 1_760_000_000),
            ("2025-12-31T23:59:59Z", 1_767_225_599),
            ("2026-01-01T00:00:00.0000000Z", 1_767_225_600),
            ("2026-01-01T00:00:00.0000001Z", 1_767_225_601),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("0001-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", 0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn whatever_else_is_no_time() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+01:00",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.5xZ",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "+026-01-01T00:00:00Z",
            "12026-01-01T00:00:00Z",
            "2026-01-01T00:00:0\u{e9}Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
