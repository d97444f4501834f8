//! The one form that a record has
//!
//! The host hands over what happened; here it becomes bytes that are the same for whoever says the same: fields in the order of
//! the table, no spaces, no field that says nothing. A record holds ids and names. What looks like an e-mail address or a token is
//! withheld, wherever it comes from: anybody may ask about a made-up permission, and a job may be named by its author.

use crate::{
    json::{Value, list, quote},
    limits,
    text::split_once,
};

/// What a field holds
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    List,
    Event,
    Answer,
    Job,
}

/// Every field, in the order in which they are written; the first four are needed
const FIELDS: [(&str, Kind); 26] = [
    ("chain", Kind::Text),
    ("seq", Kind::Number),
    ("at", Kind::Number),
    ("event", Kind::Event),
    ("result", Kind::Answer),
    ("principal", Kind::Text),
    ("kind", Kind::Text),
    ("identity", Kind::Text),
    ("client", Kind::Text),
    ("agent", Kind::Text),
    ("issuer", Kind::Text),
    ("job", Kind::Job),
    ("permission", Kind::Text),
    ("action", Kind::Text),
    ("resourceType", Kind::Text),
    ("resource", Kind::Text),
    ("rule", Kind::Text),
    ("code", Kind::Text),
    ("reasons", Kind::List),
    ("epoch", Kind::Number),
    ("request", Kind::Text),
    ("plugin", Kind::Text),
    ("count", Kind::Number),
    ("since", Kind::Number),
    ("heads", Kind::List),
    ("reference", Kind::Text),
];
const NEEDED: usize = 4;
const EVENTS: &[&str] = &["start", "sign-in", "token-refused", "decision", "reads", "lost", "checkpoint"];
const RESULTS: &[&str] = &["ALLOW", "DENY", "CONDITIONAL"];

const WITHHELD: &str = "(withheld)";

/// A record in its one form
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The chain that it belongs to
    pub chain: String,
    /// Its place there, from 1 on
    pub seq: u64,
    /// The canonical text
    pub text: String,
}

/// What is wrong with a text that is no record: the field, or `record` for the text as a whole
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl Record {
    /// From JSON text, fields in any order
    ///
    /// # Errors
    /// The first mistake: an unknown field, a value of the wrong type, or no chain, place, time or event.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let document = Value::parse(text).map_err(|_| Malformed("record"))?;
        let Value::Object(members) = &document else { return Err(Malformed("record")) };
        if members.iter().any(|(name, _)| !FIELDS.iter().any(|(known, _)| name == known)) {
            return Err(Malformed("record"));
        }
        let (mut written, mut first) = (String::new(), '{');
        for (at, (name, kind)) in FIELDS.iter().enumerate() {
            if let Some(value) = document.member(name) {
                member(&mut written, &mut first, name);
                field(*kind, value, &mut written).ok_or(Malformed(name))?;
            } else if at < NEEDED {
                return Err(Malformed(name));
            }
        }
        written.push('}');
        let chain = document.member("chain").and_then(word).unwrap_or_default();
        let seq = document.member("seq").and_then(number).unwrap_or_default();
        if seq == 0 || !is_plain(chain) {
            return Err(Malformed("seq"));
        }
        Ok(Self { chain: chain.to_owned(), seq, text: written })
    }
}

/// The name of a member, behind what separates it from the one before
fn member(out: &mut String, first: &mut char, name: &str) {
    out.push(*first);
    *first = ',';
    quote(name, out);
    out.push(':');
}

fn field(kind: Kind, value: &Value<'_>, out: &mut String) -> Option<()> {
    match (kind, value) {
        (Kind::Number, Value::Number(digits)) => {
            number(value)?;
            out.push_str(digits);
        }
        (Kind::List, Value::Array(all)) if all.iter().all(|one| word(one).is_some()) => {
            list('[', all, ']', out, |one, out| held(word(one).unwrap_or_default(), out));
        }
        // What is known of a job, by the names of the issuer, in the order of the names: the host sorts them.
        (Kind::Job, Value::Object(all)) => {
            let (mut before, mut first) = ("", '{');
            for (name, value) in all {
                // A name that would be withheld could meet another one.
                if name.as_ref() <= before || !is_plain(name) {
                    return None;
                }
                before = name;
                member(out, &mut first, name);
                held(word(value)?, out);
            }
            out.push_str(if before.is_empty() { "{}" } else { "}" });
        }
        (Kind::Text, Value::Text(text)) => held(text, out),
        (Kind::Event, Value::Text(text)) if EVENTS.contains(&text.as_ref()) => held(text, out),
        (Kind::Answer, Value::Text(text)) if RESULTS.contains(&text.as_ref()) => held(text, out),
        _ => return None,
    }
    Some(())
}

/// Letters, digits, `-` and `_`
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn word<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn number(value: &Value<'_>) -> Option<u64> {
    if let Value::Number(digits) = value { digits.parse().ok() } else { None }
}

