//! What an entry wants of a claim: exactly a text, or a segment glob
//!
//! No regular expressions: nobody anchors them right. `*` stands for one letter or more of one segment, so that
//! `release/*` is never `release/` nor `release/1/x`, and no ref reaches over the colons of an issuer's own syntax.

/// A wanted value
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    glob: bool,
}

impl Pattern {
    /// Exactly this text
    pub fn exact(text: &str) -> Self {
        Self { text: text.into(), glob: false }
    }

    /// A text, or a glob if `*` is in it
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut rest = text.as_bytes();
        while let [_, after @ ..] = rest {
            match rest {
                [b'*', b'*', ..] => return Err("`*` never crosses `/` or `:`; write one for each segment"),
                // Half of an encoded `/` or `:` would let the rest of it through.
                [b'%', b'*', ..] | [b'%', b'2' | b'3', b'*', ..] => {
                    return Err("`*` can't stand behind `%`, `%2` or `%3`");
                }
                _ => rest = after,
            }
        }
        Ok(Self { text: text.into(), glob: text.as_bytes().contains(&b'*') })
    }

    /// Whether more than one value is wanted
    pub const fn is_glob(&self) -> bool {
        self.glob
    }

    /// As it is written
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a claim has a wanted value
    pub fn matches(&self, value: &str) -> bool {
        if self.glob { glob(self.text.as_bytes(), value.as_bytes()) } else { *self.text == *value }
    }

    /// Whether every value that `other` wants is wanted here as well, as far as that can be told
    pub fn includes(&self, other: &Self) -> bool {
        // A `*` of the other one that is matched by a `*` here stands for nothing that it does not.
        if self.glob { self.matches(&other.text) } else { self == other }
    }
}

/// Taking the last `*` further is all that ever helps: what an earlier one could take more, the later one can take as well
fn glob(mut pattern: &[u8], mut text: &[u8]) -> bool {
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, text) {
            ([], []) => return true,
            ([b'*', after @ ..], [_, rest @ ..]) if is_coverable(text) => {
                (pattern, text) = (after, rest);
                star = Some((after, rest));
                continue;
            }
            ([wanted, after @ ..], [letter, rest @ ..]) if wanted == letter && *wanted != b'*' => {
                (pattern, text) = (after, rest);
                continue;
            }
            _ => {}
        }
        match star {
            Some((after, covered @ [_, rest @ ..])) if is_coverable(covered) => {
                (pattern, text) = (after, rest);
                star = Some((after, rest));
            }
            _ => return false,
        }
    }
}

/// Whether a `*` may take the first byte
const fn is_coverable(text: &[u8]) -> bool {
    !matches!(text, [b'/' | b':', ..] | [b'%', b'3', b'A' | b'a', ..] | [b'%', b'2', b'F' | b'f', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_segment_or_part_of_one() {
        for (pattern, yes, no) in [
            ("main", vec!["main"], vec!["", "mai", "main ", " main", "Main", "main/x", "xmain"]),
            (
                "release/*",
                vec!["release/1", "release/1.2-rc", "release/é"],
                vec!["release/", "release", "release/1/x", "release/1:x"],
            ),
            ("*", vec!["a", "main", "a*b"], vec!["", "a/b", "a:b", "a%3Ab", "a%3ab", "a%2Fb", "/", ":"]),
            ("*/main", vec!["a/main"], vec!["/main", "a/b/main", "main", "a/main2"]),
            ("v*.*", vec!["v1.2", "v1.2.3", "v..x"], vec!["v1", "v.1", "v1.", "v1./2"]),
            ("a*b*c", vec!["axbxc", "abbbc", "axbbxcxc"], vec!["abc", "axbc", "axb/xc", "axbxcx"]),
            ("*x:*x", vec!["ax:bx", "xx:xx"], vec!["x:bx", "ax:x", "ax:b:x", "a:x:bx"]),
            ("%3A*", vec!["%3Ax"], vec!["%3a", "%3A", "%3A%3A"]),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            for value in yes {
                assert!(pattern.matches(value), "{} should match {value:?}", pattern.text());
            }
            for value in no {
                assert!(!pattern.matches(value), "{} should not match {value:?}", pattern.text());
            }
        }
    }

    #[test]
    fn stars_that_would_cross_are_refused() {
        for bad in ["**", "a/**", "a%*", "a%3*", "%2*x"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_included_is_known() {
        let pattern = |text| Pattern::parse(text).unwrap();
        for (wide, narrow, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("*", "a", true),
            ("*", "a*", true),
            ("a*", "*", false),
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("*/*", "a/*", true),
            ("*", "a/*", false),
            ("a*b", "a*", false),
        ] {
            assert_eq!(pattern(wide).includes(&pattern(narrow)), expected, "{wide} {narrow}");
        }
    }
}
