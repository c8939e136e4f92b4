//! A node of the log: proposes what clients ask, applies what is decided, answers then.
//!
//! ```text
//!   ask ──► proposed ──► decided by a majority ──► applied ──► answered
//!                             │
//!   library ─── writes ──► disk ─── sync ──► letters leave
//! ```
//!
//! The library expects letters in order, and word of those that are missing: see [`super::link`].

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use super::Fx;
use super::library::{Decided, Library};
use super::link::{Heard, Letter, Link};
use super::message::{Answer, Call, Command, Message, Observation, Record, State};
use super::rules::Rules;
use super::shelf::Image;
use crate::client::{Ask, Reply};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::{Offset, RequestKey};

const SYNC_RETRY: TimerKey = TimerKey(0);
const TICK: TimerKey = TimerKey(1);
const TICK_EVERY: Span = Span::from_ms(20);
/// Requests that wait for their decision, at most; beyond that the oldest is forgotten, and its client asks again.
const ASKED_MAX: usize = 4096;

/// What a node needs to know of its world.
#[derive(Clone, Debug)]
pub struct ReplicaSetup {
    /// This node.
    pub me: NodeId,
    /// All nodes of the log.
    pub nodes: Arc<[NodeId]>,
    /// Entries from which on the log takes no more; those under way then may still come.
    pub entries_max: usize,
    /// A snapshot is made after so many commands.
    pub snapshot_every: usize,
}

/// One node of the log.
#[derive(Clone, Debug)]
pub struct Replica {
    rules: Rules,
    setup: ReplicaSetup,
    /// None until the disk has what the node begins with.
    paxos: Option<Library>,
    disk: DiskLog<Record, (NodeId, Box<Letter>)>,
    state: State,
    /// How many commands the state has.
    applied: usize,
    /// Who asked what waits for its decision; at most [`ASKED_MAX`].
    asked: BTreeMap<RequestKey, NodeId>,
    /// The how-many-th, from 1.
    life: u64,
    links: BTreeMap<NodeId, Link>,
}

impl Replica {
    /// A node that has not begun.
    #[must_use]
    pub fn new(rules: Rules, setup: ReplicaSetup) -> Self {
        Self {
            rules,
            setup,
            paxos: None,
            disk: DiskLog::new(SYNC_RETRY),
            state: State::default(),
            applied: 0,
            asked: BTreeMap::new(),
            life: 0,
            links: BTreeMap::new(),
        }
    }

