//! The section `entraAccess.identity`: which entity stands for a principal in Backstage
//!
//! A ref names one principal, today and after every restart. So it is made of ids that never change, and where refs of two
//! principals could be the same, the configuration is refused.

use serde::Serialize;

use super::{document::ROOT, tenant::Tenant};
use crate::{
    error::ConfigError,
    identity::Guid,
    json::{At, owned_text},
    text::{replace, split_once},
};

/// Which entity stands for a principal
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Entity ref into which `{oid}` and `{tid}` are put, for whoever has no User entity
    pub entity_ref: String,
    /// Tenants whose people are looked up among the users of the catalog
    pub catalog_tenants: Vec<Guid>,
}

#[derive(Default)]
pub(super) struct IdentitySection {
    entity_ref: Option<String>,
    catalog_users: Option<bool>,
}

impl IdentitySection {
    pub(super) fn read(at: &At<'_>) -> Result<Self, ConfigError> {
        at.members(&["entityRef", "catalogUsers"])?;
        Ok(Self {
            entity_ref: at.some("entityRef", &owned_text)?,
            catalog_users: at.some("catalogUsers", &|at| at.boolean())?,
        })
    }
}

/// Begins the namespaces of agents, which must never be taken for the person they act for
const AGENTS: &str = "agent-";

/// Longest namespace and longest name of an entity (Backstage's `KubernetesValidatorFunctions`)
const PART_BYTES: usize = 63;

pub(super) fn identity(section: &IdentitySection, tenants: &[Tenant]) -> Result<Identity, ConfigError> {
    let several = tenants.len() > 1;
    let template = match section.entity_ref.as_deref() {
        Some(template) => template,
        None if several => "user:{tid}/{oid}",
        None => "user:default/{oid}",
    };
    if let Some((message, hint)) = mistake(template, several) {
        return Err(ConfigError::new(format!("{ROOT}.identity.entityRef"), message).hint(hint));
    }
    Ok(Identity { entity_ref: template.to_owned(), catalog_tenants: catalog_tenants(section, tenants)? })
}

fn catalog_tenants(section: &IdentitySection, tenants: &[Tenant]) -> Result<Vec<Guid>, ConfigError> {
    // With several tenants the catalog's users may come from any of them: the operator says from which.
    let unmarked = tenants.len() == 1;
    let wanted = section.catalog_users.unwrap_or(true);
    if let Some(at) = tenants.iter().position(|tenant| tenant.catalog_users == Some(true))
        && !wanted
    {
        let path = format!("{ROOT}.tenants[{at}].catalogUsers");
        return Err(ConfigError::new(path, "`identity.catalogUsers` is false, so nobody is looked up")
            .hint("remove one of the two"));
    }
    let looked_up = |tenant: &&Tenant| wanted && tenant.catalog_users.unwrap_or(unmarked);
    Ok(tenants.iter().filter(looked_up).map(|tenant| tenant.tenant_id).collect())
}

/// What is wrong with a template, and the fix
fn mistake(template: &str, several_tenants: bool) -> Option<(&'static str, &'static str)> {
    if split_once(template, "{oid}").is_none() {
        return Some(("`{oid}` is missing, so people would share one ref", "such as `user:default/{oid}`"));
    }
    if several_tenants && split_once(template, "{tid}").is_none() {
        return Some((
            "with several tenants `{tid}` is needed, so that no two refs are the same",
            "`user:{tid}/{oid}`",
        ));
    }
    let id = "0".repeat(Guid::TEXT_BYTES);
    let example = replace(&replace(template, "{oid}", &id), "{tid}", &id);
    let Some((namespace, name)) = example.strip_prefix("user:").and_then(|rest| rest.split_once('/')) else {
        return Some(("the ref must be of kind `user` with a namespace", "such as `user:default/{oid}`"));
    };
    if namespace.starts_with(AGENTS) {
        return Some(("namespaces that begin with `agent-` are those of agents", "choose another namespace"));
    }
    if !fits(namespace, b"-") || split_once(namespace, "--").is_some() || !fits(name, b"-_.") {
        return Some((
            "this makes no entity ref in lower case",
            "lower case letters, digits and single dashes, at most 63 characters on each side of `/`, and no placeholder \
             but `{oid}` and `{tid}`; with both, `user:{tid}/{oid}`",
        ));
    }
    None
}

/// Lower case letters and digits, with `between` anywhere but at the ends
fn fits(part: &str, between: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.len() <= PART_BYTES
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && bytes.iter().all(|byte| plain(byte) || between.contains(byte))
}

#[cfg(test)]
mod tests {
    use crate::config::Configuration;

    const HOME: &str = "11111111-2222-3333-4444-555555555555";
    const OTHER: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";

