//! The table of vectors: every attack and every legitimate form of a token, with what must come of it
//!
//! Sources: the attack catalogue (shared reference tokens.md section 5), the regressions of other verifiers (2.11), and
//! Microsoft.IdentityModel's own tests (2.2). One file for each area; names say what is special about the token.

pub mod audience;
pub mod budgets;
pub mod duplicates;
pub mod form;
pub mod header;
pub mod issuer;
pub mod key_problems;
pub mod kinds;
pub mod pipelines;
pub mod signatures;
pub mod times;

use entra_access_core::{identity::PrincipalKind, token::Purpose};

use super::{
    claims::Claims,
    jws,
    scene::{Scene, Vector},
};

/// Everything
pub fn scenes() -> Vec<Scene> {
    let mut scenes = vec![
        Scene::standard("form", form::vectors()),
        Scene::standard("header", header::vectors()),
        Scene::standard("issuer", issuer::vectors()),
        Scene::standard("audience", audience::vectors()),
        Scene::standard("times", times::vectors()),
        Scene::standard("kinds", kinds::vectors()),
        Scene::standard("duplicates", duplicates::vectors()),
        Scene::standard("budgets", budgets::vectors()),
        Scene::standard("signatures", signatures::vectors()),
    ];
    scenes.extend(issuer::scenes());
    scenes.extend(times::scenes());
    scenes.extend(kinds::scenes());
    scenes.extend(pipelines::scenes());
    scenes.extend(signatures::scenes());
    scenes.extend(key_problems::scenes());
    scenes
}

/// A token that must be accepted as a person's
pub fn user(name: impl Into<String>, token: Vec<u8>) -> Vector {
    accept(name, PrincipalKind::User, token)
}

/// A token that must be accepted
pub fn accept(name: impl Into<String>, kind: PrincipalKind, token: Vec<u8>) -> Vector {
    Vector { name: name.into(), token, purpose: Purpose::Access, expected: Ok(kind) }
}

/// A token that must be refused with this code
pub fn refuse(name: impl Into<String>, code: &'static str, token: Vec<u8>) -> Vector {
    Vector { name: name.into(), token, purpose: Purpose::Access, expected: Err(code) }
}

/// A token with these claims, signed as Entra would, that must be refused
pub fn refuse_claims(name: impl Into<String>, code: &'static str, claims: &Claims) -> Vector {
    refuse(name, code, jws::token(claims.text()))
}

/// A token with these claims, signed as Entra would, that must be accepted as a person's
pub fn accept_claims(name: impl Into<String>, claims: &Claims) -> Vector {
    user(name, jws::token(claims.text()))
}

impl Vector {
    /// The same token offered at sign-in
    #[must_use]
    pub fn at_sign_in(mut self) -> Self {
        self.purpose = Purpose::SignIn;
        self
    }
}