    /// Begins with what survived, once that and the number of its life are durable.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        fx.observe(Observation::Started);
        if self.disk.start(disk, context, fx) == Begin::Never {
            return;
        }
        let lives = self.disk.records().iter().filter_map(|record| match record {
            Record::Life(life) => Some(*life),
            _ => None,
        });
        self.life = lives.max().unwrap_or(0) + 1;
        self.disk.append(Record::Life(self.life), fx);
    }

    fn begin(&mut self, fx: &mut Fx) {
        let image = Image::of(self.disk.records());
        self.paxos = Some(Library::start(self.setup.me, &self.setup.nodes, image));
        self.settle(fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message, unless it has yet to begin.
    pub fn message(&mut self, from: NodeId, message: Message, fx: &mut Fx) {
        if self.paxos.is_none() {
            return;
        }
        match message {
            Message::Ask(ask) => self.ask(from, &ask, fx),
            Message::Peer(letter) if self.setup.nodes.contains(&from) => {
                let heard = self.links.entry(from).or_default().take(letter);
                self.hear(from, heard, fx);
            }
            Message::Peer(_) | Message::Answer(_) => {}
        }
    }

    /// Tells the library what came from a peer, in order.
    fn hear(&mut self, from: NodeId, heard: Vec<Heard>, fx: &mut Fx) {
        for news in heard {
            self.tell(
                |library| match news {
                    Heard::Next(letter) => library.handle(letter.content),
                    Heard::Gap => library.reconnected(from),
                },
                fx,
            );
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, fx: &mut Fx) {
        if key == SYNC_RETRY {
            return self.disk.timer(fx);
        }
        for peer in Arc::clone(&self.setup.nodes).iter() {
            let heard = self.links.get_mut(peer).map(Link::tick).unwrap_or_default();
            self.hear(*peer, heard, fx);
        }
        self.tell(Library::tick, fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// A sync is done: what waited for it leaves.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for (to, letter) in self.disk.synced(token, fx) {
            fx.send(to, Message::Peer(letter));
        }
        if self.paxos.is_none() && self.disk.is_durable() {
            self.begin(fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.disk.sync_failed(token, fx);
    }

    fn ask(&mut self, client: NodeId, ask: &Ask<Call>, fx: &mut Fx) {
        let request = ask.request;
        let is_full = self.state.entries().len() >= self.setup.entries_max;
        match ask.call {
            Call::Append => {
                if let Some(offset) = self.state.place(request) {
                    answer(client, request, Answer::Appended { offset: Some(offset) }, fx);
                } else if is_full {
                    answer(client, request, Answer::Full, fx);
                } else {
                    self.propose_append(client, request, fx);
                }
            }
            Call::Read if self.rules.read_decided.is_taken() => {
                self.propose(client, Command::Read(request), request, fx);
            }
            Call::Read => answer(client, request, self.end(), fx),
        }
    }

    fn propose_append(&mut self, client: NodeId, request: RequestKey, fx: &mut Fx) {
        if !self.rules.decided_first.is_taken() {
            answer(client, request, Answer::Appended { offset: None }, fx);
        }
        let is_once = self.rules.session_key.is_taken();
        let command = if is_once { Command::AppendOnce(request) } else { Command::Append(request) };
        self.propose(client, command, request, fx);
    }

    fn propose(&mut self, client: NodeId, command: Command, request: RequestKey, fx: &mut Fx) {
        if self.asked.len() >= ASKED_MAX {
            self.asked.pop_first();
        }
        self.asked.insert(request, client);
        self.tell(|library| library.propose(command), fx);
    }

    /// Lets the library do something, and does what follows from it.
    fn tell(&mut self, action: impl FnOnce(&mut Library), fx: &mut Fx) {
        if let Some(library) = &mut self.paxos {
            action(library);
            self.settle(fx);
        }
    }

    /// Writes, sends and applies what the library has for its node.
    fn settle(&mut self, fx: &mut Fx) {
        let Some(library) = &mut self.paxos else { return };
        let (unwritten, outgoing) = (library.take_unwritten(), library.take_outgoing());
        for record in unwritten {
            self.disk.append(record, fx);
        }
        for (to, content) in outgoing {
            let letter = (to, self.links.entry(to).or_default().letter(self.life, content));
            let waits = self.rules.durable_before_send.is_taken();
            let leaving = if waits { self.disk.hold(letter) } else { Some(letter) };
            if let Some((to, letter)) = leaving {
                fx.send(to, Message::Peer(letter));
            }
        }
        self.apply(fx);
        self.compact(fx);
    }

    /// Does what was decided, and answers who asked.
    fn apply(&mut self, fx: &mut Fx) {
        let Some(library) = &self.paxos else { return };
        let (decided, learned) = library.decided_from(self.applied);
        let before = self.state.entries().len();
        for news in learned {
            match news {
                Decided::Command(command) => {
                    let offset = self.state.apply(command);
                    self.applied += 1;
                    self.answer_decided(command, offset, fx);
                }
                Decided::Snapshot(index, state) => {
                    assert!(index >= self.applied, "a snapshot at {index} behind {}", self.applied);
                    (self.state, self.applied) = (state, index);
                    self.answer_known(fx);
                }
            }
        }
        assert!(self.applied <= decided, "{} applied, {decided} decided", self.applied);
        if let Some(news) = self.state.entries().get(before..).filter(|news| !news.is_empty()) {
            fx.observe(Observation::Applied { from: Offset(before as u64), entries: news.into() });
        }
    }

    fn answer_decided(&mut self, command: Command, offset: Option<Offset>, fx: &mut Fx) {
        let (Command::AppendOnce(request) | Command::Append(request) | Command::Read(request)) = command;
        let Some(client) = self.asked.remove(&request) else { return };
        let found = offset.map_or_else(|| self.end(), |offset| Answer::Appended { offset: Some(offset) });
        answer(client, request, found, fx);
    }

    /// Answers whose entry came with a snapshot; a read that did is asked again.
    fn answer_known(&mut self, fx: &mut Fx) {
        let state = &self.state;
        self.asked.retain(|request, client| {
            let Some(offset) = state.place(*request) else { return true };
            answer(*client, *request, Answer::Appended { offset: Some(offset) }, fx);
            false
        });
    }

    fn end(&self) -> Answer {
        let entries = self.state.entries();
        Answer::End { length: Offset(entries.len() as u64), last: entries.last().copied() }
    }

    fn compact(&mut self, fx: &mut Fx) {
        let Some(library) = &mut self.paxos else { return };
        if self.applied >= library.compacted() + self.setup.snapshot_every {
            let image = library.compact(self.applied);
            let records = core::iter::once(Record::Life(self.life)).chain(image);
            self.disk.replace(records.collect(), fx);
        }
    }
}

fn answer(client: NodeId, request: RequestKey, answer: Answer, fx: &mut Fx) {
    fx.send(client, Message::Answer(Reply { request, answer }));
}

#[cfg(test)]
mod tests;
