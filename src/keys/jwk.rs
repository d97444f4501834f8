//! One JSON Web Key (RFC 7517): parsed into a key that can only be right, or refused with a reason

use super::algorithm::{self, Algorithm, KeyType};
use crate::{
    base64url,
    error::ConfigError,
    json::{At, Value},
    limits,
};

/// Curves with an algorithm in the table
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
}

impl Curve {
    /// The name in a JWK's `crv`
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Length of a coordinate in bytes
    pub const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// The public numbers, as unsigned big-endian bytes without leading zeros (RSA) or of the curve's length (EC)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// Modulus and exponent
    Rsa {
        /// `n`
        modulus: Vec<u8>,
        /// `e`
        exponent: Vec<u8>,
    },
    /// A point; that it lies on the curve is checked by the verifier that imports it
    Ec {
        /// `crv`
        curve: Curve,
        /// `x`
        x: Vec<u8>,
        /// `y`
        y: Vec<u8>,
    },
}

/// A verification key, for exactly one algorithm
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The one algorithm it may verify (RFC 8725 section 3.1)
    pub algorithm: &'static Algorithm,
    /// The numbers
    pub material: KeyMaterial,
}

impl PublicKey {
    /// Length of every signature that this key can have made, in bytes
    pub fn signature_bytes(&self) -> usize {
        match &self.material {
            KeyMaterial::Rsa { modulus, .. } => modulus.len(),
            KeyMaterial::Ec { curve, .. } => curve.coordinate_bytes().saturating_mul(2),
        }
    }
}

/// The members of a JWK that matter; the rest (`x5t`, `x5c`, ...) is ignored
#[derive(Debug, Clone, Copy)]
pub struct Jwk<'a> {
    kty: Option<&'a str>,
    /// Key id
    pub kid: Option<&'a str>,
    purpose: Option<&'a str>,
    /// Whether `key_ops` is absent or has `verify` in it
    may_verify: bool,
    alg: Option<&'a str>,
    n: Option<&'a str>,
    e: Option<&'a str>,
    crv: Option<&'a str>,
    x: Option<&'a str>,
    y: Option<&'a str>,
    /// Microsoft's own member: whose tokens the key signs, often with `{tenantid}`
    pub issuer: Option<&'a str>,
    /// Microsoft's own member: the cloud the key belongs to
    pub cloud_instance_name: Option<&'a str>,
    secret: bool,
}

/// Private and symmetric key material (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1)
const SECRET: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl<'a> Jwk<'a> {
    /// Reads a key as it is published
    ///
    /// # Errors
    /// It is no mapping, or a member that matters has another type.
    pub fn read(at: &At<'a>) -> Result<Self, ConfigError> {
        at.mapping()?;
        let text = |name| at.optional_text(name);
        let is_there = |name: &&str| at.member(name).is_some_and(|member| *member.value() != Value::Null);
        Ok(Self {
            kty: text("kty")?,
            kid: text("kid")?,
            purpose: text("use")?,
            may_verify: may_verify(at)?,
            alg: text("alg")?,
            n: text("n")?,
            e: text("e")?,
            crv: text("crv")?,
            x: text("x")?,
            y: text("y")?,
            issuer: text("issuer")?,
            cloud_instance_name: text("cloud_instance_name")?,
            secret: SECRET.iter().any(is_there),
        })
    }

    /// Whether it holds private or symmetric key material
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// The verification key, or why it is none; `allowed` are the algorithms of the issuer profile, the first that fits
    /// the key is taken when the key names none (Entra's keys don't)
    pub fn to_key(self, allowed: &[&'static Algorithm]) -> Result<PublicKey, &'static str> {
        if self.purpose.is_some_and(|purpose| purpose != "sig") {
            return Err("`use` is not `sig`");
        }
        if !self.may_verify {
            return Err("`key_ops` does not include `verify`");
        }
        let material = self.material()?;
        let fits = |algorithm: &Algorithm| match (&material, algorithm.key) {
            (KeyMaterial::Rsa { .. }, KeyType::Rsa) => true,
            (KeyMaterial::Ec { curve, .. }, KeyType::Ec(needed)) => *curve == needed,
            _ => false,
        };
        let algorithm = match self.alg {
            Some(name) => allowed
                .iter()
                .find(|algorithm| algorithm.name == name)
                .ok_or("`alg` is not one that this issuer may use")?,
            None => {
                allowed.iter().find(|algorithm| fits(algorithm)).ok_or("no algorithm of this issuer fits the key")?
            }
        };
        if !fits(algorithm) {
            return Err("`alg` does not fit the key");
        }
        Ok(PublicKey { algorithm, material })
    }

    fn material(self) -> Result<KeyMaterial, &'static str> {
        match self.kty {
            Some("RSA") => {
                let modulus = number(self.n).ok_or("`n` is not a base64url number")?;
                let exponent = number(self.e).ok_or("`e` is not a base64url number")?;
                check_rsa(&modulus, &exponent)?;
                Ok(KeyMaterial::Rsa { modulus, exponent })
            }
            Some("EC") => {
                let curve = match self.crv {
                    Some("P-256") => Curve::P256,
                    Some("P-384") => Curve::P384,
                    _ => return Err("`crv` is not supported"),
                };
                let x = coordinate(self.x, curve).ok_or("`x` does not have the curve's length")?;
                let y = coordinate(self.y, curve).ok_or("`y` does not have the curve's length")?;
                Ok(KeyMaterial::Ec { curve, x, y })
            }
            _ => Err("`kty` is not supported"),
        }
    }
}

fn may_verify(at: &At<'_>) -> Result<bool, ConfigError> {
    let Some(operations) = at.member("key_ops").filter(|member| *member.value() != Value::Null) else {
        return Ok(true);
    };
    let mut found = false;
    for operation in operations.elements()? {
        found |= operation.text("a string")? == "verify";
    }
    Ok(found)
}

fn number(text: Option<&str>) -> Option<Vec<u8>> {
    let bytes = base64url::decode(text?.as_bytes())?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).filter(|rest| !rest.is_empty()).map(<[u8]>::to_vec)
}

fn coordinate(text: Option<&str>, curve: Curve) -> Option<Vec<u8>> {
    base64url::decode(text?.as_bytes()).filter(|bytes| bytes.len() == curve.coordinate_bytes())
}

fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), &'static str> {
    let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else {
        return Err("`n` is empty");
    };
    let bits = modulus.len().saturating_mul(8).saturating_sub(usize::try_from(first.leading_zeros()).unwrap_or(8));
    if bits < limits::RSA_MODULUS_BITS_MIN {
        return Err("the RSA key is shorter than 2048 bits");
    }
    if bits > limits::RSA_MODULUS_BITS_MAX {
        return Err("the RSA key is longer than 4096 bits");
    }
    if last & 1 == 0 {
        return Err("`n` is even");
    }
    match exponent {
        [1] | [2] => Err("`e` must be odd and greater than 2"),
        // Longer exponents only slow verification down; OpenSSL refuses them for large moduli as well.
        [.., last] if exponent.len() <= 4 && last & 1 == 1 => Ok(()),
        [.., last] if last & 1 == 0 => Err("`e` must be odd and greater than 2"),
        _ => Err("`e` is longer than 32 bits"),
    }
}

/// The algorithms with these names, in this order
pub fn algorithms(names: &[&str]) -> Vec<&'static Algorithm> {
    names.iter().filter_map(|name| algorithm::by_name(name.as_bytes())).collect()
}
