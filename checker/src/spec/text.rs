//! A string that is put, appended to and got: model `kv` where values are text.

mod versions;

use std::sync::Arc;

use crate::budget::Budget;
use crate::engine::programs::{Found, Programs, Ruling};
use crate::engine::saturation::{self, SATURATION};
use crate::engine::shortcut::{Decision, View};
use crate::engine::tokens;
use crate::spec::Access;
use crate::spec::Spec;

/// A string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// What it is at first.
    pub initial: Arc<str>,
}

/// What may be asked of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextCall {
    /// What it is.
    Get,
    /// To be this.
    Put(Arc<str>),
    /// To end in this, after all that it is.
    Append(Arc<str>),
}

/// What a string answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextAnswer {
    /// It is this.
    Found(Arc<str>),
    /// It was put, or appended.
    Done,
}

/// What an operation does to a string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextStep {
    /// Finds this.
    Get(Arc<str>),
    /// Replaces it.
    Put(Arc<str>),
    /// Puts this at its end.
    Append(Arc<str>),
}

impl Spec for Text {
    type State = Arc<str>;
    type Call = TextCall;
    type Answer = TextAnswer;
    type Step = TextStep;

    fn initial(&self) -> Arc<str> {
        self.initial.clone()
    }

    fn fits(call: &TextCall, answer: &TextAnswer) -> bool {
        match call {
            TextCall::Get => matches!(answer, TextAnswer::Found(_)),
            TextCall::Put(_) | TextCall::Append(_) => matches!(answer, TextAnswer::Done),
        }
    }

    fn is_refusal(_answer: &TextAnswer) -> bool {
        false
    }

    fn observes(&self, call: &TextCall, _answer: &TextAnswer) -> bool {
        matches!(call, TextCall::Get)
    }

    fn step(&self, call: &TextCall, answer: Option<&TextAnswer>) -> Option<TextStep> {
        match (call, answer) {
            (TextCall::Get, Some(TextAnswer::Found(text))) => Some(TextStep::Get(text.clone())),
            (TextCall::Get, _) => None,
            (TextCall::Put(text), _) => Some(TextStep::Put(text.clone())),
            (TextCall::Append(text), _) => Some(TextStep::Append(text.clone())),
        }
    }

    fn apply(&self, state: &Arc<str>, step: &TextStep) -> Option<Arc<str>> {
        match step {
            TextStep::Get(text) => (text == state).then(|| state.clone()),
            TextStep::Put(text) => Some(text.clone()),
            TextStep::Append(text) => Some(format!("{state}{text}").into()),
        }
    }

    fn is_legal(&self, state: &Arc<str>, step: &TextStep) -> bool {
        match step {
            TextStep::Get(text) => text == state,
            TextStep::Put(_) | TextStep::Append(_) => true,
        }
    }

    fn access(&self, step: &TextStep) -> Option<Access<Arc<str>>> {
        match step {
            TextStep::Get(text) => Some(Access::Read(text.clone())),
            TextStep::Put(text) => Some(Access::Write(text.clone())),
            TextStep::Append(_) => None,
        }
    }

    fn finds(&self, step: &TextStep) -> Option<Arc<str>> {
        if let TextStep::Get(text) = step { Some(text.clone()) } else { None }
    }

    fn may_leave(&self, step: &TextStep, state: &Arc<str>) -> bool {
        match step {
            TextStep::Get(_) => true,
            TextStep::Put(text) => text == state,
            TextStep::Append(text) => state.ends_with(text.as_ref()),
        }
    }

    fn finds_before(&self, step: &TextStep, after: &Arc<str>) -> Option<Arc<str>> {
        match step {
            TextStep::Get(text) => Some(text.clone()),
            TextStep::Put(_) => None,
            TextStep::Append(text) => after.strip_suffix(text.as_ref()).map(Arc::from),
        }
    }

    fn only_observes(&self, _state: &Arc<str>, step: &TextStep) -> bool {
        matches!(step, TextStep::Get(_))
    }

    fn shortcut(&self, operations: &impl View<TextStep>) -> Option<Decision> {
        tokens::decide(&self.initial, operations)
    }

    fn shortcut_order(&self, operations: &impl View<TextStep>) -> Option<Vec<usize>> {
        tokens::order(&self.initial, operations)
    }

    fn is_idle(&self, state: &Arc<str>, step: &TextStep) -> bool {
        match step {
            TextStep::Get(_) => false,
            TextStep::Put(text) => text == state,
            TextStep::Append(text) => text.is_empty(),
        }
    }

    fn overwrites(&self, later: &TextStep, earlier: &TextStep) -> bool {
        matches!((later, earlier), (TextStep::Put(_), TextStep::Put(_) | TextStep::Append(_)))
    }

    fn describe(call: &TextCall, answer: Option<&TextAnswer>) -> String {
        let asked = match call {
            TextCall::Get => "get".to_owned(),
            TextCall::Put(text) => format!("put {text:?}"),
            TextCall::Append(text) => format!("append {text:?}"),
        };
        match answer {
            None => format!("{asked} (outcome unknown)"),
            Some(TextAnswer::Found(text)) => format!("{asked} -> {text:?}"),
            Some(TextAnswer::Done) => asked,
        }
    }

    fn needed_in_words(&self, step: &TextStep) -> Option<String> {
        match step {
            TextStep::Get(text) => Some(format!("hold {text:?}")),
            TextStep::Put(_) | TextStep::Append(_) => None,
        }
    }

    fn is_source(&self, source: &TextStep, found: &TextStep) -> Option<&'static str> {
        let TextStep::Get(wanted) = found else { return None };
        match source {
            TextStep::Put(text) if text == wanted => Some("wrote the value of"),
            TextStep::Append(text) if !text.is_empty() && wanted.ends_with(text.as_ref()) => {
                Some("appended the end of the value of")
            }
            _ => None,
        }
    }

    fn state_bytes(&self, state: &Arc<str>) -> usize {
        state.len()
    }

    fn sequential_shortcut(&self, programs: &Programs<TextStep>, budget: Budget) -> Option<Ruling> {
        match versions::versions(programs, &self.initial) {
            Ok(versions) => {
                let mut ruling = saturation::decide(programs, &versions::AsRegister(&versions), budget)?;
                if let Found::Contradiction(found) = ruling.found {
                    ruling.found = Found::Contradiction(versions.with_tellers(found));
                }
                Some(ruling)
            }
            Err(unknown) => unknown.ruling(SATURATION),
        }
    }
}
