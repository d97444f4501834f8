//! A configured engine with its keys, and the tokens put to it

use entra_access_core::{
    config::{Configuration, Profile},
    engine::Engine,
    identity::{Principal, PrincipalKind},
    keys::{SignatureVerifier, jwk::algorithms},
    token::Purpose,
};
use serde_json::{Value, json};

use super::{
    claims::{API, DAEMON, TENANT},
    jws::KID,
    keys::{RSA_A, RSA_B, jwks},
    now,
};

/// What a token must come to: the kind of the principal, or the stable text of the code
pub type Expected = Result<PrincipalKind, &'static str>;

/// A token with what must come of it
#[derive(Debug, Clone)]
pub struct Vector {
    /// Says what is special about the token
    pub name: String,
    /// The token as sent
    pub token: Vec<u8>,
    /// What it is offered as
    pub purpose: Purpose,
    /// What must come of it
    pub expected: Expected,
}

/// Configuration, keys and the tokens judged by them
pub struct Scene {
    /// Names it
    pub name: &'static str,
    /// The trusted issuers
    pub configuration: Configuration,
    /// Profile id and key set
    pub keys: Vec<(String, String)>,
    /// The tokens
    pub vectors: Vec<Vector>,
}

impl Scene {
    /// One tenant of the global cloud; v2.0 tokens are signed by key `a`, v1.0 tokens by key `b`
    pub fn standard(name: &'static str, vectors: Vec<Vector>) -> Self {
        Self {
            name,
            configuration: configuration(&json!([tenant(TENANT, "global")]), &json!({}), &json!({})),
            keys: vec![
                (format!("entra-v2:{TENANT}"), jwks(&[RSA_A.jwk(KID)])),
                (format!("entra-v1:{TENANT}"), jwks(&[RSA_B.jwk("b")])),
            ],
            vectors,
        }
    }

    /// The same with other keys for v2.0 tokens
    pub fn with_keys(name: &'static str, keys: &[Value], vectors: Vec<Vector>) -> Self {
        let mut scene = Self::standard(name, vectors);
        scene.keys[0].1 = jwks(keys);
        scene
    }

    /// The same with these algorithms allowed everywhere
    #[must_use]
    pub fn allowing(mut self, names: &[&str]) -> Self {
        for profile in &mut self.configuration.profiles {
            profile.algorithms = algorithms(names);
        }
        self
    }

    /// The engine with its keys
    pub fn engine<V: SignatureVerifier>(&self, verifier: V) -> Engine<V> {
        let mut engine = Engine::new(self.configuration.clone(), verifier, 0);
        for (id, text) in &self.keys {
            let at = profile(&self.configuration, id);
            engine.set_keys(at, text, now()).unwrap_or_else(|error| panic!("{}: {id}: {error}", self.name));
        }
        engine
    }
}

/// An issuer profile that allows these algorithms
pub fn profile_allowing(names: &[&str]) -> Profile {
    let mut scene = Scene::standard("profile", Vec::new()).allowing(names);
    scene.configuration.profiles.remove(0)
}

/// The number of the profile with this id
pub fn profile(configuration: &Configuration, id: &str) -> usize {
    configuration.profiles.iter().position(|profile| *profile.id == *id).unwrap_or_else(|| panic!("no profile {id}"))
}

/// A tenant entry of the configuration
pub fn tenant(id: &str, cloud: &str) -> Value {
    json!({ "tenantId": id, "cloud": cloud, "audiences": [API, "api://backstage"], "clients": [DAEMON] })
}

/// A configuration with these sections
pub fn configuration(tenants: &Value, clouds: &Value, groups: &Value) -> Configuration {
    let text = json!({ "tenants": tenants, "clouds": clouds, "groups": groups, "policy": {} }).to_string();
    Configuration::parse(&text).unwrap()
}

/// What the engine makes of a token: the principal, or the code
pub fn judge<V: SignatureVerifier>(
    engine: &mut Engine<V>,
    token: &[u8],
    purpose: Purpose,
) -> Result<Principal, &'static str> {
    let handle = engine.authenticate(token, purpose, now()).map_err(|rejection| rejection.code.as_str())?;
    let principal = engine.principal(handle, now()).unwrap().clone();
    engine.release(handle);
    Ok(principal)
}

/// Puts every vector of a scene to an engine; what differs from the expectation, one line each
pub fn differences<V: SignatureVerifier>(scene: &Scene, engine: &mut Engine<V>) -> Vec<String> {
    scene
        .vectors
        .iter()
        .filter_map(|vector| {
            let actual = judge(engine, &vector.token, vector.purpose).map(|principal| principal.kind);
            let line = || format!("{}/{}: expected {:?}, got {actual:?}", scene.name, vector.name, vector.expected);
            (actual != vector.expected).then(line)
        })
        .collect()
}
