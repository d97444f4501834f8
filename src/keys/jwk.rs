//! One JSON Web Key (RFC 7517): parsed into a key that can only be right, or refused with a reason

use serde::Deserialize;

use super::algorithm::{self, Algorithm, KeyType};
use crate::{base64url, limits};

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
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Jwk {
    kty: Option<String>,
    /// Key id
    pub kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// Microsoft's own member: whose tokens the key signs, often with `{tenantid}`
    pub issuer: Option<String>,
    /// Microsoft's own member: the cloud the key belongs to
    pub cloud_instance_name: Option<String>,
    d: Option<serde::de::IgnoredAny>,
    p: Option<serde::de::IgnoredAny>,
    q: Option<serde::de::IgnoredAny>,
    dp: Option<serde::de::IgnoredAny>,
    dq: Option<serde::de::IgnoredAny>,
    qi: Option<serde::de::IgnoredAny>,
    oth: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

impl Jwk {
    /// Whether it holds private or symmetric key material (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1)
    pub fn is_secret(&self) -> bool {
        [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi, &self.oth, &self.k].into_iter().any(Option::is_some)
    }

    /// The verification key, or why it is none; `allowed` are the algorithms of the issuer profile, the first that fits
    /// the key is taken when the key names none (Entra's keys don't)
    pub fn into_key(self, allowed: &[&'static Algorithm]) -> Result<PublicKey, &'static str> {
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err("`use` is not `sig`");
        }
        if self.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|op| op == "verify")) {
            return Err("`key_ops` does not include `verify`");
        }
        let material = self.material()?;
        let fits = |algorithm: &Algorithm| match (&material, algorithm.key) {
            (KeyMaterial::Rsa { .. }, KeyType::Rsa) => true,
            (KeyMaterial::Ec { curve, .. }, KeyType::Ec(needed)) => *curve == needed,
            _ => false,
        };
        let algorithm = match &self.alg {
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

    fn material(&self) -> Result<KeyMaterial, &'static str> {
        match self.kty.as_deref() {
            Some("RSA") => {
                let modulus = number(self.n.as_deref()).ok_or("`n` is not a base64url number")?;
                let exponent = number(self.e.as_deref()).ok_or("`e` is not a base64url number")?;
                check_rsa(&modulus, &exponent)?;
                Ok(KeyMaterial::Rsa { modulus, exponent })
            }
            Some("EC") => {
                let curve = match self.crv.as_deref() {
                    Some("P-256") => Curve::P256,
                    Some("P-384") => Curve::P384,
                    _ => return Err("`crv` is not supported"),
                };
                let x = coordinate(self.x.as_deref(), curve).ok_or("`x` does not have the curve's length")?;
                let y = coordinate(self.y.as_deref(), curve).ok_or("`y` does not have the curve's length")?;
                Ok(KeyMaterial::Ec { curve, x, y })
            }
            _ => Err("`kty` is not supported"),
        }
    }
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
