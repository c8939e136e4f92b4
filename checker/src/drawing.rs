//! Histories as ASCII lanes: test input and failure output.
//!
//! ```text
//!   a: [w1          ]          columns are instants, a lane is a client
//!   b:     [r1 ]  [c1>2        a missing `]` is an answer that never came
//! ```
//!
//! | model | words |
//! |---|---|
//! | register | `r1` read 1, `rn` read nil, `w1` write, `c1>2` compare-and-set, `c1>2!` refused |
//! | bounded counter | `+a3` reserve 3 for order a, `!a3` no room, `-a` release, `~a` held nothing, `=7` in use |
//! | of several kinds | `+a3,1` reserve 3 and 1, `?a3` not served, `+a3#` from an unserved zone, `=7,1` in use |
//! | counter | `i3` increment to 3, `+2` add 2, `=5` read 5; unanswered `i`, `=` |
//! | text | `gab` get "ab", `pab` put, `ac` append "c"; unanswered `g?` |
//! | log | `a7` append 7, `a7@3` at offset 3, `l7,8` all entries, `2l9` those from 2, `2e9` that at 2, `2e` none |
//! | mutex | `a` acquire, `r` release |
//! | store | `pk=v@5` put at revision 5, `gk=v~3@5` get: of revision 3, `dk@6` delete, `ck~3=v@4` put if of 3; `!` refused |
//! | registers | `rx1,wy2` read x 1 and write y 2 at once; `rx` where the value is not known |
//! | table | `write 3`, `read->3`, `acquire!` refused, in the words of its file |
//!
//! Over several objects, each word begins with its key: `x.w1`.
//!
//! Without an order: `+3`, `-3`. Under limit 10 of version 2: `+a3/10@2`. Order 26 is `(26)`.

mod reading;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::history::{Builder, ClientId, History, HistoryError, OperationIndex, OperationOf};
use crate::keyed::{KeyedBuilder, KeyedHistory};
use crate::spec::Spec;
use reading::EventKind;

/// The widest line of a picture.
const COLUMNS_MAX: usize = 80;

/// Why a drawing is not a history. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawingError {
    /// A line without a client.
    #[error("line {line} has no client: it does not begin with a name and a colon")]
    NoClient {
        /// The line.
        line: usize,
    },
    /// Two lanes of one client.
    #[error("line {line} is a second lane of client {client}")]
    SecondLane {
        /// The line.
        line: usize,
        /// The client.
        client: String,
    },
    /// An operation that no word stands for.
    #[error("{line}:{column}: {word:?} is no operation")]
    Word {
        /// The line.
        line: usize,
        /// Where it begins.
        column: usize,
        /// What stands there.
        word: String,
    },
    /// Text between operations, an operation in an operation, an end without a beginning.
    #[error("{line}:{column}: {mark:?} should not stand here")]
    Stray {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What stands there.
        mark: char,
    },
    /// The events are no history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// A model whose operations can be drawn, each as one word.
pub trait Drawable: Spec {
    /// What a word stands for: a question and, if it has one, its answer.
    fn read_word(word: &str) -> Option<(Self::Call, Option<Self::Answer>)>;

    /// The word for a question and its answer, if there is one.
    fn word(call: &Self::Call, answer: Option<&Self::Answer>) -> String;
}

impl<S: Drawable> History<S> {
    /// The history that is drawn, with columns as instants in ns.
    ///
    /// Clients are numbered as their names say if all names are numbers, else lane by lane. Of two
    /// events in one column, the invocation comes first: the operations overlap.
    ///
    /// # Errors
    /// If it is no drawing of a history.
    pub fn draw(drawing: &str) -> Result<Self, DrawingError> {
        let mut builder = Builder::default();
        for event in reading::events::<S>(drawing, reading::plain::<S>)? {
            let at_ns = event.column as u64;
            match event.kind {
                EventKind::Begins { call, .. } => builder.invoke(event.client, call, at_ns).map(drop)?,
                EventKind::Ends { answer } => builder.answer(event.client, answer, at_ns)?,
            }
        }
        Ok(builder.finish())
    }

    /// The drawing of all its operations. See [`picture`].
    pub fn drawing(&self) -> String {
        lanes_text(&drawn(self.operations.iter().map(in_lane::<S>).collect()))
    }
}

impl<S: Drawable> KeyedHistory<S> {
    /// The history over several objects that is drawn: each word names its object, as in `x.w1`.
    ///
    /// What stands before the first full stop of a word is its key, if a word is left. Without one, or if
    /// none is left, the key is empty. Otherwise as [`History::draw`].
    ///
    /// # Errors
    /// If it is no drawing of a history.
    pub fn draw(drawing: &str) -> Result<Self, DrawingError> {
        let mut builder = KeyedBuilder::default();
        for event in reading::events::<S>(drawing, reading::keyed::<S>)? {
            let at_ns = event.column as u64;
            match event.kind {
                EventKind::Begins { key, call } => {
                    builder.invoke(event.client, &key, call, at_ns).map(drop)?;
                }
                EventKind::Ends { answer } => builder.answer(event.client, answer, at_ns)?,
            }
        }
        Ok(builder.finish())
    }

