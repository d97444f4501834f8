//! A principal from its record: what a sign-in established, kept as JSON text by the host

use super::{Actor, Assurance, GroupState, Groups, Guid, Job, Principal, PrincipalKind};
use crate::{
    error::ConfigError,
    json::{self, At, Value, owned_text},
    time::Timestamp,
};

impl Principal {
    /// From the text that serialising a principal gives; strict, as a record may have been written by anybody with access
    /// to the database
    ///
    /// # Errors
    /// The first mistake with its place.
    pub fn parse(record: &str) -> Result<Self, ConfigError> {
        let document = json::value(record).map_err(|mistake| ConfigError::new("record", mistake))?;
        let at = At::root(&document, "record");
        at.members(&[
            "kind",
            "issuer",
            "tenantId",
            "objectId",
            "clientId",
            "actor",
            "groups",
            "roles",
            "name",
            "assurance",
            "pipeline",
            "issuedAt",
            "expiresAt",
        ])?;
        let kind = one_of(&at.needed("kind")?, &PrincipalKind::ALL, PrincipalKind::as_str)?;
        // What is kept elsewhere comes last: a mistake then has nothing to give back, which is most of the code otherwise.
        let issuer = at.needed_text("issuer")?;
        let tenant_id = Guid::read(&at.needed("tenantId")?)?;
        let object_id = Guid::read(&at.needed("objectId")?)?;
        let client_id = unless_null(&at, "clientId").map(|at| Guid::read(&at)).transpose()?;
        let actor = unless_null(&at, "actor").map(|at| actor(&at)).transpose()?;
        let name = at.optional_text("name")?;
        let issued_at = Timestamp::from_seconds(at.some("issuedAt", &|at| at.number())?.unwrap_or(0));
        let expires_at = Timestamp::from_seconds(at.needed("expiresAt")?.number()?);
        let groups = groups(&at.needed("groups")?)?;
        let roles = at.needed("roles")?.all(&owned_text)?;
        let assurance = at.some("assurance", &assurance)?.unwrap_or_default();
        let job = at.some("pipeline", &Job::read)?;
        if job.is_some() != (kind == PrincipalKind::Pipeline) {
            return Err(at.mistake("`pipeline` stands there for pipelines, and for nobody else"));
        }
        Ok(Self {
            kind,
            issuer: issuer.into(),
            tenant_id,
            object_id,
            client_id,
            actor,
            groups,
            roles,
            name: name.map(ToOwned::to_owned),
            assurance,
            job: job.map(Box::new),
            issued_at,
            expires_at,
        })
    }
}

fn unless_null<'a>(at: &'a At<'_>, name: &str) -> Option<At<'a>> {
    at.member(name).filter(|member| *member.value() != Value::Null)
}

fn one_of<T: Copy, const N: usize>(at: &At<'_>, all: &[T; N], word: fn(T) -> &'static str) -> Result<T, ConfigError> {
    let number = at.word(&all.map(word))?;
    all.get(number).copied().ok_or_else(|| at.mistake("out of range"))
}

fn actor(at: &At<'_>) -> Result<Actor, ConfigError> {
    at.members(&["clientId", "autonomous"])?;
    Ok(Actor {
        client_id: Guid::read(&at.needed("clientId")?)?,
        autonomous: at.some("autonomous", &|at| at.boolean())?.unwrap_or(false),
    })
}

fn groups(at: &At<'_>) -> Result<Groups, ConfigError> {
    at.members(&["state", "ids"])?;
    let state = one_of(&at.needed("state")?, &GroupState::ALL, GroupState::as_str)?;
    let ids = at.needed("ids")?.all(&Guid::read)?;
    match state {
        GroupState::Known => Ok(Groups::known(ids)),
        // Ids beside "not known" would be membership that nobody vouches for.
        _ if !ids.is_empty() => Err(at.mistake("ids beside a state that has none")),
        GroupState::Unknown => Ok(Groups::unknown()),
        GroupState::None => Ok(Groups::none()),
    }
}

fn assurance(at: &At<'_>) -> Result<Assurance, ConfigError> {
    at.members(&["authContexts", "mfa", "signedInAt"])?;
    let signed_in_at = unless_null(at, "signedInAt").map(|at| at.number()).transpose()?;
    Ok(Assurance::new(
        at.list("authContexts", &owned_text)?,
        at.some("mfa", &|at| at.boolean())?.unwrap_or(false),
        signed_in_at.map(Timestamp::from_seconds),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{
        "kind": "agent", "issuer": "entra-v2:x",
        "tenantId": "00000000-0000-0000-0000-000000000001", "objectId": "00000000-0000-0000-0000-000000000002",
        "clientId": null, "actor": {"clientId": "00000000-0000-0000-0000-000000000003", "autonomous": true},
        "groups": {"state": "known", "ids": ["00000000-0000-0000-0000-000000000004"]},
        "roles": ["Admin"], "name": "Ada", "assurance": {"authContexts": ["c1"], "mfa": true, "signedInAt": 7},
        "issuedAt": 1699990000, "expiresAt": 1700000000
    }"#;

    #[test]
    fn a_record_reads_back_what_was_written() {
        let principal = Principal::parse(RECORD).unwrap();
        assert_eq!(Principal::parse(&serde_json::to_string(&principal).unwrap()), Ok(principal.clone()));
        assert_eq!(principal.kind, PrincipalKind::Agent);
        assert_eq!(principal.assurance.signed_in_at(), Some(Timestamp::from_seconds(7)));
        assert_eq!(principal.groups.ids().len(), 1);
        assert_eq!(principal.issued_at, Timestamp::from_seconds(1_699_990_000));
        // One of before the time was kept is older than anything.
        let older = Principal::parse(&RECORD.replace(r#""issuedAt": 1699990000,"#, "")).unwrap();
        assert_eq!(older.issued_at, Timestamp::default());
        assert!(!serde_json::to_string(&older).unwrap().contains("issuedAt"));
    }

    #[test]
    fn what_nobody_wrote_like_that_is_refused() {
        for (change, to, says) in [
            (r#""kind": "agent""#, r#""kind": "root""#, "record.kind: unknown variant `root`"),
            (r#""kind""#, r#""kinds""#, "record.kinds: unknown field `kinds`"),
            (r#""state": "known""#, r#""state": "unknown""#, "record.groups: ids beside a state that has none"),
            (r#""state": "known""#, r#""state": "none""#, "record.groups: ids beside a state that has none"),
            (
                r#""00000000-0000-0000-0000-000000000004""#,
                r#""payments""#,
                "record.groups.ids[0]: `payments` is not a GUID",
            ),
            (r#"["Admin"]"#, "null", "record.roles: invalid type: null"),
            ("1700000000", "-1", "record.expiresAt: invalid value"),
            (r#""autonomous": true"#, r#""autonomous": 1"#, "record.actor.autonomous: invalid type"),
            (
                r#""groups": {"state": "known", "ids": ["00000000-0000-0000-0000-000000000004"]},"#,
                "",
                "record: missing field `groups`",
            ),
        ] {
            let text = RECORD.replace(change, to);
            assert_ne!(text, RECORD, "{change}");
            let message = Principal::parse(&text).unwrap_err().to_string();
            assert!(message.starts_with(says), "{message}\n  should start with {says}");
        }
    }
}
