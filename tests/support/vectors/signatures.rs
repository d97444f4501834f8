//! Signatures: exact length, the right numbers, over exactly these bytes

use entra_access_core::base64url;

use super::{refuse, user};
use crate::support::{
    claims::user_v2,
    jws::{KID, header, parts, sign, token, token_of, with_signature},
    keys::{P256, P384, RSA_A, RSA_B, TestKey},
    scene::{Scene, Vector},
};

const INVALID: &str = "signature_invalid";

/// RS256
pub fn vectors() -> Vec<Vector> {
    let good = token(user_v2().text());
    let [h, p, s] = parts(&good);
    let other = token(user_v2().with_text("oid", "bbbbbbbb-0000-0000-0000-000000000009").text());
    let [_, other_payload, other_signature] = parts(&other);
    let header_changed = base64url::encode(br#"{"alg":"RS256","kid":"a"}"#);
    let bytes = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| refuse(name, INVALID, with_signature(&good, change));
    let mut all = vec![
        refuse("payload_exchanged", INVALID, format!("{h}.{other_payload}.{s}").into_bytes()),
        refuse("signature_exchanged", INVALID, format!("{h}.{p}.{other_signature}").into_bytes()),
        refuse("header_exchanged", INVALID, format!("{header_changed}.{p}.{s}").into_bytes()),
        refuse("header_and_payload_swapped", "algorithm_not_allowed", format!("{p}.{h}.{s}").into_bytes()),
        refuse("signed_by_another_key_of_ours", INVALID, token_of(&RSA_B, KID, user_v2().text())),
        bytes("one_byte_short", &|s| s[..255].into()),
        bytes("first_byte_missing", &|s| s[1..].into()),
        bytes("one_byte_long", &|mut s| {
            s.push(0);
            s
        }),
        bytes("leading_zero", &|s| [&[0], s.as_slice()].concat()),
        bytes("one_byte", &|s| s[..1].into()),
        bytes("twice", &|s| [s.as_slice(), s.as_slice()].concat()),
        bytes("all_zero", &|_| vec![0; 256]),
        bytes("the_number_one", &|_| [vec![0; 255], vec![1]].concat()),
        bytes("beyond_the_modulus", &|_| vec![0xff; 256]),
        bytes("the_modulus", &|_| RSA_A.number("n")),
        bytes("the_modulus_minus_one", &|_| {
            let mut n = RSA_A.number("n");
            *n.last_mut().unwrap() -= 1; // odd, so there is no borrow
            n
        }),
    ];
    for at in [0, 1, 100, 255] {
        all.push(bytes(&format!("bit_flipped_in_byte_{at}"), &|mut s| {
            s[at] ^= 0x10;
            s
        }));
    }
    // Not the token's text but its meaning stays the same: still another text than the signed one.
    let spaced = base64url::encode(user_v2().text().replace(",\"", ", \"").as_bytes());
    all.push(refuse("payload_reformatted", INVALID, format!("{h}.{spaced}.{s}").into_bytes()));
    all
}

/// With every algorithm of the table allowed, one key for each
pub fn scenes() -> Vec<Scene> {
    let keys = [
        RSA_A.jwk_with("rs256", "alg", "RS256".into()),
        RSA_A.jwk_with("rs384", "alg", "RS384".into()),
        RSA_A.jwk_with("rs512", "alg", "RS512".into()),
        RSA_A.jwk_with("ps256", "alg", "PS256".into()),
        RSA_A.jwk_with("ps384", "alg", "PS384".into()),
        RSA_A.jwk_with("ps512", "alg", "PS512".into()),
        P256.jwk("es256"),
        P384.jwk_with("es384", "alg", "ES384".into()),
        RSA_B.jwk("pinned"),
    ];
    let mut vectors = schemes();
    vectors.extend(ecdsa("es256", &P256, &P256_ORDER));
    vectors.extend(ecdsa("es384", &P384, &P384_ORDER));
    vec![
        Scene::with_keys("algorithms", &keys, vectors)
            .allowing(&["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"]),
    ]
}

fn schemes() -> Vec<Vector> {
    let mut all = Vec::new();
    let names = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    for of_key in names {
        let kid = of_key.to_lowercase();
        for of_token in names {
            let token = sign(header(of_token, &kid), user_v2().text(), &RSA_A, of_token);
            let name = format!("{of_token}_by_the_key_for_{of_key}");
            all.push(match of_key == of_token {
                true => user(name, token),
                // One key, one algorithm (RFC 8725 section 3.1), even where the signature would be right.
                false => refuse(name, "algorithm_not_allowed", token),
            });
        }
    }
    for (says, is) in [("RS256", "PS256"), ("PS256", "RS256"), ("PS256", "PS384"), ("RS512", "RS256")] {
        let token = sign(header(says, &says.to_lowercase()), user_v2().text(), &RSA_A, is);
        all.push(refuse(format!("says_{says}_is_{is}"), INVALID, token));
    }
    all.push(user("key_without_alg_takes_the_first_that_fits", token_of(&RSA_B, "pinned", user_v2().text())));
    all.push(refuse(
        "key_without_alg_takes_no_other",
        "algorithm_not_allowed",
        sign(header("PS256", "pinned"), user_v2().text(), &RSA_B, "PS256"),
    ));
    for (name, kid, key) in [
        ("es256_by_the_p384_kid", "es384", &P256),
        ("es384_by_the_p256_kid", "es256", &P384),
        ("es256_by_an_rsa_kid", "rs256", &P256),
        ("rs256_by_an_ec_kid", "es256", &RSA_A),
    ] {
        all.push(refuse(name, "algorithm_not_allowed", token_of(key, kid, user_v2().text())));
    }
    all
}

const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
const P384_ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
    0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// From the halves of a signature to other bytes
type Change<'a> = dyn Fn(&[u8], &[u8]) -> Vec<u8> + 'a;

fn ecdsa(kid: &str, key: &TestKey, order: &[u8]) -> Vec<Vector> {
    let good = token_of(key, kid, user_v2().text());
    let half = order.len();
    let zero = vec![0; half];
    let mut minus_one = order.to_vec();
    *minus_one.last_mut().unwrap() -= 1;
    let one = [vec![0; half - 1], vec![1]].concat();
    let named = |what: &str| format!("{kid}_{what}");
    let with = |change: &Change<'_>| {
        with_signature(&good, |signature| {
            let (r, s) = signature.split_at(half);
            change(r, s)
        })
    };
    let mut all = vec![
        user(named("good"), good.clone()),
        // Both values of `s` sign: nothing may treat a signature as the name of a token.
        user(named("other_value_of_s"), with(&|r, s| [r, &subtract(order, s)].concat())),
        refuse(named("der"), INVALID, with(&der)),
        refuse(named("short"), INVALID, with(&|r, s| [r, &s[1..]].concat())),
        refuse(named("long"), INVALID, with(&|r, s| [r, s, &[0]].concat())),
        refuse(named("padded_halves"), INVALID, with(&|r, s| [&[0], r, &[0], s].concat())),
        refuse(named("halves_swapped"), INVALID, with(&|r, s| [s, r].concat())),
        refuse(named("payload_changed"), INVALID, {
            let [h, _, s] = parts(&good);
            let payload = base64url::encode(user_v2().with("x", "1").text().as_bytes());
            format!("{h}.{payload}.{s}").into_bytes()
        }),
    ];
    // CVE-2022-21449 and its relatives: numbers that make the equation hold for every message and key.
    for (what, r, s) in [
        ("zero_zero", &zero, &zero),
        ("zero_one", &zero, &one),
        ("one_zero", &one, &zero),
        ("one_one", &one, &one),
        ("order_order", &order.to_vec(), &order.to_vec()),
        ("order_one", &order.to_vec(), &one),
        ("one_order", &one, &order.to_vec()),
        ("order_minus_one_twice", &minus_one, &minus_one),
        ("all_ones", &vec![0xff; half], &vec![0xff; half]),
    ] {
        all.push(refuse(named(what), INVALID, with(&|_, _| [r.as_slice(), s.as_slice()].concat())));
    }
    for (what, r_is_zero) in [("r_zero", true), ("s_zero", false)] {
        all.push(refuse(
            named(what),
            INVALID,
            with(&|r, s| {
                if r_is_zero { [&zero, s].concat() } else { [r, &zero].concat() }
            }),
        ));
    }
    all
}

/// `a - b` for big-endian numbers of one length, `a > b`
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let difference = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    digits.reverse();
    digits
}

/// The ASN.1 form in which most libraries write ECDSA signatures, and which a JWS never has
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let start = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut value = bytes[start..].to_vec();
        if value[0] >= 0x80 {
            value.insert(0, 0);
        }
        [vec![2, u8::try_from(value.len()).unwrap()], value].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
}
