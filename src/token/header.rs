//! The JOSE header (RFC 7515 section 4): which key and algorithm, and what must not be there

use crate::{
    base64url,
    error::RejectionCode,
    json::{JsonError, Reader},
    keys::{Algorithm, algorithm},
    limits,
};

/// What the header says; a pure function of its bytes
#[derive(Debug, Clone)]
pub struct Header {
    /// One of the algorithms known here, never `none` and never symmetric
    pub algorithm: &'static Algorithm,
    /// Names the key within the issuer's key set
    pub kid: Box<[u8]>,
}

/// Why a header is refused
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The code
    pub code: RejectionCode,
    /// What was found
    pub found: &'static str,
    /// What to do about it, where there is more to say than for the code
    pub hint: Option<&'static str>,
}

#[derive(Default)]
struct Seen {
    algorithm: Option<&'static Algorithm>,
    kid: Option<Box<[u8]>>,
    encrypted: bool,
    critical: bool,
    own_key: bool,
    graph: bool,
    bad_type: bool,
    bad_algorithm: bool,
}

impl Header {
    /// Reads an encoded header
    pub fn parse(encoded: &[u8]) -> Result<Self, Refusal> {
        let refused = |code, found| Refusal { code, found, hint: None };
        let text = base64url::decode(encoded).ok_or(refused(RejectionCode::TokenMalformed, "not strict base64url"))?;
        let mut seen = Seen::default();
        Reader::read_object(&text, |reader, name| {
            match name.bytes().as_ref() {
                b"alg" => {
                    seen.algorithm = string(reader)?.and_then(|alg| algorithm::by_name(&alg));
                    seen.bad_algorithm = seen.algorithm.is_none();
                }
                b"kid" => seen.kid = string(reader)?,
                b"typ" => seen.bad_type = string(reader)?.is_none_or(|typ| !is_token_type(&typ)),
                b"enc" => seen.encrypted = skip(reader)?,
                b"crit" => seen.critical = skip(reader)?,
                // Keys come from the issuer's key set only (RFC 8725 section 3.10).
                b"jwk" | b"jku" | b"x5u" | b"x5c" => seen.own_key = skip(reader)?,
                // Tokens for Microsoft Graph carry a nonce here and are signed over another text.
                b"nonce" => seen.graph = skip(reader)?,
                b"zip" | b"cty" | b"b64" => return Err(JsonError::Malformed),
                _ => reader.skip()?,
            }
            Ok(())
        })
        .map_err(|error| refused(rejection(error), describe(error)))?;
        seen.judge()
    }
}

impl Seen {
    fn judge(self) -> Result<Header, Refusal> {
        let long_kid = self.kid.as_ref().is_some_and(|kid| kid.len() > limits::KID_BYTES);
        let refusals = [
            (self.encrypted, RejectionCode::TokenEncrypted, "a JWE (`enc`)"),
            (self.critical, RejectionCode::CriticalHeaderUnsupported, "an extension that must be understood (`crit`)"),
            (self.bad_algorithm, RejectionCode::AlgorithmNotAllowed, "an algorithm that is never accepted"),
            (self.own_key, RejectionCode::KeyUnusable, "a key of its own (`jwk`, `jku`, `x5u` or `x5c`)"),
            (self.graph, RejectionCode::TokenKindNotAllowed, GRAPH),
            (self.bad_type, RejectionCode::TokenKindNotAllowed, "another `typ` than JWT or at+jwt"),
            (self.algorithm.is_none(), RejectionCode::AlgorithmNotAllowed, "no `alg`"),
            (self.kid.is_none(), RejectionCode::KeyUnknown, "no `kid`"),
            (long_kid, RejectionCode::BudgetExceeded, "a `kid` longer than any real one"),
        ];
        if let Some((_, code, found)) = refusals.into_iter().find(|(found, ..)| *found) {
            let hint = (found == GRAPH).then_some(GRAPH_HINT);
            return Err(Refusal { code, found, hint });
        }
        match (self.algorithm, self.kid) {
            (Some(algorithm), Some(kid)) => Ok(Header { algorithm, kid }),
            _ => Err(Refusal { code: RejectionCode::TokenMalformed, found: "an incomplete header", hint: None }),
        }
    }
}

const GRAPH: &str = "a `nonce`: the mark of tokens for Microsoft Graph";
const GRAPH_HINT: &str = "tokens for Microsoft Graph are signed in a form that only Graph can check: request a token with the scope of this API";

