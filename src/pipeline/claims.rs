//! What a token says of its job: the known claims as text, of exactly the form that the issuer gives them

use std::borrow::Cow;

use super::kinds::{Claim, Form, PipelineKind, RECORDED, REQUIRED};
use crate::{
    identity::{Guid, Pairs},
    json::{JsonError, Value},
    limits,
};

/// The known claims of one token
#[derive(Debug, Default)]
pub struct JobClaims<'a> {
    all: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> JobClaims<'a> {
    /// Reads a claims set that is known to be one JSON object
    ///
    /// A known claim stands there in one letter case only, as its value must not depend on who reads it.
    ///
    /// # Errors
    /// A known claim has another type or form. Null is an absence, unless the claim is required.
    pub fn read(text: &'a [u8], kind: &'static PipelineKind) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(text).map_err(|_| JsonError::Malformed)?;
        let Value::Object(members) = Value::parse(text)? else { return Err(JsonError::Malformed) };
        let mut claims = Self::default();
        let mut misspelt: Vec<&'static str> = Vec::new();
        for (name, value) in members {
            if let Some(claim) = kind.claim(&name) {
                match value {
                    Value::Null if !claim.is(REQUIRED) => {}
                    value => claims.all.push((name, read(value, claim).ok_or(JsonError::Invalid(claim.name))?)),
                }
            } else {
                for claim in kind.claims {
                    if claim.name.eq_ignore_ascii_case(&name) {
                        misspelt.push(claim.name);
                    }
                }
            }
        }
        for name in misspelt {
            if claims.get(name).is_some() {
                return Err(JsonError::Duplicate);
            }
        }
        Ok(claims)
    }

    /// The value of a claim, unless it is absent
    pub fn get(&self, name: &str) -> Option<&str> {
        for (known, value) in &self.all {
            if known == name {
                return Some(value);
            }
        }
        None
    }

    /// The first required claim that is absent
    pub fn missing(&self, kind: &PipelineKind) -> Option<&'static str> {
        for claim in kind.claims {
            if claim.is(REQUIRED) && self.get(claim.name).is_none() {
                return Some(claim.name);
            }
        }
        None
    }

    /// What is kept for the audit
    pub fn recorded(&self, kind: &PipelineKind) -> Pairs {
        let mut pairs = Pairs::default();
        for (name, value) in &self.all {
            if kind.claim(name).is_some_and(|claim| claim.is(RECORDED)) {
                pairs.add(name, value);
            }
        }
        pairs
    }

    /// Those of these claims that are there
    pub fn named(&self, names: &[Box<str>]) -> Pairs {
        let mut pairs = Pairs::default();
        for name in names {
            if let Some(value) = self.get(name) {
                pairs.add(name, value);
            }
        }
        pairs
    }
}

/// The value as text, if it is of the claim's type and form
fn read<'a>(value: Value<'a>, claim: &Claim) -> Option<Cow<'a, str>> {
    match (value, claim.form) {
        (Value::Number(digits), Form::Number) => canonical(claim, digits.into()),
        (Value::Text(text), form) if form != Form::Number => canonical(claim, text),
        _ => None,
    }
}

