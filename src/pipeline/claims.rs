//! What a token says of its job: the known claims as text, of exactly the form that the issuer gives them

use std::borrow::Cow;

use super::kinds::{Claim, Form, PipelineKind, RECORDED, REQUIRED};
use crate::{
    identity::Guid,
    json::{JsonError, Reader},
    limits,
};

/// The known claims of one token
#[derive(Debug, Default)]
pub struct JobClaims<'a> {
    all: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> JobClaims<'a> {
    /// Reads a claims set that is known to be JSON in UTF-8
    ///
    /// A known claim stands there in one letter case only, as its value must not depend on who reads it.
    ///
    /// # Errors
    /// A known claim has another type or form. Null is an absence, unless the claim is required.
    pub fn read(text: &'a [u8], kind: &'static PipelineKind) -> Result<Self, JsonError> {
        let mut claims = Self::default();
        let mut misspelt: Vec<&'static str> = Vec::new();
        Reader::read_utf8_object(text, |reader, name| {
            let name = name.text();
            match kind.claim(&name) {
                Some(claim) => {
                    if let Some(value) = value(reader, claim)? {
                        claims.all.push((name, value));
                    }
                    Ok(())
                }
                None => {
                    let folded = kind.claims.iter().find(|claim| claim.name.eq_ignore_ascii_case(&name));
                    misspelt.extend(folded.map(|claim| claim.name));
                    reader.skip()
                }
            }
        })?;
        match misspelt.iter().any(|name| claims.get(name).is_some()) {
            true => Err(JsonError::Duplicate),
            false => Ok(claims),
        }
    }

    /// The value of a claim, unless it is absent
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// The first required claim that is absent
    pub fn missing(&self, kind: &PipelineKind) -> Option<&'static str> {
        let required = kind.claims.iter().filter(|claim| claim.is(REQUIRED));
        required.map(|claim| claim.name).find(|name| self.get(name).is_none())
    }

    /// What is kept for the audit, in the order of the table
    pub fn recorded(&self, kind: &PipelineKind) -> Vec<(Box<str>, Box<str>)> {
        let recorded = kind.claims.iter().filter(|claim| claim.is(RECORDED));
        self.named(&mut recorded.map(|claim| claim.name))
    }

    /// Those of these claims that are there
    pub fn named(&self, names: &mut dyn Iterator<Item = &str>) -> Vec<(Box<str>, Box<str>)> {
        names.filter_map(|name| Some((name.into(), self.get(name)?.into()))).collect()
    }
}

/// The value as text; nothing where null stands for an absence
fn value<'a>(reader: &mut Reader<'a>, claim: &'static Claim) -> Result<Option<Cow<'a, str>>, JsonError> {
    let invalid = JsonError::Invalid(claim.name);
    let text = match (reader.kind(), claim.form) {
        (Some(b'n'), _) if !claim.is(REQUIRED) => return reader.skip().map(|()| None),
        (Some(b'0'..=b'9' | b'-'), Form::Number) => String::from_utf8_lossy(reader.number()?),
        (Some(b'"'), form) if form != Form::Number => reader.string()?.text(),
        _ => return Err(invalid),
    };
    canonical(claim, text).map(Some).ok_or(invalid)
}

/// A value in the one form in which it is compared; `None` when it has another than the issuer gives it
pub fn canonical<'a>(claim: &Claim, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
    let fits = match claim.form {
        Form::Text => !text.is_empty() || !claim.is(REQUIRED),
        Form::Flag => text == "true" || text == "false",
        Form::Digits | Form::Number => {
            (1..=20).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && (text == "0" || !text.starts_with('0'))
        }
        Form::Uuid => {
            let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(&text);
            return Guid::parse(inner.as_bytes()).map(|uuid| uuid.to_string().into());
        }
    };
    (fits && text.len() <= limits::JOB_CLAIM_BYTES).then_some(text)
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
