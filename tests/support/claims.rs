//! Claims sets as text: the standard callers, and changes to them

use super::NOW;

/// The tenant that is trusted
pub const TENANT: &str = "1a1a1a1a-2222-3333-4444-5555555555ff";
/// A tenant that is not
pub const FOREIGN: &str = "99999999-8888-7777-6666-555555555555";
/// Microsoft's tenant of personal accounts
pub const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// Our application: the audience
pub const API: &str = "aaaaaaaa-0000-0000-0000-00000000000a";
/// The application through which people come
pub const PORTAL: &str = "aaaaaaaa-0000-0000-0000-00000000000b";
/// The application that may come by itself
pub const DAEMON: &str = "aaaaaaaa-0000-0000-0000-00000000000d";
/// A person
pub const PERSON: &str = "bbbbbbbb-0000-0000-0000-000000000001";
/// A service principal
pub const SERVICE: &str = "bbbbbbbb-0000-0000-0000-000000000002";
/// Groups
pub const GROUPS: [&str; 2] = ["cccccccc-0000-0000-0000-000000000001", "cccccccc-0000-0000-0000-000000000002"];

/// A claims set: names and raw JSON values in order, so that anything can be written twice, badly or not at all
#[derive(Debug, Clone)]
pub struct Claims(Vec<(String, String)>);

impl Claims {
    /// Nothing
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// With `name` set to a raw JSON value, replacing an earlier one in its place
    pub fn with(mut self, name: &str, json: impl Into<String>) -> Self {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, value)) => *value = json.into(),
            None => self.0.push((name.into(), json.into())),
        }
        self
    }

    /// With `name` set to a JSON string that needs no escaping
    pub fn with_text(self, name: &str, text: &str) -> Self {
        self.with(name, format!("\"{text}\""))
    }

    /// Without `name`
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(other, _)| other != name);
        self
    }

    /// With one more member at the end, even if there is one already; `name` goes between quotes as it is
    pub fn and(mut self, name: &str, json: impl Into<String>) -> Self {
        self.0.push((name.into(), json.into()));
        self
    }

    /// With one more member at the start
    pub fn after(mut self, name: &str, json: impl Into<String>) -> Self {
        self.0.insert(0, (name.into(), json.into()));
        self
    }

    /// As JSON text
    pub fn text(&self) -> String {
        let members: Vec<_> = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// The v2.0 issuer of a tenant in the global cloud
pub fn v2_issuer(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

/// The v1.0 issuer of a tenant in the global cloud
pub fn v1_issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

fn common() -> Claims {
    Claims::none()
        .with_text("aud", API)
        .with_text("iss", &v2_issuer(TENANT))
        .with("iat", (NOW - 60).to_string())
        .with("nbf", (NOW - 60).to_string())
        .with("exp", (NOW + 3600).to_string())
}

/// An access token for a person (v2.0), with groups
pub fn user_v2() -> Claims {
    common()
        .with_text("aio", "AVQAq/8TAAAA")
        .with_text("azp", PORTAL)
        .with_text("azpacr", "1")
        .with("groups", format!("[\"{}\"]", GROUPS.join("\",\"")))
        .with_text("name", "Ada Example")
        .with_text("oid", PERSON)
        .with_text("preferred_username", "ada@example.com")
        .with_text("rh", "0.AAAA")
        .with("roles", "[\"Backstage.Admin\"]")
        .with_text("scp", "access_as_user")
        .with_text("sub", "pairwise-and-not-the-oid")
        .with_text("tid", TENANT)
        .with_text("uti", "AbCdEf")
        .with_text("ver", "2.0")
}

/// The same as a v1.0 token
pub fn user_v1() -> Claims {
    user_v2()
        .without("azp")
        .without("azpacr")
        .with_text("iss", &v1_issuer(TENANT))
        .with_text("ver", "1.0")
        .with_text("aud", "api://backstage")
        .with_text("appid", PORTAL)
        .with_text("appidacr", "1")
        .with("amr", "[\"pwd\",\"mfa\"]")
}

/// An access token of an application for itself (v2.0)
pub fn app_v2() -> Claims {
    common()
        .with_text("azp", DAEMON)
        .with_text("azpacr", "2")
        .with_text("idtyp", "app")
        .with_text("oid", SERVICE)
        .with("roles", "[\"Catalog.Refresh\"]")
        .with_text("sub", SERVICE)
        .with_text("tid", TENANT)
        .with_text("ver", "2.0")
}

/// An AI agent acting for the person
pub fn agent_v2() -> Claims {
    user_v2().with_text("idtyp", "user").with_text("xms_act_fct", "11 9")
}

/// An ID token of the person (v2.0)
pub fn id_token_v2() -> Claims {
    common()
        .with_text("name", "Ada Example")
        .with_text("nonce", "n-0S6_WzA2Mj")
        .with_text("oid", PERSON)
        .with_text("sub", "pairwise-and-not-the-oid")
        .with_text("tid", TENANT)
        .with_text("ver", "2.0")
}
