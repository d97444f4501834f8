//! The compact form, base64url, UTF-8 and JSON: one way to write a token, and no other

use entra_access_core::base64url;

use super::{refuse, user};
use crate::support::{
    claims::user_v2,
    jws::{header, parts, sign, token},
    keys::RSA_A,
    scene::Vector,
};

/// The vectors
pub fn vectors() -> Vec<Vector> {
    let mut all = vec![user("as_entra_writes_it", token(user_v2().text()))];
    all.extend(compact_form());
    all.extend(characters());
    all.extend(encodings());
    all.extend(json_texts());
    all
}

fn compact_form() -> Vec<Vector> {
    let [h, p, s] = parts(&token(user_v2().text()));
    let jwe_header = base64url::encode(br#"{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT","zip":"DEF"}"#);
    let flattened = format!(r#"{{"protected":"{h}","payload":"{p}","signature":"{s}"}}"#);
    let general = format!(r#"{{"payload":"{p}","signatures":[{{"protected":"{h}","signature":"{s}"}}]}}"#);
    [
        ("empty", "token_malformed", String::new()),
        ("one_part", "token_malformed", h.clone()),
        ("two_parts", "token_malformed", format!("{h}.{p}")),
        ("four_parts", "token_malformed", format!("{h}.{p}.{s}.{s}")),
        ("six_parts", "token_malformed", format!("{h}.{p}.{s}.{h}.{p}.{s}")),
        ("only_dots", "token_malformed", "..".into()),
        ("no_header", "token_malformed", format!(".{p}.{s}")),
        ("no_payload", "token_malformed", format!("{h}..{s}")),
        ("no_signature", "token_malformed", format!("{h}.{p}.")),
        ("extra_empty_part", "token_malformed", format!("{h}.{p}.{s}.")),
        ("leading_dot", "token_malformed", format!(".{h}.{p}.{s}")),
        ("jws_of_five_parts", "token_encrypted", format!("{h}.{p}.{s}.{p}.{s}")),
        ("jwe", "token_encrypted", format!("{jwe_header}.{s}.{h}.{p}.{h}")),
        ("jwe_with_direct_key", "token_encrypted", format!("{jwe_header}..{h}.{p}.{h}")),
        ("jwe_header_on_three_parts", "token_malformed", format!("{jwe_header}.{p}.{s}")),
        ("json_serialisation_flattened", "token_malformed", flattened),
        ("json_serialisation_general", "token_malformed", general),
        ("bearer_prefix", "token_malformed", format!("Bearer {h}.{p}.{s}")),
        // Counted by its dots it is what a JWE looks like; refused either way.
        ("two_tokens", "token_encrypted", format!("{h}.{p}.{s} {h}.{p}.{s}")),
    ]
    .map(|(name, code, text)| refuse(name, code, text.into_bytes()))
    .into()
}

fn characters() -> Vec<Vector> {
    let good = token(user_v2().text());
    let [h, p, s] = parts(&good);
    let mut all: Vec<_> = [
        ("leading_space", format!(" {h}.{p}.{s}")),
        ("trailing_newline", format!("{h}.{p}.{s}\n")),
        ("trailing_space", format!("{h}.{p}.{s} ")),
        ("trailing_nul", format!("{h}.{p}.{s}\0")),
        ("newline_in_header", format!("{}\n{}.{p}.{s}", &h[..4], &h[4..])),
        ("space_in_payload", format!("{h}.{} {}.{s}", &p[..40], &p[40..])),
        ("tab_before_signature", format!("{h}.{p}.\t{s}")),
        ("crlf_in_signature", format!("{h}.{p}.{}\r\n{}", &s[..64], &s[64..])),
        ("padded_header", format!("{h}=.{p}.{s}")),
        ("padded_payload", format!("{h}.{p}==.{s}")),
        ("padded_signature", format!("{h}.{p}.{s}==")),
        ("question_mark_in_payload", format!("{h}.{}?{}.{s}", &p[..8], &p[8..])),
        ("percent_encoded_dot", format!("{h}%2E{p}.{s}")),
        ("full_width_dot", format!("{h}\u{ff0e}{p}.{s}")),
        ("zero_width_space", format!("{h}.\u{200b}{p}.{s}")),
        ("byte_order_mark_first", format!("\u{feff}{h}.{p}.{s}")),
        // U+0141 ends in 0x41, the letter A: an input cut to `latin1` would turn it into base64url.
        ("letter_that_latin1_makes_valid", format!("{h}.\u{141}{}.{s}", &p[1..])),
        ("payload_of_impossible_length", format!("{h}.{p}A.{s}")),
    ]
    .map(|(name, text)| refuse(name, "token_malformed", text.into_bytes()))
    .into();
    for (name, from, to) in [("standard_base64_plus", b'-', b'+'), ("standard_base64_slash", b'_', b'/')] {
        // Some signature of the fixed key has the letter; the payload varies until it is there.
        let changed = (0..)
            .map(|n| token(user_v2().with_text("uti", &format!("u{n}")).text()))
            .find(|token| token.contains(&from))
            .map(|token| token.iter().map(|b| if *b == from { to } else { *b }).collect());
        all.push(refuse(name, "token_malformed", changed.unwrap()));
    }
    for byte in [0x00, 0x80, 0xc3, 0xff] {
        let mut changed = good.clone();
        changed[h.len() + 10] = byte;
        all.push(refuse(format!("byte_{byte:02x}_in_payload"), "token_malformed", changed));
    }
    // 256 bytes end in two letters of which the last has four unused bits: A and B decode to the same bytes.
    let mut unused_bits = good.clone();
    let last = unused_bits.last_mut().unwrap();
    *last += 1;
    all.push(refuse("unused_bits_in_signature", "token_malformed", unused_bits));
    all
}

fn encodings() -> Vec<Vector> {
    let text = user_v2().text();
    let utf16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<_>>();
    let utf32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let name = |bytes: &[u8]| {
        let mut all = b"{\"name\":\"".to_vec();
        all.extend_from_slice(bytes);
        all.extend_from_slice(b"\",");
        all.extend_from_slice(&user_v2().without("name").text().as_bytes()[1..]);
        all
    };
    let mut with_mark = b"\xef\xbb\xbf".to_vec();
    with_mark.extend_from_slice(text.as_bytes());
    let mut all: Vec<_> = [
        ("utf8_with_byte_order_mark", with_mark),
        ("utf16_little_endian", utf16(u16::to_le_bytes)),
        ("utf16_big_endian", utf16(u16::to_be_bytes)),
        ("utf32_little_endian", utf32),
        ("invalid_utf8", name(b"\xff")),
        ("truncated_utf8", name(b"\xc3")),
        ("overlong_utf8", name(b"\xc0\xaf")),
        ("surrogate_in_utf8", name(b"\xed\xa0\x80")),
        ("utf8_beyond_unicode", name(b"\xf4\x90\x80\x80")),
        ("lone_surrogate_escape", name(br"\ud800")),
        ("swapped_surrogate_escapes", name(br"\udc00\ud800")),
        ("control_character_in_string", name(b"\x01")),
        ("newline_in_string", name(b"\n")),
        ("unknown_escape", name(br"\x41")),
        ("short_escape", name(br"\u12")),
    ]
    .map(|(what, payload)| refuse(what, "token_malformed", token(payload)))
    .into();
    all.push(user("surrogate_pair_escape", token(name(br"\ud834\udd1e"))));
    all.push(user("escaped_nul_in_a_display_claim", token(name(br"\u0000"))));
    all.push(user("foreign_letters", token(name("Łukasz 𝄞".as_bytes()))));
    let utf16_header: Vec<u8> = header("RS256", "a").encode_utf16().flat_map(u16::to_le_bytes).collect();
    all.push(refuse("utf16_header", "token_malformed", sign(utf16_header, &text, &RSA_A, "RS256")));
    all
}

fn json_texts() -> Vec<Vector> {
    let good = user_v2().text();
    let inner = String::from_utf8(token(&good)).unwrap();
    let mut all: Vec<_> = [
        ("payload_array", format!("[{good}]")),
        ("payload_empty_array", "[]".into()),
        ("payload_string", "\"x\"".into()),
        ("payload_number", "1".into()),
        ("payload_null", "null".into()),
        ("payload_true", "true".into()),
        ("payload_spaces", "   ".into()),
        ("payload_is_a_token", inner.clone()),
        ("payload_is_a_token_in_quotes", format!("\"{inner}\"")),
        ("payload_is_form_encoded", "iss=x&aud=y".into()),
        ("two_objects", format!("{good}{good}")),
        ("text_after_the_object", format!("{good} x")),
        ("nul_after_the_object", format!("{good}\0")),
        ("unterminated", good[..good.len() - 1].into()),
        ("trailing_comma", format!("{},}}", &good[..good.len() - 1])),
        ("comment", format!("/**/{good}")),
        ("single_quotes", good.replace('"', "'")),
        ("bare_name", good.replace("\"ver\"", "ver")),
        ("missing_colon", good.replace("\"ver\":", "\"ver\" ")),
        ("leading_zero", user_v2().with("x", "01").text()),
        ("plus_sign", user_v2().with("x", "+1").text()),
        ("nan", user_v2().with("x", "NaN").text()),
        ("python_literal", user_v2().with("x", "True").text()),
    ]
    .map(|(name, payload)| refuse(name, "token_malformed", token(payload)))
    .into();
    all.push(user("white_space_between", token(good.replace(",\"", "\t,\r\n \""))));
    all.push(refuse("empty_object", "claim_missing", token("{}")));
    for (name, header) in [
        ("header_array", "[]"),
        ("header_null", "null"),
        ("header_string", "\"RS256\""),
        ("header_unterminated", "{\"alg\":\"RS256\""),
    ] {
        all.push(refuse(name, "token_malformed", sign(header, &good, &RSA_A, "RS256")));
    }
    all
}
