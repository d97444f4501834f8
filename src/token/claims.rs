//! The claims set: the members that matter, typed; everything else checked and passed over

use super::claim_name::ClaimName;
use crate::{
    identity::Guid,
    json::{JsonError, JsonString, Reader},
    limits,
    time::Timestamp,
};

/// The claims that are read, as far as they are there; a wrong type is an error, never an absence
#[derive(Debug, Default)]
pub struct Claims<'a> {
    /// `iss`
    pub issuer: Option<JsonString<'a>>,
    /// `aud`
    pub audience: Option<Audience<'a>>,
    /// `tid`
    pub tenant: Option<Guid>,
    /// `oid`
    pub object: Option<Guid>,
    /// `exp`
    pub expires: Option<Timestamp>,
    /// `nbf`
    pub not_before: Option<Timestamp>,
    /// `iat`
    pub issued: Option<Timestamp>,
    /// `ver`
    pub version: Option<JsonString<'a>>,
    /// `azp` (v2.0)
    pub authorized_party: Option<Guid>,
    /// `appid` (v1.0)
    pub application: Option<Guid>,
    /// `idtyp`
    pub id_type: Option<JsonString<'a>>,
    /// `scp` with at least one scope in it
    pub has_scope: bool,
    /// `roles`
    pub roles: Vec<JsonString<'a>>,
    /// `groups`: object ids
    pub groups: Option<Vec<Guid>>,
    /// An empty list with room for groups, if there is one
    pub list: Vec<Guid>,
    /// `_claim_names.groups` or `hasgroups`: the list was left out
    pub overage: bool,
    /// `name`, for display only
    pub name: Option<JsonString<'a>>,
    /// `xms_act_fct` and `xms_sub_fct`: what the actor and the subject are
    pub actor_facets: Facets,
    /// See `actor_facets`
    pub subject_facets: Facets,
    /// `cnf` is there
    pub bound: bool,
    /// `nonce`, `c_hash`, `at_hash` or `s_hash` is there: the mark of an ID token
    pub id_token_mark: bool,
    /// `acrs`: authentication contexts
    pub auth_contexts: Vec<JsonString<'a>>,
    /// `amr` names a method that takes several factors (Microsoft Entra: `mfa`, `ngcmfa`; `wiaormfa` proves neither)
    pub mfa: bool,
    /// `auth_time`
    pub signed_in: Option<Timestamp>,
    /// `events` is there: a logout token or another security event (RFC 8417)
    pub event: bool,
}

/// One or several, none of them empty
#[derive(Debug)]
pub enum Audience<'a> {
    /// A string, as every access token has it
    One(JsonString<'a>),
    /// A list of one or more
    List(Vec<JsonString<'a>>),
}

impl<'a> Audience<'a> {
    /// All of them
    pub fn all(&self) -> &[JsonString<'a>] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::List(list) => list,
        }
    }
}

/// Microsoft's facets: space-separated integers in a string
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Facets {
    /// 11: an agent identity
    pub agent_identity: bool,
    /// 13: a user account that belongs to an agent
    pub agent_user: bool,
}

