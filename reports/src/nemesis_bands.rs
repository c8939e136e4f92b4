//! What the nemesis of a foreign history did, paired into spans: a fault and the event that ended it.
//!
//! ```text
//!   :start-partition ... :stop-partition     one span, partition
//!   :kill            ... :start              one span, kill
//!   :bump-clock                              an instant
//! ```

use checker::format::NemesisEvent;

/// A fault of the nemesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NemesisBand {
    /// Its word and value, such as `kill ["n1"]`.
    pub label: String,
    /// How many events of clients come before it.
    pub from: u64,
    /// The same for its end; none if it never ended, and `from` if it has no length.
    pub to: Option<u64>,
    /// The line that records its beginning.
    pub line: usize,
    /// When it began and ended, as far as the file tells. Unit: ns.
    pub times_ns: (Option<u64>, Option<u64>),
    /// The word that ends it.
    ended_by: Vec<String>,
}

/// Words that begin a fault, and those that end it.
const PAIRS: [(&str, &[&str]); 6] = [
    ("start", &["stop"]),
    ("kill", &["start", "restart"]),
    ("pause", &["resume"]),
    ("partition", &["heal"]),
    ("crash", &["start", "restart", "recover"]),
    ("isolate", &["heal", "recover"]),
];

/// The spans of all events. Of an event that is recorded twice, as invocation and completion, the first counts.
pub fn bands(events: &[NemesisEvent]) -> Vec<NemesisBand> {
    let mut bands: Vec<NemesisBand> = Vec::new();
    let mut last_word = None;
    for event in events {
        let is_completion = last_word.take() == Some(&event.word);
        if is_completion {
            if let Some(band) = bands.iter_mut().rev().find(|band| band.ended_by.contains(&event.word)) {
                band.end(event);
            }
            continue;
        }
        last_word = Some(&event.word);
        let open =
            bands.iter_mut().rev().find(|band| band.to.is_none() && band.ended_by.contains(&event.word));
        match open {
            Some(band) => band.end(event),
            None => bands.push(NemesisBand::of(event)),
        }
    }
    bands
}

impl NemesisBand {
    fn of(event: &NemesisEvent) -> Self {
        let ended_by = endings(&event.word);
        let is_instant = ended_by.is_empty();
        let name = event.word.strip_prefix("start-").unwrap_or(&event.word);
        let value = Some(&event.value).filter(|value| !value.is_empty() && *value != "nil");
        Self {
            label: value.map_or_else(|| name.to_owned(), |value| format!("{name} {value}")),
            from: event.position,
            to: is_instant.then_some(event.position),
            line: event.line,
            times_ns: (event.at_ns, event.at_ns.filter(|_| is_instant)),
            ended_by,
        }
    }

    fn end(&mut self, event: &NemesisEvent) {
        self.to = Some(event.position);
        self.times_ns.1 = event.at_ns;
    }
}

/// The words that end what a word begins; none if it has no length.
fn endings(word: &str) -> Vec<String> {
    if let Some(what) = word.strip_prefix("start-") {
        return vec![format!("stop-{what}"), "stop".to_owned()];
    }
    let pair = PAIRS.iter().find(|(begins, _)| *begins == word);
    pair.map_or_else(Vec::new, |(_, ends)| ends.iter().map(|end| (*end).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[(&str, u64)], want: &[(&str, u64, Option<u64>)]) {
        let event = |(line, (word, position)): (usize, &(&str, u64))| NemesisEvent {
            at_ns: None,
            position: *position,
            line: line + 1,
            word: (*word).to_owned(),
            value: "nil".to_owned(),
        };
        let events: Vec<_> = words.iter().enumerate().map(event).collect();
        let bands = bands(&events);
        let found: Vec<_> = bands.iter().map(|band| (band.label.as_str(), band.from, band.to)).collect();
        assert_eq!(found, want);
    }

    #[test]
    fn faults_last_until_the_event_that_ends_them() {
        check(&[("start", 3), ("stop", 9)], &[("start", 3, Some(9))]);
        check(&[("start-partition", 3), ("stop-partition", 9)], &[("partition", 3, Some(9))]);
        check(
            &[("kill", 1), ("pause", 2), ("start", 5), ("resume", 7)],
            &[("kill", 1, Some(5)), ("pause", 2, Some(7))],
        );
    }

    #[test]
    fn invocation_and_completion_are_one_event() {
        check(&[("start", 3), ("start", 4), ("stop", 8), ("stop", 9)], &[("start", 3, Some(9))]);
    }

    #[test]
    fn faults_that_never_end_and_faults_without_length_are_kept() {
        check(&[("bump-clock", 2), ("kill", 4)], &[("bump-clock", 2, Some(2)), ("kill", 4, None)]);
    }
}
