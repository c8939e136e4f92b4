//! The plain log on one node: what clients ask is proposed, and answered when it is decided.

use std::collections::BTreeMap;

use sim::node::NodeId;

use super::application::{Application, Meaning};
use super::message::{Answer, Call, Command, Message, Observation, State};
use super::rules::Rules;
use super::{Fx, Member};
use crate::client::{Ask, Reply};
use crate::ids::{Offset, RequestKey};

/// Requests that wait for their decision, at most; beyond that the oldest is forgotten, and its client asks again.
const ASKED_MAX: usize = 4096;

/// The log, and who has asked.
#[derive(Clone, Debug)]
pub struct PlainLog {
    rules: Rules,
    /// Entries from which on the log takes no more; those under way then may still come.
    entries_max: usize,
    pub(super) state: State,
    /// How many entries were shown.
    shown: usize,
    /// Who asked what waits for its decision; at most [`ASKED_MAX`].
    asked: BTreeMap<RequestKey, NodeId>,
}

impl PlainLog {
    /// An empty log that takes so many entries.
    #[must_use]
    pub fn new(rules: Rules, entries_max: usize) -> Self {
        Self { rules, entries_max, state: State::default(), shown: 0, asked: BTreeMap::new() }
    }

    fn ask(&mut self, client: NodeId, ask: &Ask<Call>, fx: &mut Fx) -> Meaning<Command> {
        let request = ask.request;
        let is_full = self.state.entries().len() >= self.entries_max;
        match ask.call {
            Call::Append => {
                if let Some(offset) = self.state.place(request) {
                    answer(client, request, Answer::Appended { offset: Some(offset) }, fx);
                } else if is_full {
                    answer(client, request, Answer::Full, fx);
                } else {
                    return self.propose_append(client, request, fx);
                }
            }
            Call::Read if self.rules.read_decided.is_taken() => {
                return self.propose(client, Command::Read(request), request);
            }
            Call::Read => answer(client, request, self.end(), fx),
        }
        Meaning::Nothing
    }

    fn propose_append(&mut self, client: NodeId, request: RequestKey, fx: &mut Fx) -> Meaning<Command> {
        if !self.rules.decided_first.is_taken() {
            answer(client, request, Answer::Appended { offset: None }, fx);
        }
        let is_once = self.rules.session_key.is_taken();
        let command = if is_once { Command::AppendOnce(request) } else { Command::Append(request) };
        self.propose(client, command, request)
    }

    fn propose(&mut self, client: NodeId, command: Command, request: RequestKey) -> Meaning<Command> {
        if self.asked.len() >= ASKED_MAX {
            self.asked.pop_first();
        }
        self.asked.insert(request, client);
        Meaning::Propose(command)
    }

    fn end(&self) -> Answer {
        let entries = self.state.entries();
        Answer::End { length: Offset(entries.len() as u64), last: entries.last().copied() }
    }
}

impl Application for PlainLog {
    type Node = Member;
    type Command = Command;

    fn begin(&mut self, _life: u64) {}

    fn hear(&mut self, from: NodeId, message: Message, fx: &mut Fx) -> Meaning<Command> {
        match message {
            Message::Ask(ask) => self.ask(from, &ask, fx),
            Message::Peer(letter) => Meaning::Letter(letter),
            Message::Answer(_) => Meaning::Nothing,
        }
    }

    fn apply(&mut self, command: Command, fx: &mut Fx) {
        let offset = self.state.apply(command);
        let (Command::AppendOnce(request) | Command::Append(request) | Command::Read(request)) = command;
        let Some(client) = self.asked.remove(&request) else { return };
        let found = offset.map_or_else(|| self.end(), |offset| Answer::Appended { offset: Some(offset) });
        answer(client, request, found, fx);
    }

    /// Answers whose entry came with the snapshot; a read that did is asked again.
    fn restore(&mut self, snapshot: State, fx: &mut Fx) {
        self.state = snapshot;
        let state = &self.state;
        self.asked.retain(|request, client| {
            let Some(offset) = state.place(*request) else { return true };
            answer(*client, *request, Answer::Appended { offset: Some(offset) }, fx);
            false
        });
    }

    fn show(&mut self, fx: &mut Fx) {
        let from = Offset(self.shown as u64);
        if let Some(news) = self.state.entries().get(self.shown..).filter(|news| !news.is_empty()) {
            fx.observe(Observation::Applied { from, entries: news.into() });
        }
        // Where disks forget, a snapshot may be shorter than what was shown.
        self.shown = self.state.entries().len();
    }

    fn tick(&mut self, _fx: &mut Fx) {}
}

fn answer(client: NodeId, request: RequestKey, answer: Answer, fx: &mut Fx) {
    fx.send(client, Message::Answer(Reply { request, answer }));
}
