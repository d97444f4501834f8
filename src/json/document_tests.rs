//! Documents: places of mistakes, and what no document may do

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Mistake, from_str};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    names: Vec<String>,
    count: Option<u32>,
    flag: Option<bool>,
    #[serde(default)]
    nested: BTreeMap<String, Vec<Document>>,
    choice: Option<Choice>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Nothing,
    One(u64),
    Several(Vec<String>),
}

fn mistake(text: &str) -> String {
    from_str::<Document>(text).unwrap_err().to_string()
}

#[test]
fn documents_are_read() {
    let text = r#" {"names":["a","\u0062"],"count":7,"flag":null,"nested":{"x":[{"names":[]}]},"choice":{"one":5}} "#;
    let document: Document = from_str(text).unwrap();
    assert_eq!(document.names, ["a", "b"]);
    assert_eq!((document.count, document.flag, document.choice), (Some(7), None, Some(Choice::One(5))));
    assert_eq!(document.nested["x"][0].names, [""; 0]);
    let choice = |text| from_str::<Document>(&format!(r#"{{"names":[],"choice":{text}}}"#)).unwrap().choice;
    assert_eq!(choice(r#""nothing""#), Some(Choice::Nothing));
    assert_eq!(choice(r#"{"several":["x"]}"#), Some(Choice::Several(vec!["x".into()])));
    assert_eq!(from_str::<Option<Document>>("null"), Ok(None));
}

#[test]
fn each_mistake_is_named_with_its_place() {
    for (text, says) in [
        ("{}", "missing field `names`"),
        ("[]", "invalid type: a list, expected struct Document"),
        (r#"{"names":[1]}"#, "names[0]: invalid type: integer `1`, expected a string"),
        (r#"{"names":["a",["b"]]}"#, "names[1]: invalid type: a list, expected a string"),
        (r#"{"names":null}"#, "names: invalid type: null, expected a sequence"),
        (r#"{"names":[],"Names":[]}"#, "Names: unknown field `Names`, expected one of `names`"),
        (r#"{"names":[],"count":"7"}"#, "count: invalid type: string \"7\", expected u32"),
        (r#"{"names":[],"count":1.5}"#, "count: invalid value, expected a whole number"),
        (r#"{"names":[],"count":-1}"#, "count: invalid value, expected a whole number"),
        (r#"{"names":[],"count":4294967296}"#, "count: invalid value, expected u32"),
        (r#"{"names":[],"flag":0}"#, "flag: invalid type: integer `0`, expected a boolean"),
        (r#"{"names":[],"nested":{"x":[{"names":[]},{"name":[]}]}}"#, "nested.x[1].name: unknown field `name`"),
        (r#"{"names":[],"choice":"two"}"#, "choice: unknown variant `two`, expected one of `nothing`"),
        (r#"{"names":[],"choice":{"two":1}}"#, "choice.two: unknown variant `two`"),
        (r#"{"names":[],"choice":{"one":"x"}}"#, "choice.one: invalid type: string \"x\", expected u64"),
        (r#"{"names":[],"choice":{"several":["x",1]}}"#, "choice.several[1]: invalid type: integer `1`"),
        (r#"{"names":[],"choice":{"one":1,"several":[]}}"#, "choice: 2 members, expected exactly one"),
        (r#"{"names":[],"choice":"one"}"#, "choice: `one` needs a value"),
        (r#"{"names":[],"choice":{"nothing":1}}"#, "choice: invalid type: integer `1`, expected nothing"),
    ] {
        let message = mistake(text);
        assert!(message.starts_with(says), "{text}: {message}\n  should start with {says}");
    }
}

#[test]
fn what_is_not_strict_json_is_no_document() {
    for text in ["", "{", "{} {}", "{'names':[]}", r#"{"names":[],}"#, "\u{feff}{}", r#"{"names":[01]}"#] {
        assert_eq!(mistake(text), "this is not JSON", "{text:?}");
    }
    // Which of two values is meant cannot be known, at any depth.
    for text in [
        r#"{"names":[],"names":["x"]}"#,
        r#"{"names":[],"n\u0061mes":["x"]}"#,
        r#"{"names":[],"nested":{"x":[],"x":[]}}"#,
        r#"{"names":[],"ignored":{"a":{"b":1,"b":2}}}"#,
    ] {
        assert_eq!(mistake(text), "a member stands there twice", "{text}");
    }
}

#[test]
fn documents_have_budgets() {
    let deep = format!(r#"{{"names":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
    assert_eq!(mistake(&deep), "larger or deeper than any real document");
    let wide: Vec<_> = (0..=crate::limits::OBJECT_MEMBERS).map(|at| format!("\"m{at}\":0")).collect();
    assert_eq!(mistake(&format!("{{{}}}", wide.join(","))), "larger or deeper than any real document");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let Mistake { message, .. } = from_str::<Document>(r#"{"names":"aX8Q~hunter2"}"#).unwrap_err();
    assert!(message.contains("string \"aX8...\""), "{message}");
}
