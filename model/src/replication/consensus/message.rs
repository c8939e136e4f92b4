//! What the nodes of the plain log decide, say to one another, are asked, and show to the recorder.

use std::collections::BTreeMap;
use std::sync::Arc;

use omnipaxos::storage::{Entry, Snapshot};
use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};

use super::link::Letter;
use super::record::Parts;
use crate::client::{Ask, Operation, Question, Reply};
use crate::ids::{Offset, RequestKey};

/// What a client asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Put an entry behind all others. The entry is known by the request's key.
    Append,
    /// How long the log is, and its last entry.
    Read,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It stands in the log.
    Appended {
        /// Where; unknown to a node that has only proposed it.
        offset: Option<Offset>,
    },
    /// The log ends here.
    End {
        /// How many entries there are.
        length: Offset,
        /// The last of them.
        last: Option<RequestKey>,
    },
    /// The log holds as many entries as it may: nothing was done, this time.
    Full,
}

impl Question for Call {
    type Answer = Answer;
    type Mark = ();

    /// An earlier question may still put its entry into the log, or have done so: then a full log says nothing.
    fn is_settled_by(&self, answer: &Answer) -> bool {
        *answer != Answer::Full
    }

    fn is_settled_at_once_by(&self, _answer: &Answer) -> bool {
        true
    }
}

/// What is decided, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Append an entry, unless its key is known already.
    AppendOnce(RequestKey),
    /// Append an entry, whatever there is.
    Append(RequestKey),
    /// Look at the log at this place.
    Read(RequestKey),
}

impl Entry for Command {
    type Snapshot = State;
}

/// What the decided commands make: the log itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    entries: Vec<RequestKey>,
    /// Where each entry stands that is to be there once.
    places: BTreeMap<RequestKey, Offset>,
}

impl State {
    /// The entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[RequestKey] {
        &self.entries
    }

    /// Where an entry stands that is there once.
    #[must_use]
    pub fn place(&self, request: RequestKey) -> Option<Offset> {
        self.places.get(&request).copied()
    }

    /// Does what was decided; where the entry stands, if it is about one.
    pub fn apply(&mut self, command: Command) -> Option<Offset> {
        let next = Offset(self.entries.len() as u64);
        match command {
            Command::Read(_) => None,
            Command::AppendOnce(request) => {
                if let Some(place) = self.place(request) {
                    return Some(place);
                }
                self.places.insert(request, next);
                self.entries.push(request);
                Some(next)
            }
            Command::Append(request) => {
                self.entries.push(request);
                Some(next)
            }
        }
    }
}

impl Parts for State {
    /// An entry that is to be there once is taken once, however often it comes.
    fn settle_at(&mut self, _index: usize) {}
}

impl Snapshot<Command> for State {
    fn create(commands: &[Command]) -> Self {
        let mut state = Self::default();
        for command in commands {
            state.apply(*command);
        }
        state
    }

    fn merge(&mut self, delta: Self) {
        for (offset, request) in (0..).map(Offset).zip(&delta.entries) {
            let is_once = delta.place(*request) == Some(offset);
            self.apply(if is_once { Command::AppendOnce(*request) } else { Command::Append(*request) });
        }
    }

    fn use_snapshots() -> bool {
        true
    }
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    /// A client asks a node.
    Ask(Ask<Call>),
    /// The answer.
    Answer(Reply<Answer>),
    /// A node tells another one.
    Peer(Box<Letter<Command>>),
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Peer(letter) => letter.name(),
        }
    }
}

impl From<Box<Letter<Command>>> for Message {
    fn from(letter: Box<Letter<Command>>) -> Self {
        Self::Peer(letter)
    }
}

impl From<Ask<Call>> for Message {
    fn from(ask: Ask<Call>) -> Self {
        Self::Ask(ask)
    }
}

/// What the workload asks of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// One operation.
    Operation(Call),
}

/// The operation that a client is asked for.
impl From<Request> for Option<Call> {
    fn from(request: Request) -> Self {
        let Request::Operation(operation) = request;
        Some(operation)
    }
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are shown")]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Call>),
    /// A node begins, with nothing in memory.
    Started,
    /// These entries are in the node's log now, the first at this offset.
    Applied { from: Offset, entries: Arc<[RequestKey]> },
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Operation<Call>> for Observation {
    fn from(operation: Operation<Call>) -> Self {
        Self::Operation(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(state: &State) -> Vec<u64> {
        state.entries().iter().map(|key| key.0).collect()
    }

    #[test]
    fn a_full_log_is_an_answer_only_to_who_has_asked_once() {
        assert!(Call::Append.is_settled_at_once_by(&Answer::Full));
        assert!(!Call::Append.is_settled_by(&Answer::Full));
        assert!(Call::Append.is_settled_by(&Answer::Appended { offset: None }));
    }

    #[test]
    fn an_entry_that_is_there_once_keeps_its_first_place() {
        let mut state = State::default();
        let commands = [7, 8, 7].map(|key| state.apply(Command::AppendOnce(RequestKey(key))));
        assert_eq!(commands, [Some(Offset(0)), Some(Offset(1)), Some(Offset(0))]);
        assert_eq!(state.apply(Command::Append(RequestKey(8))), Some(Offset(2)));
        assert_eq!(state.apply(Command::Read(RequestKey(9))), None);
        assert_eq!(keys(&state), [7, 8, 8]);
    }

    #[test]
    fn snapshots_of_the_parts_are_the_snapshot_of_the_whole_wherever_it_is_cut() {
        let once = |key| Command::AppendOnce(RequestKey(key));
        let many = |key| Command::Append(RequestKey(key));
        let commands = [once(1), many(2), once(1), many(2), Command::Read(RequestKey(3)), once(4), once(1)];
        let whole = State::create(&commands);
        for cut in 0..=commands.len() {
            let mut state = State::create(&commands[..cut]);
            state.merge(State::create(&commands[cut..]));
            assert_eq!(state, whole, "cut at {cut}");
        }
        assert_eq!(keys(&whole), [1, 2, 2, 4]);
    }
}