/// What is wrong with a text that could not be read
pub fn describe(error: JsonError) -> &'static str {
    match error {
        JsonError::Malformed => "not strict JSON in UTF-8, or a member that is never accepted",
        JsonError::Duplicate => "a member that stands there twice, or a claim in two letter cases",
        JsonError::Budget => "more members or nesting than any real token has",
        JsonError::Invalid(_) => "a claim of another type or form",
    }
}

/// `JWT`, `at+jwt` or the same with `application/`, in any letter case (RFC 7515 section 4.1.9, RFC 9068 section 2.1)
fn is_token_type(typ: &[u8]) -> bool {
    let typ = match typ.split_at_checked(12) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(b"application/") => rest,
        _ => typ,
    };
    typ.eq_ignore_ascii_case(b"JWT") || typ.eq_ignore_ascii_case(b"at+jwt")
}

/// The value if it is a string; another type is read over and is no value
fn string(reader: &mut Reader<'_>) -> Result<Option<Box<[u8]>>, JsonError> {
    if reader.kind() == Some(b'"') {
        return Ok(Some(reader.string()?.bytes().into_owned().into()));
    }
    reader.skip().map(|()| None)
}

fn skip(reader: &mut Reader<'_>) -> Result<bool, JsonError> {
    reader.skip().map(|()| true)
}

/// The rejection for a text that could not be read
pub fn rejection(error: JsonError) -> RejectionCode {
    match error {
        JsonError::Malformed => RejectionCode::TokenMalformed,
        JsonError::Duplicate => RejectionCode::ClaimDuplicated,
        JsonError::Budget => RejectionCode::BudgetExceeded,
        JsonError::Invalid(_) => RejectionCode::ClaimInvalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> String {
        base64url::encode(text.as_bytes())
    }

    #[test]
    fn each_header_gets_its_code() {
        use RejectionCode::*;
        for (text, expected) in [
            (r#"{"alg":"RS256","kid":"k"}"#, None),
            (r#"{"alg":"RS256","kid":"k","typ":"JWT","x5t":"k"}"#, None),
            (r#"{"alg":"RS256","kid":"k","typ":"application/at+JWT"}"#, None),
            (r#"{"alg":"none","kid":"k"}"#, Some(AlgorithmNotAllowed)),
            (r#"{"alg":"nOnE","kid":"k"}"#, Some(AlgorithmNotAllowed)),
            (r#"{"alg":"HS256","kid":"k"}"#, Some(AlgorithmNotAllowed)),
            (r#"{"alg":"rs256","kid":"k"}"#, Some(AlgorithmNotAllowed)),
            (r#"{"alg":["RS256"],"kid":"k"}"#, Some(AlgorithmNotAllowed)),
            (r#"{"kid":"k"}"#, Some(AlgorithmNotAllowed)),
            (r#"{"alg":"RS256"}"#, Some(KeyUnknown)),
            (r#"{"alg":"RS256","kid":7}"#, Some(KeyUnknown)),
            (r#"{"alg":"RS256","kid":"k","crit":[]}"#, Some(CriticalHeaderUnsupported)),
            (r#"{"alg":"RS256","kid":"k","crit":["exp"],"exp":1}"#, Some(CriticalHeaderUnsupported)),
            (r#"{"alg":"RS256","kid":"k","jwk":{}}"#, Some(KeyUnusable)),
            (r#"{"alg":"RS256","kid":"k","jku":"https://evil.example"}"#, Some(KeyUnusable)),
            (r#"{"alg":"RS256","kid":"k","x5c":[]}"#, Some(KeyUnusable)),
            (r#"{"alg":"RS256","kid":"k","b64":false}"#, Some(TokenMalformed)),
            (r#"{"alg":"RS256","kid":"k","zip":"DEF"}"#, Some(TokenMalformed)),
            (r#"{"alg":"RS256","kid":"k","cty":"JWT"}"#, Some(TokenMalformed)),
            (r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"k"}"#, Some(TokenEncrypted)),
            (r#"{"alg":"RS256","kid":"k","nonce":"n"}"#, Some(TokenKindNotAllowed)),
            (r#"{"alg":"RS256","kid":"k","typ":"secevent+jwt"}"#, Some(TokenKindNotAllowed)),
            (r#"{"alg":"RS256","kid":"k","typ":1}"#, Some(TokenKindNotAllowed)),
            (r#"{"alg":"RS256","alg":"RS256","kid":"k"}"#, Some(ClaimDuplicated)),
            ("[]", Some(TokenMalformed)),
        ] {
            assert_eq!(Header::parse(encode(text).as_bytes()).err().map(|refusal| refusal.code), expected, "{text}");
        }
        let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(limits::KID_BYTES + 1));
        assert_eq!(Header::parse(encode(&long).as_bytes()).err().map(|refusal| refusal.code), Some(BudgetExceeded));
    }
}