impl<'a> Claims<'a> {
    /// Reads a decoded claims set
    ///
    /// A claim that is read here must stand there in one letter case only: a reader that folds case must not see another
    /// value than we do (Microsoft.IdentityModel refuses several `tid` likewise).
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let mut claims = Self::default();
        claims.read(text, false).map(|()| claims)
    }

    /// The same into fresh claims, which are too large to be handed about; `ascii` when that is known of the text
    pub fn read(&mut self, text: &'a [u8], ascii: bool) -> Result<(), JsonError> {
        if !ascii && std::str::from_utf8(text).is_err() {
            return Err(JsonError::Malformed);
        }
        let (mut read, mut misspelt) = (0_u32, 0_u32);
        Reader::read_utf8_object(text, |reader, name| {
            let name = name.bytes();
            if let Some(claim) = ClaimName::of(&name) {
                read |= claim.bit();
                return self.member(reader, claim);
            }
            if let Some(claim) = ClaimName::misspelt(&name) {
                if misspelt & claim.bit() != 0 {
                    return Err(JsonError::Duplicate);
                }
                misspelt |= claim.bit();
            }
            reader.skip()
        })?;
        if read & misspelt == 0 { Ok(()) } else { Err(JsonError::Duplicate) }
    }

    #[inline(always)]
    fn member(&mut self, reader: &mut Reader<'a>, claim: ClaimName) -> Result<(), JsonError> {
        let name = claim.as_str();
        match claim {
            ClaimName::Issuer => self.issuer = Some(string(reader, name)?),
            ClaimName::Audience => self.audience = Some(audience(reader)?),
            ClaimName::Tenant => self.tenant = Some(guid(reader, name)?),
            ClaimName::Object => self.object = Some(guid(reader, name)?),
            ClaimName::Expires => self.expires = Some(time(reader, name)?),
            ClaimName::NotBefore => self.not_before = Some(time(reader, name)?),
            ClaimName::Issued => self.issued = Some(time(reader, name)?),
            ClaimName::Version => self.version = Some(string(reader, name)?),
            ClaimName::AuthorizedParty => self.authorized_party = Some(guid(reader, name)?),
            ClaimName::Application => self.application = Some(guid(reader, name)?),
            ClaimName::IdType => self.id_type = Some(string(reader, name)?),
            ClaimName::Scope => self.has_scope = has_scope(reader)?,
            ClaimName::Roles => self.roles = strings(reader, name)?,
            ClaimName::Groups => self.groups = Some(groups(reader, std::mem::take(&mut self.list))?),
            ClaimName::Name => self.name = Some(string(reader, name)?),
            ClaimName::Confirmation => self.bound = present(reader)?,
            ClaimName::Nonce | ClaimName::CodeHash | ClaimName::AccessHash | ClaimName::StateHash => {
                self.id_token_mark = present(reader)?;
            }
            ClaimName::Events => self.event = present(reader)?,
            ClaimName::HasGroups => self.overage |= truth(reader)?,
            ClaimName::ClaimNames => self.overage |= names_groups(reader)?,
            ClaimName::ActorFacets => self.actor_facets = facets(reader, name)?,
            ClaimName::SubjectFacets => self.subject_facets = facets(reader, name)?,
            ClaimName::AuthContexts => self.auth_contexts = strings(reader, name)?,
            ClaimName::AuthMethods => {
                self.mfa = strings(reader, name)?.iter().any(|method| method.is(b"mfa") || method.is(b"ngcmfa"));
            }
            ClaimName::AuthTime => self.signed_in = Some(time(reader, name)?),
        }
        Ok(())
    }
}

/// A member whose presence alone matters
fn present(reader: &mut Reader<'_>) -> Result<bool, JsonError> {
    reader.skip().map(|()| true)
}

fn string<'a>(reader: &mut Reader<'a>, name: &'static str) -> Result<JsonString<'a>, JsonError> {
    if reader.kind() == Some(b'"') { reader.string() } else { Err(JsonError::Invalid(name)) }
}

fn strings<'a>(reader: &mut Reader<'a>, name: &'static str) -> Result<Vec<JsonString<'a>>, JsonError> {
    if reader.kind() != Some(b'[') {
        return Err(JsonError::Invalid(name));
    }
    let mut all = Vec::new();
    reader.array(limits::ARRAY_ELEMENTS, |reader| {
        all.push(string(reader, name)?);
        Ok(())
    })?;
    Ok(all)
}

/// A string or a non-empty array of strings (RFC 7519 section 4.1.3), none of them empty
fn audience<'a>(reader: &mut Reader<'a>) -> Result<Audience<'a>, JsonError> {
    let audience = match reader.kind() {
        Some(b'"') => Audience::One(reader.string()?),
        _ => Audience::List(strings(reader, "aud")?),
    };
    let all = audience.all();
    if all.is_empty() || all.iter().any(|one| one.is(b"")) { Err(JsonError::Invalid("aud")) } else { Ok(audience) }
}