    /// The drawing of all operations on all objects, each word after its key if there are several.
    pub fn drawing(&self) -> String {
        lanes_text(&drawn(self.by_invocation().into_iter().map(|one| self.in_lane(one)).collect()))
    }

    /// The drawing of the operations with these numbers. See [`picture`].
    pub fn picture(&self, numbers: &[OperationIndex]) -> String {
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        let is_named =
            |(_, operation): &(&str, &OperationOf<S>)| numbers.binary_search(&operation.number).is_ok();
        let named = self.by_invocation().into_iter().filter(is_named);
        lanes_text(&drawn(named.map(|one| self.in_lane(one)).collect()))
    }

    fn in_lane(&self, (key, operation): (&str, &OperationOf<S>)) -> InLane {
        let plain = in_lane::<S>(operation);
        if self.parts().len() == 1 {
            plain
        } else {
            InLane { word: format!("{key}.{}", plain.word), ..plain }
        }
    }
}

/// Draws the operations with these numbers: a lane a client, at most 80 columns.
///
/// Columns show the order of events, not their distance. What is wider goes on in a further part.
/// Numbers that the history does not have are left out.
pub fn picture<S: Drawable>(history: &History<S>, numbers: &[OperationIndex]) -> String {
    let mut places: Vec<usize> = numbers.iter().filter_map(|number| history.find(*number)).collect();
    places.sort_unstable();
    places.dedup();
    lanes_text(&drawn(places.iter().map(|place| in_lane::<S>(&history.operations()[*place])).collect()))
}

/// Lanes of characters, by client.
type Lanes = BTreeMap<ClientId, Vec<char>>;

fn lanes_text(lanes: &Lanes) -> String {
    let name_width = lanes.keys().map(|client| client.to_string().len()).max().unwrap_or(0);
    let width = lanes.values().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    let mut start = 0;
    while start < width {
        let part = part(lanes, start, COLUMNS_MAX - name_width - 2);
        if start > 0 {
            text.push('\n');
        }
        for (client, lane) in lanes {
            let end = part.end.min(lane.len());
            let marks: String = lane.get(part.start..end).unwrap_or_default().iter().collect();
            text.push_str(format!("{:>name_width$}: {marks}", client.0).trim_end());
            text.push('\n');
        }
        start = part.end;
    }
    text
}

/// The columns that are shown together from `start` on: no word is cut, if that can be.
fn part(lanes: &Lanes, start: usize, width: usize) -> Range<usize> {
    let longest = lanes.values().map(Vec::len).max().unwrap_or(0);
    if longest <= start + width {
        return start..longest;
    }
    let is_cut = |column: usize| {
        let cuts = |lane: &Vec<char>| lane.get(column).is_some_and(|mark| !matches!(mark, ' ' | '['));
        lanes.values().any(cuts)
    };
    let end = (start + 1..=start + width).rev().find(|column| !is_cut(*column));
    start..end.unwrap_or(start + width)
}

/// An operation as it is drawn.
struct InLane {
    client: ClientId,
    word: String,
    invoked: u64,
    returned: Option<u64>,
}

fn in_lane<S: Drawable>(operation: &OperationOf<S>) -> InLane {
    let answer = operation.answer();
    InLane {
        client: operation.client,
        word: S::word(&operation.call, answer),
        invoked: operation.invoked,
        returned: operation.returned,
    }
}

/// The lanes of these operations, as wide as they need to be.
fn drawn(operations: Vec<InLane>) -> Lanes {
    let mut events: Vec<(u64, bool, &InLane)> = Vec::new();
    for operation in &operations {
        events.push((operation.invoked, false, operation));
        events.extend(operation.returned.map(|returned| (returned, true, operation)));
    }
    events.sort_by_key(|&(position, is_end, _)| (position, is_end));
    let mut lanes = Lanes::new();
    let (mut column, mut was_end) = (0, false);
    for (_, is_end, operation) in events {
        let lane = lanes.entry(operation.client).or_default();
        // An operation that begins after another one ended stands to its right.
        let after_end = column + usize::from(was_end && !is_end);
        let free = lane.len() + usize::from(!lane.is_empty());
        column = after_end.max(free);
        lane.resize(column, ' ');
        if is_end {
            lane.push(']');
        } else {
            lane.push('[');
            lane.extend(operation.word.chars());
        }
        was_end = is_end;
    }
    lanes
}

#[cfg(test)]
mod tests;
