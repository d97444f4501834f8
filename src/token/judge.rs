//! One list of checks, two ways to walk it: stop at the first failure, or go on and write everything down
//!
//! `verify` puts each check to a [`Judge`]. [`Quick`] costs nothing; [`Report`] is what the token inspector shows. Both see
//! the same checks in the same order, so the explanation cannot differ from the decision.

use std::borrow::Cow;

use serde::Serialize;

use crate::{error::RejectionCode, text::shown};

/// Decides whether to go on after a failed check
pub trait Judge {
    /// Notes one check; `show` is called only when somebody will read it
    ///
    /// # Errors
    /// The code, when verification must stop here.
    fn check(
        &mut self,
        name: &'static str,
        passed: bool,
        code: RejectionCode,
        show: impl FnOnce() -> Shown,
    ) -> Result<(), RejectionCode>
    where
        Self: Sized;

    /// The same with what is shown at hand: expected, actual, and the setting to change or nothing. Where speed is not all, it
    /// takes a tenth of the code
    ///
    /// # Errors
    /// The code, when verification must stop here.
    fn note(
        &mut self,
        name: &'static str,
        passed: bool,
        code: RejectionCode,
        shown: [&str; 3],
    ) -> Result<(), RejectionCode>;

    /// Takes lines that explain a failure
    fn explain(&mut self, lines: Vec<Line>);

    /// Whether anybody still looks after a failure
    fn goes_on(&self) -> bool;
}

/// The two sides of a check as a person reads them
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// What would pass
    pub expected: String,
    /// What the token has
    pub actual: String,
    /// The setting to change
    pub hint: Option<String>,
}

impl Shown {
    /// Two sides
    pub fn new(expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { expected: expected.into(), actual: actual.into(), hint: None }
    }

    /// The same with the setting to change
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Stops at the first failure
#[derive(Debug, Default, Clone, Copy)]
pub struct Quick;

impl Judge for Quick {
    #[inline(always)]
    fn goes_on(&self) -> bool {
        false
    }

    fn check(
        &mut self,
        _name: &'static str,
        passed: bool,
        code: RejectionCode,
        _show: impl FnOnce() -> Shown,
    ) -> Result<(), RejectionCode> {
        if passed { Ok(()) } else { Err(code) }
    }

    fn note(
        &mut self,
        _name: &'static str,
        passed: bool,
        code: RejectionCode,
        _shown: [&str; 3],
    ) -> Result<(), RejectionCode> {
        if passed { Ok(()) } else { Err(code) }
    }

    fn explain(&mut self, _lines: Vec<Line>) {}
}

/// How a check came out
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As expected
    Pass,
    /// Not as expected
    Fail,
    /// Not reached: an earlier failure left nothing to look at
    Skipped,
}

/// One line of the inspector's table
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Which check
    pub check: Cow<'static, str>,
    /// What would pass
    pub expected: String,
    /// What the token has
    pub actual: String,
    /// How it came out
    pub outcome: Outcome,
    /// The setting to change, for a failure
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Goes on as far as the token can be read and keeps every line
#[derive(Debug, Default, Clone)]
pub struct Report {
    /// The lines in the order of the checks
    pub lines: Vec<Line>,
    /// The code of the first failure: the verdict of [`Quick`]
    pub first_failure: Option<RejectionCode>,
    /// Lines beyond the checks, to go below them
    explanation: Vec<Line>,
}

impl Judge for Report {
    fn goes_on(&self) -> bool {
        true
    }

    fn check(
        &mut self,
        name: &'static str,
        passed: bool,
        code: RejectionCode,
        show: impl FnOnce() -> Shown,
    ) -> Result<(), RejectionCode> {
        self.keep(name, passed, code, show());
        Ok(())
    }

    fn note(
        &mut self,
        name: &'static str,
        passed: bool,
        code: RejectionCode,
        [expected, actual, hint]: [&str; 3],
    ) -> Result<(), RejectionCode> {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.keep(name, passed, code, Shown { expected: shown(expected), actual: shown(actual), hint });
        Ok(())
    }

    fn explain(&mut self, lines: Vec<Line>) {
        self.explanation = lines;
    }
}

impl Report {
    /// Once for all checks, where `check` is made anew for each
    #[inline(never)]
    fn keep(&mut self, name: &'static str, passed: bool, code: RejectionCode, shown: Shown) {
        let outcome = if passed { Outcome::Pass } else { Outcome::Fail };
        if !passed {
            self.first_failure.get_or_insert(code);
        }
        let hint = if passed { None } else { shown.hint.or_else(|| Some(code.advice().to_owned())) };
        self.lines.push(Line { check: name.into(), expected: shown.expected, actual: shown.actual, outcome, hint });
    }

    /// Adds a line for every check of `all` that was not reached, and what explains a failure
    pub fn complete(&mut self, all: &[&'static str]) {
        for name in all {
            if !self.lines.iter().any(|line| line.check == *name) {
                self.lines.push(Line {
                    check: (*name).into(),
                    expected: String::new(),
                    actual: String::new(),
                    outcome: Outcome::Skipped,
                    hint: None,
                });
            }
        }
        self.lines.append(&mut self.explanation);
    }
}