fn guid(reader: &mut Reader<'_>, name: &'static str) -> Result<Guid, JsonError> {
    let text = string(reader, name)?.bytes();
    Guid::parse(&text).ok_or(JsonError::Invalid(name))
}

/// An integer number of seconds, above 0 and below 2^53; fractions, exponents and strings are refused, never coerced
fn time(reader: &mut Reader<'_>, name: &'static str) -> Result<Timestamp, JsonError> {
    if !matches!(reader.kind(), Some(b'0'..=b'9' | b'-')) {
        return Err(JsonError::Invalid(name));
    }
    let digits = reader.number()?;
    // More digits than the largest number has: no need to know which.
    let all_digits = digits.len() <= 16 && digits.iter().all(u8::is_ascii_digit);
    let value = digits
        .iter()
        .fold(0_u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0'))));
    if all_digits && (1..1 << 53).contains(&value) {
        Ok(Timestamp::from_seconds(value))
    } else {
        Err(JsonError::Invalid(name))
    }
}

fn groups(reader: &mut Reader<'_>, mut ids: Vec<Guid>) -> Result<Vec<Guid>, JsonError> {
    if reader.kind() != Some(b'[') {
        return Err(JsonError::Invalid("groups"));
    }
    // Room for all of them at once: growing would copy the list over and over.
    ids.clear();
    ids.reserve((reader.remaining() / (Guid::TEXT_BYTES + 3)).min(limits::GROUPS));
    reader.array_of_texts(limits::GROUPS, |reader, text| {
        // Names instead of object ids (sAMAccountName, display name) are refused: they are not unique.
        let id = match text {
            Some(text) => Guid::parse_exact(text).ok_or(JsonError::Invalid("groups"))?,
            None => guid(reader, "groups")?,
        };
        ids.push(id);
        Ok(())
    })?;
    Ok(ids)
}

/// `true`, or the string "true" that some gateways make of it; `false` counts as said
fn truth(reader: &mut Reader<'_>) -> Result<bool, JsonError> {
    match reader.kind() {
        Some(b't' | b'f') => reader.boolean(),
        // Any other value says that something was said about groups: not knowing is the safe reading.
        _ => reader.skip().map(|()| true),
    }
}

/// Whether `_claim_names` has a member `groups`; any other form of it counts as overage too
fn names_groups(reader: &mut Reader<'_>) -> Result<bool, JsonError> {
    if reader.kind() != Some(b'{') {
        return reader.skip().map(|()| true);
    }
    let mut found = false;
    reader.rare_object(&mut |reader, name| {
        found |= name.is(b"groups");
        reader.skip()
    })?;
    Ok(found)
}

/// Whether `scp` holds a scope; agents carry `/` for "none"
fn has_scope(reader: &mut Reader<'_>) -> Result<bool, JsonError> {
    let scope = string(reader, "scp")?.bytes();
    Ok(scope.split(|b| *b == b' ').any(|word| !word.is_empty() && word != b"/"))
}

fn facets(reader: &mut Reader<'_>, name: &'static str) -> Result<Facets, JsonError> {
    let text = string(reader, name)?.bytes();
    let mut facets = Facets::default();
    for word in text.split(|b| *b == b' ').filter(|word| !word.is_empty()) {
        match word {
            b"11" => facets.agent_identity = true,
            b"13" => facets.agent_user = true,
            _ if word.iter().all(u8::is_ascii_digit) => {}
            _ => return Err(JsonError::Invalid(name)),
        }
    }
    Ok(facets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Option<JsonError> {
        Claims::parse(text.as_bytes()).err()
    }

    #[test]
    fn times_are_integers_in_range() {
        for bad in [
            r#""1700000000""#,
            "1700000000.5",
            "1.7e9",
            "-1",
            "0",
            "9007199254740992",
            "1e400",
            "true",
            "null",
            "[]",
            "{}",
            "99999999999999999999999999",
        ] {
            for claim in ["exp", "nbf", "iat"] {
                assert!(
                    matches!(error(&format!(r#"{{"{claim}":{bad}}}"#)), Some(JsonError::Invalid(c)) if c == claim),
                    "{claim} {bad}"
                );
            }
        }
        assert_eq!(error(r#"{"exp":9007199254740991}"#), None);
        assert_eq!(error(r#"{"exp":NaN}"#), Some(JsonError::Invalid("exp")));
    }

    #[test]
    fn audience_is_a_string_or_a_list_of_strings() {
        for bad in [r#""""#, "[]", r#"[""]"#, r#"["x",5]"#, r#"[["x"]]"#, "{}", "null", "5", r#"["x",""]"#] {
            assert_eq!(error(&format!(r#"{{"aud":{bad}}}"#)), Some(JsonError::Invalid("aud")), "{bad}");
        }
        assert_eq!(Claims::parse(br#"{"aud":["x","y"]}"#).unwrap().audience.unwrap().all().len(), 2);
        assert_eq!(Claims::parse(br#"{"aud":"x"}"#).unwrap().audience.unwrap().all().len(), 1);
    }

    #[test]
    fn deciding_claims_stand_in_one_letter_case() {
        for text in [
            r#"{"tid":1,"TID":2}"#,
            r#"{"aud":"a","AUD":"b"}"#,
            r#"{"AUD":"a","aud":"b"}"#,
            r#"{"Exp":1,"EXP":2}"#,
            r#"{"Name":"a","name":"b"}"#,
        ] {
            let text = text.replace("\"tid\":1", "\"tid\":\"00000000-0000-0000-0000-000000000000\"");
            assert_eq!(error(&text), Some(JsonError::Duplicate), "{text}");
        }
        assert!(Claims::parse(br#"{"Name":"a","TID":1}"#).unwrap().tenant.is_none());
    }

    #[test]
    fn groups_are_object_ids() {
        let guid = "01234567-89ab-cdef-0123-456789abcdef";
        assert_eq!(Claims::parse(format!(r#"{{"groups":["{guid}"]}}"#).as_bytes()).unwrap().groups.unwrap().len(), 1);
        for bad in [
            r#""x""#,
            r#"["Payments"]"#,
            r#"["CORP\\payments"]"#,
            "[1]",
            "[null]",
            "{}",
            r#"["{01234567-89ab-cdef-0123-456789ab}"]"#,
        ] {
            assert_eq!(error(&format!(r#"{{"groups":{bad}}}"#)), Some(JsonError::Invalid("groups")), "{bad}");
        }
        let many = vec![format!("\"{guid}\""); limits::GROUPS + 1].join(",");
        assert_eq!(error(&format!(r#"{{"groups":[{many}]}}"#)), Some(JsonError::Budget));
    }

    #[test]
    fn nothing_is_left_of_a_list_that_is_used_again() {
        let guid = Guid::from_value(7);
        for (text, expected) in [
            (format!(r#"{{"groups":["{guid}"]}}"#), Some(vec![guid])),
            (r#"{"groups":[]}"#.to_owned(), Some(vec![])),
            ("{}".to_owned(), None),
        ] {
            let mut claims = Claims { list: vec![Guid::from_value(1); 3], ..Claims::default() };
            claims.read(text.as_bytes(), true).unwrap();
            assert_eq!(claims.groups, expected, "{text}");
        }
    }

    #[test]
    fn overage_is_seen_in_every_form() {
        for text in [
            r#"{"_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://evil.example"}}}"#,
            r#"{"hasgroups":true}"#,
            r#"{"hasgroups":"true"}"#,
            r#"{"_claim_names":"groups"}"#,
        ] {
            assert!(Claims::parse(text.as_bytes()).unwrap().overage, "{text}");
        }
        assert!(!Claims::parse(br#"{"_claim_names":{"other":"src1"},"hasgroups":false}"#).unwrap().overage);
    }
}
