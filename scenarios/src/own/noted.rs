//! What clients ask and are told, as observations, and the history that they make.
//!
//! ```text
//!   session 3:  asked ──► told            one operation at a time
//!               asked ──► not done        it certainly did not happen
//!               asked ──► unknown         no answer: it may still happen
//!               asked ──► (crash) asked   as unknown
//! ```
//!
//! After an operation of unknown outcome a session goes on as a new client, as checkers ask for.

use core::fmt::Debug;
use core::future::Future;
use std::collections::BTreeMap;

use checker::history::{Builder, ClientId, History, HistoryError};
use checker::spec::Spec;
use sim::digest::{Canonical, Digest};
use sim::kernel::Observed;
use sim::node::NodeId;
use sim::substrate::guest::{Host, Noting};

/// What a client notes about the operations of one of its sessions, of which a node may have several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted<C, A> {
    /// It asks.
    Asked {
        /// Which session.
        session: u32,
        /// What.
        call: C,
    },
    /// It knows what came of it, or gave up.
    Ended {
        /// Which session.
        session: u32,
        /// What it knows.
        known: Known<A>,
    },
}

/// What a client knows about an operation that it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<A> {
    /// It was answered.
    Told(A),
    /// It certainly did not happen and never will.
    NotDone,
    /// No answer came: it may take effect at any later time, or never.
    Unknown,
}

/// Any plain value as an observation: what its `Debug` writes stands in the digest, so that must say all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact<T>(pub T);

impl<T: Debug> Canonical for Fact<T> {
    fn feed(&self, digest: &mut Digest) {
        digest.str(&format!("{:?}", self.0));
    }
}

impl<T> From<T> for Fact<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<C: Debug, A: Debug> Canonical for Noted<C, A> {
    fn feed(&self, digest: &mut Digest) {
        digest.str(&format!("{self:?}"));
    }
}

/// One session of a client on a host of somebody's service.
pub struct Session<C, A>
where
    Noted<C, A>: Noting,
{
    host: Host<Noted<C, A>>,
    number: u32,
}

impl<C, A: Clone> Session<C, A>
where
    Noted<C, A>: Noting,
{
    /// The session of that number on its host.
    #[must_use]
    pub const fn new(host: Host<Noted<C, A>>, number: u32) -> Self {
        Self { host, number }
    }

    /// Does an operation, and notes when it began and ended and what came of it.
    pub async fn operation(&mut self, call: C, asked: impl Future<Output = Known<A>>) -> Known<A> {
        let session = self.number;
        self.host.note(Noted::Asked { session, call });
        let known = asked.await;
        self.host.note(Noted::Ended { session, known: known.clone() });
        known
    }
}

/// The history of one object, from what clients noted about it.
///
/// # Errors
/// If an operation ends that was not asked for, or an answer does not fit its question.
pub fn history<S: Spec>(
    observed: &[Observed<Noted<S::Call, S::Answer>>],
) -> Result<History<S>, HistoryError> {
    let mut builder = Builder::default();
    let mut sessions = Sessions::default();
    for one in observed {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Noted::Asked { session, call } => {
                let (client, open) = sessions.ask((one.node, *session));
                if let Some(open) = open {
                    builder.unknown(open)?;
                }
                builder.invoke(client, call.clone(), at_ns)?;
            }
            Noted::Ended { session, known } => {
                let phase = if matches!(known, Known::Unknown) { Phase::Lost } else { Phase::Idle };
                let client = sessions.end((one.node, *session), phase);
                match known {
                    Known::Told(answer) => builder.answer(client, answer.clone(), at_ns)?,
                    Known::NotDone => builder.did_not_happen(client, at_ns)?,
                    Known::Unknown => builder.unknown(client)?,
                }
            }
        }
    }
    Ok(builder.finish())
}

/// Whether a session may ask, and as whom.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// As the client that it is.
    Idle,
    /// It has asked.
    Open,
    /// Its last operation is of unknown outcome.
    Lost,
}

/// The client that each session is at present.
#[derive(Default)]
struct Sessions {
    current: BTreeMap<(NodeId, u32), (ClientId, Phase)>,
    client_count: u64,
}

impl Sessions {
    /// The client that asks now, and the one whose operation is still open, if the session was cut short.
    fn ask(&mut self, session: (NodeId, u32)) -> (ClientId, Option<ClientId>) {
        let before = self.current.get(&session).copied();
        let (client, open) = match before {
            Some((client, Phase::Idle)) => (client, None),
            Some((client, Phase::Open)) => (self.fresh(), Some(client)),
            Some((_, Phase::Lost)) | None => (self.fresh(), None),
        };
        self.current.insert(session, (client, Phase::Open));
        (client, open)
    }

    /// The client whose operation ends; a new one if there is none, so that the history refuses it.
    fn end(&mut self, session: (NodeId, u32), phase: Phase) -> ClientId {
        let client = match self.current.get(&session) {
            Some((client, _)) => *client,
            None => self.fresh(),
        };
        self.current.insert(session, (client, phase));
        client
    }

    const fn fresh(&mut self) -> ClientId {
        self.client_count += 1;
        ClientId(self.client_count - 1)
    }
}

#[cfg(test)]
mod tests {
    use checker::spec::register::{Register, RegisterAnswer, RegisterCall};
    use sim::time::{LocalTime, TrueTime};

    use super::*;

    type Note = Noted<RegisterCall, RegisterAnswer>;

    fn asks(value: i64) -> Note {
        Noted::Asked { session: 0, call: RegisterCall::Write(Some(value)) }
    }

    fn ends(known: Known<RegisterAnswer>) -> Note {
        Noted::Ended { session: 0, known }
    }

    /// The history of one session that notes these things one after the other, as `client:outcome` of each operation.
    #[track_caller]
    fn check(notes: &[Note], want: &str) {
        let observed: Vec<_> = (0..).zip(notes).map(|(at, note)| observed(at, note)).collect();
        let found = history::<Register>(&observed).map(|history| {
            let operations = history.operations().iter().map(|operation| {
                format!(
                    "{}:{}",
                    operation.client,
                    if operation.returned.is_some() { "told" } else { "unknown" }
                )
            });
            operations.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), want);
    }

    fn observed(at_ns: u64, note: &Note) -> Observed<Note> {
        let at = TrueTime::from_ns(at_ns);
        let (node, local) = (NodeId(3), LocalTime::from_ns(0));
        Observed { at, released_at: at, node, local, observation: note.clone() }
    }

    #[test]
    fn a_session_is_one_client_until_it_does_not_know() {
        let told = || ends(Known::Told(RegisterAnswer::Done));
        check(&[asks(1), told(), asks(2), told()], "0:told 0:told");
        check(&[asks(1), ends(Known::Unknown), asks(2), told()], "0:unknown 1:told");
        check(&[asks(1), ends(Known::NotDone), asks(2), told()], "0:told");
    }

    #[test]
    fn what_a_crash_cut_short_is_unknown() {
        check(&[asks(1), asks(2), ends(Known::Told(RegisterAnswer::Done))], "0:unknown 1:told");
        check(&[asks(1)], "0:unknown");
    }

    #[test]
    fn an_end_without_a_question_is_refused() {
        check(&[ends(Known::NotDone)], "client 0 gets an answer at event 0 but has nothing open");
    }
}
