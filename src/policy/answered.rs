//! What permission rules of other plugins say of a resource: asked by the host, which has the resource

use super::condition::ForeignRule;
use crate::{
    error::ConfigError,
    json::{self, At, owned_text},
};

/// Rules by their text, as [`ForeignRule::write`] gives it; whatever is not named was not asked
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    holds: Vec<String>,
    fails: Vec<String>,
}

impl Answered {
    /// From `{"holds":[...],"fails":[...]}`
    ///
    /// # Errors
    /// It is not that.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        const PLACE: &str = "answered";
        let document = json::value(text).map_err(|mistake| ConfigError::new(PLACE, mistake))?;
        let at = At::root(&document, PLACE);
        at.members(&["holds", "fails"])?;
        Ok(Self { holds: at.list("holds", &owned_text)?, fails: at.list("fails", &owned_text)? })
    }

    /// Whether a rule holds of the resource; `None` when that is not known
    pub fn of(&self, rule: &ForeignRule) -> Option<bool> {
        let mut text = String::new();
        rule.write(&mut text);
        match (self.holds.contains(&text), self.fails.contains(&text)) {
            (holds, fails) if holds != fails => Some(holds),
            // Not asked, or both answers: nothing is known.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(params: Option<&str>) -> ForeignRule {
        ForeignRule { name: "HAS_LABEL".into(), resource_type: None, params: params.map(Into::into) }
    }

    #[test]
    fn a_rule_is_known_by_its_whole_text() {
        let answered = Answered::parse(
            r#"{"holds":["{\"rule\":\"HAS_LABEL\",\"params\":{\"label\":\"a\"}}"],"fails":["{\"rule\":\"HAS_LABEL\"}"]}"#,
        )
        .unwrap();
        assert_eq!(answered.of(&rule(Some(r#"{"label":"a"}"#))), Some(true));
        assert_eq!(answered.of(&rule(None)), Some(false));
        assert_eq!(answered.of(&rule(Some(r#"{"label":"b"}"#))), None);
        assert_eq!(Answered::default().of(&rule(None)), None);
    }

    #[test]
    fn both_answers_are_none_and_anything_else_is_refused() {
        let both = Answered::parse(r#"{"holds":["{\"rule\":\"HAS_LABEL\"}"],"fails":["{\"rule\":\"HAS_LABEL\"}"]}"#);
        assert_eq!(both.unwrap().of(&rule(None)), None);
        for bad in
            ["", "[]", "null", r#"{"hold":[]}"#, r#"{"holds":[1]}"#, r#"{"holds":null}"#, r#"{"holds":[],"holds":[]}"#]
        {
            assert!(Answered::parse(bad).is_err(), "{bad}");
        }
    }
}