/// A value in the one form in which it is compared; `None` when it has another than the issuer gives it
pub fn canonical<'a>(claim: &Claim, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
    let bytes = text.as_bytes();
    let fits = match claim.form {
        Form::Text => !bytes.is_empty() || !claim.is(REQUIRED),
        Form::Flag => matches!(bytes, b"true" | b"false"),
        Form::Digits | Form::Number => {
            bytes.len() <= 20 && bytes.iter().all(u8::is_ascii_digit) && matches!(bytes, [b'0'] | [b'1'..=b'9', ..])
        }
        Form::Uuid => {
            let inner = match bytes {
                [b'{', inner @ .., b'}'] => inner,
                bytes => bytes,
            };
            return Guid::parse(inner).map(|uuid| uuid.to_string().into());
        }
    };
    (fits && bytes.len() <= limits::JOB_CLAIM_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{super::kinds::KINDS, *};

    fn read<'a>(text: &'a str, kind: usize) -> Result<JobClaims<'a>, JsonError> {
        JobClaims::read(text.as_bytes(), &KINDS[kind])
    }

    #[test]
    fn each_form_is_read_as_the_issuer_writes_it_and_in_no_other_way() {
        for (kind, name, good, canonical) in [
            (0, "project_id", r#""42""#, "42"),
            (0, "project_id", r#""\u0034\u0032""#, "42"),
            (0, "project_id", r#""0""#, "0"),
            (0, "ref_protected", r#""true""#, "true"),
            (0, "ref", r#""feature/ä""#, "feature/ä"),
            (0, "runner_id", "7", "7"),
            (
                1,
                "repositoryUuid",
                r#""{AAAAAAAA-0000-0000-0000-000000000001}""#,
                "aaaaaaaa-0000-0000-0000-000000000001",
            ),
            (1, "stepUuid", r#""aaaaaaaa-0000-0000-0000-000000000001""#, "aaaaaaaa-0000-0000-0000-000000000001"),
            (2, "repo_property_team", r#""a,b""#, "a,b"),
            (2, "base_ref", r#""""#, ""),
        ] {
            let text = format!(r#"{{"{name}":{good}}}"#);
            assert_eq!(read(&text, kind).unwrap().get(name), Some(canonical), "{text}");
        }
        for (kind, name, bad) in [
            (0, "project_id", "42"),
            (0, "project_id", r#""42 ""#),
            (0, "project_id", r#"" 42""#),
            (0, "project_id", r#""042""#),
            (0, "project_id", r#""4.2""#),
            (0, "project_id", r#""-4""#),
            (0, "project_id", r#""٤""#),
            (0, "project_id", r#""""#),
            (0, "project_id", "null"),
            (0, "project_id", r#"["42"]"#),
            (0, "project_id", "{}"),
            (0, "project_id", r#""123456789012345678901""#),
            (0, "ref_protected", "true"),
            (0, "ref_protected", r#""True""#),
            (0, "ref_protected", r#""1""#),
            (0, "ref_protected", r#""true ""#),
            (0, "ref", r#""""#),
            (0, "runner_id", r#""7""#),
            (0, "runner_id", "1.9"),
            (0, "runner_id", "1.0"),
            (0, "runner_id", "1e0"),
            (0, "runner_id", "-1"),
            (0, "environment", "[]"),
            (0, "environment", "7"),
            (1, "repositoryUuid", r#""{aaaaaaaa-0000-0000-0000-000000000001""#),
            (1, "repositoryUuid", r#""{{aaaaaaaa-0000-0000-0000-000000000001}}""#),
            (1, "repositoryUuid", r#""aaaaaaaa000000000000000000000001""#),
            (2, "repository_id", "42"),
            (2, "repo_property_team", "true"),
        ] {
            let text = format!(r#"{{"{name}":{bad}}}"#);
            assert!(matches!(read(&text, kind).err(), Some(JsonError::Invalid(_))), "{text}");
        }
        let long = format!(r#"{{"environment":"{}"}}"#, "x".repeat(limits::JOB_CLAIM_BYTES + 1));
        assert!(matches!(read(&long, 0).err(), Some(JsonError::Invalid("environment"))));
    }

    #[test]
    fn null_is_an_absence_where_absence_is_allowed() {
        let claims = read(r#"{"environment":null,"runner_id":null,"project_id":"1"}"#, 0).unwrap();
        assert_eq!((claims.get("environment"), claims.get("runner_id")), (None, None));
        assert_eq!(claims.missing(&KINDS[0]), Some("namespace_id"));
    }

    #[test]
    fn a_known_claim_stands_there_in_one_letter_case() {
        for text in
            [r#"{"ref":"main","REF":"x"}"#, r#"{"Ref":"main","ref":"x"}"#, r#"{"environment":"a","Environment":null}"#]
        {
            assert_eq!(read(text, 0).err(), Some(JsonError::Duplicate), "{text}");
        }
        assert_eq!(read(r#"{"REF":"main"}"#, 0).unwrap().get("ref"), None);
        assert_eq!(
            read(r#"{"repositoryuuid":"x","repositoryUuid":null}"#, 1).err(),
            Some(JsonError::Invalid("repositoryUuid"))
        );
    }
}