    fn configuration(identity: &str, tenants: &[(&str, &str)]) -> Result<super::Identity, String> {
        let tenants: Vec<_> = tenants
            .iter()
            .map(|(id, more)| format!(r#"{{"tenantId": "{id}", "audiences": ["api://backstage"]{more}}}"#))
            .collect();
        let text = format!(r#"{{"tenants": [{}], "policy": {{}}{identity}}}"#, tenants.join(","));
        Configuration::parse(&text).map(|found| found.identity).map_err(|error| error.to_string())
    }

    fn template(template: &str, tenants: &[(&str, &str)]) -> Result<String, String> {
        let identity = format!(r#", "identity": {{"entityRef": "{template}"}}"#);
        configuration(&identity, tenants).map(|identity| identity.entity_ref)
    }

    #[test]
    fn absent_refs_are_made_of_the_object_id_and_of_the_tenant_where_there_are_several() {
        assert_eq!(configuration("", &[(HOME, "")]).unwrap().entity_ref, "user:default/{oid}");
        assert_eq!(configuration("", &[(HOME, ""), (OTHER, "")]).unwrap().entity_ref, "user:{tid}/{oid}");
    }

    #[test]
    fn good_templates_are_kept_as_they_are() {
        for good in
            ["user:default/{oid}", "user:entra/u-{oid}", "user:{tid}/{oid}", "user:{oid}/x", "user:a-b/{oid}.e_x"]
        {
            assert_eq!(template(good, &[(HOME, "")]).as_deref(), Ok(good));
        }
    }

    #[test]
    fn every_mistake_in_a_template_is_named_with_its_fix() {
        let long = format!("user:default/{}{{oid}}", "a".repeat(28));
        for (wrong, says) in [
            ("user:default/everybody", "`{oid}` is missing"),
            ("", "`{oid}` is missing"),
            ("user:default/{OID}", "`{oid}` is missing"),
            ("group:default/{oid}", "the ref must be of kind `user`"),
            ("User:default/{oid}", "the ref must be of kind `user`"),
            ("default/{oid}", "the ref must be of kind `user`"),
            ("user:{oid}", "the ref must be of kind `user`"),
            ("user:agent-x/{oid}", "namespaces that begin with `agent-`"),
            ("user:agent-{oid}/{oid}", "namespaces that begin with `agent-`"),
            ("user:default/{oid}/{tid}", "this makes no entity ref"),
            ("user:default/U-{oid}", "this makes no entity ref"),
            ("user:Default/{oid}", "this makes no entity ref"),
            ("user:default/{oid}-{upn}", "this makes no entity ref"),
            ("user:default/{oid}@contoso", "this makes no entity ref"),
            ("user:default/{oid} ", "this makes no entity ref"),
            ("user:default/-{oid}", "this makes no entity ref"),
            ("user:default/{oid}.", "this makes no entity ref"),
            ("user:a--b/{oid}", "this makes no entity ref"),
            ("user:a_b/{oid}", "this makes no entity ref"),
            ("user:/{oid}", "this makes no entity ref"),
            ("user:default/{tid}-{oid}", "this makes no entity ref"),
            (&long, "this makes no entity ref"),
        ] {
            let message = template(wrong, &[(HOME, "")]).unwrap_err();
            let expected = format!("entraAccess.identity.entityRef: {says}");
            assert!(message.starts_with(&expected) && message.ends_with(')'), "{wrong}: {message}");
        }
        let message = template("user:default/{oid}", &[(HOME, ""), (OTHER, "")]).unwrap_err();
        assert!(message.contains("with several tenants `{tid}` is needed"), "{message}");
    }

    #[test]
    fn unknown_settings_are_refused() {
        let message = configuration(r#", "identity": {"entityref": "x"}"#, &[(HOME, "")]).unwrap_err();
        assert!(message.starts_with("entraAccess.identity.entityref: unknown field"), "{message}");
        let message = configuration(r#", "identity": {"catalogUsers": "yes"}"#, &[(HOME, "")]).unwrap_err();
        assert!(message.starts_with("entraAccess.identity.catalogUsers: invalid type"), "{message}");
    }

    #[test]
    fn people_are_looked_up_where_the_catalog_has_its_users_from() {
        const YES: &str = r#", "catalogUsers": true"#;
        const NO: &str = r#", "catalogUsers": false"#;
        const NOBODY: &str = r#", "identity": {"catalogUsers": false}"#;
        for (identity, tenants, expected) in [
            ("", vec![(HOME, "")], vec![HOME]),
            ("", vec![(HOME, NO)], vec![]),
            (NOBODY, vec![(HOME, "")], vec![]),
            ("", vec![(HOME, ""), (OTHER, "")], vec![]),
            ("", vec![(HOME, ""), (OTHER, YES)], vec![OTHER]),
            ("", vec![(HOME, YES), (OTHER, YES)], vec![HOME, OTHER]),
            (NOBODY, vec![(HOME, NO), (OTHER, "")], vec![]),
        ] {
            let found = configuration(identity, &tenants).unwrap().catalog_tenants;
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{identity} {tenants:?}");
        }
        let message = configuration(NOBODY, &[(HOME, ""), (OTHER, YES)]).unwrap_err();
        assert!(
            message.starts_with("entraAccess.tenants[1].catalogUsers: `identity.catalogUsers` is false"),
            "{message}"
        );
    }
}