/// A text as a record may hold it: of a length that is bounded, and neither a token nor an address
fn held(text: &str, out: &mut String) {
    let fits = text.len() <= limits::AUDIT_TEXT_BYTES;
    let kept = fits && !is_address(text.as_bytes()) && split_once(text, "eyJ").is_none();
    quote(if kept { text } else { WITHHELD }, out);
}

/// `x@host.name`; not `workflow.yml@refs/heads/main`
fn is_address(text: &[u8]) -> bool {
    let (mut host, mut dot) = (false, false);
    for byte in text {
        match byte {
            b'@' => (host, dot) = (true, false),
            b'.' => dot = host,
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => {
                if dot {
                    return true;
                }
            }
            _ => (host, dot) = (false, false),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(rest: &str) -> String {
        Record::parse(&format!(r#"{{"at":1,"chain":"c","event":"decision","seq":7{rest}}}"#)).unwrap().text
    }

    #[test]
    fn fields_stand_in_the_order_of_the_table_without_spaces() {
        let one =
            Record::parse(r#"{"rule":"r","seq":7, "event":"decision","job":{"a":"1","b":"2"},"at":1,"chain":"c"}"#);
        let other =
            Record::parse(r#"{"chain":"c","at":1,"job":{"a":"1","b":"2"},"event":"decision","rule":"r","seq":7}"#);
        assert_eq!(one, other);
        let record = one.unwrap();
        assert_eq!(
            record.text,
            r#"{"chain":"c","seq":7,"at":1,"event":"decision","job":{"a":"1","b":"2"},"rule":"r"}"#
        );
        assert_eq!((record.chain.as_str(), record.seq), ("c", 7));
        assert_eq!(
            canonical(r#","reasons":[],"job":{}"#),
            r#"{"chain":"c","seq":7,"at":1,"event":"decision","job":{},"reasons":[]}"#
        );
    }

    #[test]
    fn the_one_form_of_a_record_is_its_own() {
        let long = "x".repeat(limits::AUDIT_TEXT_BYTES + 1);
        for rest in [
            r#","principal":"user:default/x","reasons":["a","b\u0007"],"job":{"job_id":"42"}"#.to_owned(),
            format!(r#","resource":"{long}""#),
            r#","principal":"jane@example.com","permission":"a\u0000b""#.to_owned(),
        ] {
            let once = canonical(&rest);
            assert_eq!(Record::parse(&once).unwrap().text, once);
        }
        assert!(canonical(&format!(r#","resource":"{long}""#)).ends_with(r#","resource":"(withheld)"}"#));
    }

    #[test]
    fn addresses_and_tokens_are_withheld_and_workflows_are_not() {
        for (text, kept) in [
            ("jane@example.com", false),
            ("mailto:jane.doe@sub.example.com, and more", false),
            ("Bearer eyJhbGciOiJSUzI1NiJ9.e30.x", false),
            ("acme/repo/.github/workflows/x.yml@refs/tags/v1.2", true),
            ("user:default/jane", true),
            ("a@b", true),
            ("@", true),
        ] {
            let written = canonical(&format!(
                r#","permission":"{text}","job":{{"job_workflow_ref":"{text}"}},"reasons":["{text}"]"#
            ));
            assert_eq!(written.matches(text).count(), if kept { 3 } else { 0 }, "{written}");
            assert_eq!(written.matches("(withheld)").count(), if kept { 0 } else { 3 }, "{written}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_place() {
        for (text, field) in [
            ("", "record"),
            ("[]", "record"),
            (r#"{"chain":"c","seq":1,"at":1}"#, "event"),
            (r#"{"chain":"c","seq":1,"event":"decision"}"#, "at"),
            (r#"{"chain":"c","seq":0,"at":1,"event":"decision"}"#, "seq"),
            (r#"{"chain":"c d","seq":1,"at":1,"event":"decision"}"#, "seq"),
            (r#"{"chain":"c","seq":-1,"at":1,"event":"decision"}"#, "seq"),
            (r#"{"chain":"c","seq":1.0,"at":1,"event":"decision"}"#, "seq"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"dance"}"#, "event"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","result":"MAYBE"}"#, "result"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","token":"x"}"#, "record"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","rule":7}"#, "rule"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","rule":null}"#, "rule"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","epoch":"7"}"#, "epoch"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","reasons":"x"}"#, "reasons"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","reasons":[1]}"#, "reasons"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","job":{"a":1}}"#, "job"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","job":{"b":"1","a":"1"}}"#, "job"),
            (r#"{"chain":"c","seq":1,"at":1,"event":"decision","job":{"a@b.c":"1"}}"#, "job"),
            (r#"{"chain":"c","chain":"c","seq":1,"at":1,"event":"decision"}"#, "record"),
        ] {
            assert_eq!(Record::parse(text), Err(Malformed(field)), "{text}");
        }
    }
}
