//! Which catalog entities may bind an Entra id or nest groups: those that stand where the operator says so
//!
//! Backstage writes two annotations on whatever it reads, over anything the file says: where the entity stands, and where the
//! reading began. Both must be trusted (docs/decisions/0003).

/// The locations that the operator vouches for; beside them only the msgraph provider, which reads Entra itself
#[derive(Debug, Clone, Default)]
pub struct TrustedLocations {
    /// Where reading began, and where what was read directly from there stands
    named: Vec<(Box<str>, Box<str>)>,
    rules: Vec<LocationRule>,
}

impl TrustedLocations {
    /// With the operator's list
    pub const fn new(rules: Vec<LocationRule>) -> Self {
        Self { named: Vec::new(), rules }
    }

    /// Adds a location that the operator named in `catalog.locations`: `origin` as it is named, `location` as it is read
    pub fn name(&mut self, location: &str, origin: &str) {
        self.named.push((origin.into(), location.into()));
    }

    /// Whether an entity with these two annotations is trusted; one without them is not
    pub fn trusts(&self, location: &str, origin: &str) -> bool {
        let ruled = |text: &str| is_of_type(text, "msgraph:") || self.rules.iter().any(|rule| rule.covers(text));
        let stands = ruled(location) || self.named.iter().any(|(_, known)| **known == *location);
        let begins = ruled(origin) || self.named.iter().any(|(known, _)| **known == *origin);
        stands && begins
    }
}

/// An entry of `entraAccess.catalog.trustedLocations`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocationRule {
    /// `url:https://git.example.com/org/blob/main/org.yaml`: this one
    Exact(Box<str>),
    /// `url:https://git.example.com/org/blob/main/`: everything below
    Below(Box<str>),
    /// `ldap:`: everything of a provider's own type
    Type(Box<str>),
}

impl LocationRule {
    /// From the operator's text; what would trust a whole host, disk or protocol is refused
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, target) = text.split_once(':')?;
        let open = matches!(kind, "url" | "file");
        if kind.is_empty() || matches!(kind, "http" | "https") || !plain(text) || text.bytes().any(|byte| byte == b'*')
        {
            return None;
        }
        if target.is_empty() {
            return (!open).then(|| Self::Type(text.into()));
        }
        if !target.ends_with('/') {
            return Some(Self::Exact(text.into()));
        }
        let path = match kind {
            "url" => target.strip_prefix("https://")?.split_once('/')?.1,
            "file" => target.strip_prefix('/')?,
            _ => target,
        };
        (below(path) && path != "/" && !path.is_empty()).then(|| Self::Below(text.into()))
    }

    fn covers(&self, location: &str) -> bool {
        match self {
            Self::Exact(text) => **text == *location,
            Self::Below(text) => location.strip_prefix(&**text).is_some_and(below),
            Self::Type(text) => is_of_type(location, text),
        }
    }
}

fn is_of_type(location: &str, kind: &str) -> bool {
    location.strip_prefix(kind).is_some_and(|target| !target.is_empty())
}

fn plain(text: &str) -> bool {
    text.bytes().all(|byte| byte > b' ' && byte != 0x7f)
}

