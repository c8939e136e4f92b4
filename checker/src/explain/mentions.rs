//! Numbers that the algorithms name, replaced by what the reader of the file finds there.
//!
//! ```text
//!   operation 17              client 3's read -> 2 (lines 117 and 118)
//!   between events 12 and 15  between line 112 and line 118
//! ```

use super::words::short;
use crate::history::{OperationIndex, OperationOf};
use crate::instants::seconds;
use crate::keyed::KeyedHistory;
use crate::spec::Spec;

/// The history whose operations and events a sentence may mention.
pub(super) struct Mentions<'a, S: Spec> {
    pub(super) history: &'a KeyedHistory<S>,
}

/// What the numbers after a word count.
#[derive(Clone, Copy)]
enum Counted {
    Operations,
    Events,
}

impl<S: Spec> Mentions<'_, S> {
    /// The sentence as the reader of the file understands it.
    pub(super) fn placed(&self, sentence: &str) -> String {
        let is_cycle = sentence.contains("a cycle: operation ");
        let mut placed: Vec<String> = Vec::new();
        let mut counted = None;
        for word in sentence.split(' ') {
            let (start, number, end) = number_in(word);
            let said = match (counted, number) {
                (Some(Counted::Operations), Some(number)) => self.operation(number),
                (Some(Counted::Events), Some(number)) => self.event(number),
                (_, _) => None,
            };
            match said {
                Some(said) => {
                    if placed.last().is_some_and(|last| keyword(last).is_some()) {
                        placed.pop();
                    }
                    placed.push(format!("{start}{said}{end}"));
                }
                None => placed.push(word.to_owned()),
            }
            counted = match (keyword(word), number, word) {
                (Some(counted), ..) => Some(counted),
                (None, None, "before") if is_cycle => Some(Counted::Operations),
                (None, Some(_), _) | (None, None, "and") => counted,
                (None, None, _) => None,
            };
        }
        placed.join(" ")
    }

    fn operation(&self, number: u64) -> Option<String> {
        let number = OperationIndex(u32::try_from(number).ok()?);
        let is_keyed = self.history.parts().len() > 1;
        self.history.parts().iter().find_map(|(key, part)| {
            let operation = &part.operations()[part.find(number)?];
            Some(short::<S>(part, operation, is_keyed.then_some(key)))
        })
    }

    /// The line of an event, or its instant.
    fn event(&self, position: u64) -> Option<String> {
        let of_event = |one: &&OperationOf<S>| one.invoked == position || one.returned == Some(position);
        let operation =
            self.history.parts().values().find_map(|part| part.operations().iter().find(of_event))?;
        let is_invocation = operation.invoked == position;
        let place = self.history.place_of(operation.number);
        let place = place.and_then(|(from, to)| if is_invocation { Some(from) } else { to });
        let at_ns = if is_invocation { Some(operation.invoked_at) } else { operation.returned_at };
        match (place, at_ns) {
            (Some(place), _) => Some(format!("line {}", place.line)),
            (None, Some(at_ns)) if at_ns > 0 => Some(seconds(at_ns)),
            (None, _) => Some(format!("event {position}")),
        }
    }
}

fn keyword(word: &str) -> Option<Counted> {
    match word {
        "operation" | "operations" => Some(Counted::Operations),
        "event" | "events" => Some(Counted::Events),
        _ => None,
    }
}

/// A number and the marks around it.
fn number_in(word: &str) -> (&str, Option<u64>, &str) {
    let rest = word.trim_start_matches('(');
    let start = &word[..word.len() - rest.len()];
    let number = rest.trim_end_matches([',', ';', ':', '.', ')']);
    (start, number.parse().ok(), &rest[number.len()..])
}