/// Whether a path stays where it begins, whoever resolves it: a query may name another branch, an escape another folder
fn below(path: &str) -> bool {
    plain(path)
        && !path.bytes().any(|byte| matches!(byte, b'\\' | b'%' | b'?' | b'#'))
        && !path.split('/').any(|part| matches!(part, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(rules: &[&str]) -> TrustedLocations {
        TrustedLocations::new(rules.iter().map(|rule| LocationRule::parse(rule).unwrap()).collect())
    }

    /// The same text in both annotations
    fn covers(rule: &str, location: &str) -> bool {
        trusted(&[rule]).trusts(location, location)
    }

    #[test]
    fn without_a_word_of_the_operator_only_msgraph_is_trusted() {
        let default = TrustedLocations::default();
        assert!(default.trusts("msgraph:production/1", "msgraph:production/1"));
        for (location, origin) in [
            ("msgraph:production/1", "url:https://git.example.com/evil.yaml"),
            ("url:https://git.example.com/evil.yaml", "msgraph:production/1"),
            ("msgraph:", "msgraph:"),
            ("msgraph", "msgraph"),
            ("MSGRAPH:x", "MSGRAPH:x"),
            ("msgraph-org:x", "msgraph-org:x"),
            (" msgraph:x", " msgraph:x"),
            ("url:msgraph:x", "url:msgraph:x"),
            ("file:/org.yaml", "file:/org.yaml"),
            ("", ""),
        ] {
            assert!(!default.trusts(location, origin), "{location} {origin}");
        }
    }

    #[test]
    fn a_named_location_is_trusted_where_it_stands_and_not_for_what_it_points_to() {
        let mut trusted = TrustedLocations::default();
        let (blob, tree) =
            ("url:https://github.com/o/r/blob/main/org.yaml", "url:https://github.com/o/r/tree/main/org.yaml");
        trusted.name(tree, blob);
        assert!(trusted.trusts(tree, blob));
        for (location, origin) in [
            (tree, "url:https://github.com/evil/r/blob/main/all.yaml"),
            ("url:https://github.com/evil/r/tree/main/x.yaml", blob),
            // The two are not interchangeable.
            (blob, tree),
            (tree, ""),
            ("", blob),
        ] {
            assert!(!trusted.trusts(location, origin), "{location} {origin}");
        }
    }

    #[test]
    fn both_annotations_are_compared() {
        let trusted = trusted(&["url:https://git.example.com/org/blob/main/"]);
        let inside = "url:https://git.example.com/org/blob/main/teams/payments.yaml";
        let outside = "url:https://git.example.com/evil/blob/main/x.yaml";
        assert!(trusted.trusts(inside, inside));
        assert!(!trusted.trusts(inside, outside));
        assert!(!trusted.trusts(outside, inside));
    }

    #[test]
    fn a_folder_covers_what_is_below_it_and_nothing_that_only_looks_so() {
        let folder = "url:https://git.example.com/org/blob/main/";
        for (rest, inside) in [
            ("a.yaml", true),
            ("a/b/c.yaml", true),
            ("a..b/.c.yaml", true),
            ("../evil/org.yaml", false),
            ("a/../../evil.yaml", false),
            ("a/..", false),
            ("./a.yaml", false),
            ("%2e%2e/evil.yaml", false),
            ("..%2fevil.yaml", false),
            ("..\\evil.yaml", false),
            ("a.yaml?at=evil", false),
            ("a.yaml#evil", false),
            (".\t./evil.yaml", false),
            ("a.yaml ", false),
        ] {
            assert_eq!(covers(folder, &format!("{folder}{rest}")), inside, "{rest}");
        }
        for location in [
            "url:https://git.example.com/org/blob/main",
            "url:https://git.example.com/org/blob/mainframe/a.yaml",
            "url:https://GIT.example.com/org/blob/main/a.yaml",
            "url:https://git.example.com.evil.org/org/blob/main/a.yaml",
            "url:http://git.example.com/org/blob/main/a.yaml",
            "file:https://git.example.com/org/blob/main/a.yaml",
        ] {
            assert!(!covers(folder, location), "{location}");
        }
        let exact = "url:https://git.example.com/org/blob/main/org.yaml";
        assert!(covers(exact, exact));
        assert!(!covers(exact, &format!("{exact}x")));
        assert!(!covers(exact, &format!("{exact}/x")));
    }

    #[test]
    fn a_type_is_a_providers_own() {
        assert!(covers("ldap:", "ldap:corp/1"));
        for location in ["ldap:", "ldaps:corp/1", "url:ldap:corp/1"] {
            assert!(!covers("ldap:", location), "{location}");
        }
    }

    #[test]
    fn what_would_trust_too_much_is_refused() {
        for text in [
            "",
            ":",
            "url",
            "url:",
            "file:",
            "https:",
            "https://git.example.com/org.yaml",
            "*",
            "url:*",
            "url:https://git.example.com/org/*/org.yaml",
            "url:https:/",
            "url:https://",
            "url:https://git.example.com/",
            "url:https://git.example.com//",
            "url:http://git.example.com/org/",
            "url:git.example.com/org/",
            "url:https://git.example.com/org/../",
            "url:https://git.example.com/org/%2e%2e/",
            "url:https://git.example.com/org\\/",
            "file:/",
            "file://",
            "file:org/",
            "ldap:/",
            "ldap: x",
            " ldap:",
            "url:https://git.example.com/a b.yaml",
        ] {
            assert_eq!(LocationRule::parse(text), None, "{text}");
        }
        assert!(matches!(LocationRule::parse("file:/etc/backstage/"), Some(LocationRule::Below(_))));
    }
}
