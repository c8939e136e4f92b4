//! A node of the log: proposes what clients ask, applies what is decided, answers then.
//!
//! ```text
//!   ask ──► proposed ──► decided by a majority ──► applied ──► answered
//!                             │
//!   library ─── writes ──► disk ─── sync ──► letters leave
//! ```
//!
//! The library expects reliable links: see [`super::link`].

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use super::Fx;
use super::library::{Decided, Library};
use super::link::{Incoming, Outgoing, Taken};
use super::message::{Answer, Call, Command, Letter, Message, Observation, Record, State};
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
/// What was not heard of is sent again after so many ticks.
const AGAIN_TICKS: u64 = 5;

/// What a node needs to know of its world.
#[derive(Clone, Debug)]
pub struct ReplicaSetup {
    /// This node.
    pub me: NodeId,
    /// All nodes of the log.
    pub nodes: Arc<[NodeId]>,
    /// Entries of the log, at most.
    pub entries_max: usize,
    /// A snapshot is made after so many commands.
    pub snapshot_every: usize,
}

/// One node of the log.
#[derive(Clone, Debug)]
pub struct Replica {
    rules: Rules,
    setup: ReplicaSetup,
    /// None before the start.
    library: Option<Library>,
    disk: DiskLog<Record, (NodeId, Box<Letter>)>,
    state: State,
    /// How many commands the state has.
    applied: usize,
    /// Who asked what waits for its decision; at most [`ASKED_MAX`].
    asked: BTreeMap<RequestKey, NodeId>,
    life: u64,
    ticks: u64,
    outgoing: BTreeMap<NodeId, Outgoing>,
    incoming: BTreeMap<NodeId, Incoming>,
}

impl Replica {
    /// A node that has not begun.
    #[must_use]
    pub fn new(rules: Rules, setup: ReplicaSetup) -> Self {
        Self {
            rules,
            setup,
            library: None,
            disk: DiskLog::new(SYNC_RETRY),
            state: State::default(),
            applied: 0,
            asked: BTreeMap::new(),
            life: 0,
            ticks: 0,
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
        }
    }

    /// Begins with what survived.
    pub fn start(&mut self, disk: &[Record], context: &mut Context<'_>, fx: &mut Fx) {
        fx.observe(Observation::Started);
        self.life = context.chance().next_u64().max(1);
        if self.disk.start(disk, context, fx) == Begin::Never {
            return;
        }
        let image = Image::of(self.disk.records());
        self.library = Some(Library::start(self.setup.me, &self.setup.nodes, image));
        self.settle(fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, fx: &mut Fx) {
        match message {
            Message::Ask(ask) => self.ask(from, &ask, fx),
            Message::Peer(letter) if self.setup.nodes.contains(&from) => self.take(from, *letter, fx),
            Message::Heard { session, number } => {
                if let Some(link) = self.outgoing.get_mut(&from) {
                    link.heard(session, number);
                }
            }
            Message::Peer(_) | Message::Answer(_) => {}
        }
    }

    /// A letter of a peer: the library is told, if it is the next one, and the peer how far it was heard.
    fn take(&mut self, from: NodeId, letter: Letter, fx: &mut Fx) {
        let link = self.incoming.entry(from).or_default();
        let taken = link.take(&letter);
        let (session, number) = link.place();
        match taken {
            Taken::Old | Taken::Early => return,
            Taken::Next | Taken::First | Taken::Reborn | Taken::Again => {
                fx.send(from, Message::Heard { session, number });
            }
        }
        match taken {
            Taken::Reborn => self.break_off(from, fx),
            Taken::First => self.tell(|library| library.reconnected(from), fx),
            Taken::Next | Taken::Again | Taken::Old | Taken::Early => {}
        }
        if taken != Taken::Again {
            self.tell(|library| library.handle(letter.content), fx);
        }
    }

    /// The session to a peer is over: what it has not heard of is lost, and the library says it anew.
    fn break_off(&mut self, peer: NodeId, fx: &mut Fx) {
        if let Some(link) = self.outgoing.get_mut(&peer) {
            link.break_off();
        }
        self.tell(|library| library.reconnected(peer), fx);
    }

    /// Sends again what was not heard of, and breaks off where that is too much.
    fn send_again(&mut self, fx: &mut Fx) {
        for (to, link) in &self.outgoing {
            for letter in link.again() {
                fx.send(*to, Message::Peer(Box::new(letter.clone())));
            }
        }
        let overfull = self.outgoing.iter().filter(|(_, link)| link.is_overfull());
        let overfull: Vec<NodeId> = overfull.map(|(peer, _)| *peer).collect();
        for peer in overfull {
            self.break_off(peer, fx);
        }
    }

    /// The connection to a peer was reset.
    pub fn reset(&mut self, peer: NodeId, fx: &mut Fx) {
        if self.setup.nodes.contains(&peer) {
            self.tell(|library| library.reconnected(peer), fx);
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, fx: &mut Fx) {
        if key == SYNC_RETRY {
            return self.disk.timer(fx);
        }
        self.tell(Library::tick, fx);
        self.ticks += 1;
        if self.ticks.is_multiple_of(AGAIN_TICKS) {
            self.send_again(fx);
        }
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// A sync is done: what waited for it leaves.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for (to, letter) in self.disk.synced(token, fx) {
            self.leave(to, *letter, fx);
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
        if let Some(library) = &mut self.library {
            action(library);
            self.settle(fx);
        }
    }

    /// Writes, sends and applies what the library has for its node.
    fn settle(&mut self, fx: &mut Fx) {
        let Some(library) = &mut self.library else { return };
        let (unwritten, outgoing) = (library.take_unwritten(), library.take_outgoing());
        for record in unwritten {
            self.disk.append(record, fx);
        }
        for (to, content) in outgoing {
            let link = self.outgoing.entry(to).or_insert_with(|| Outgoing::new(self.life));
            let letter = (to, Box::new(link.letter(content)));
            let waits = self.rules.durable_before_send.is_taken();
            let leaving = if waits { self.disk.hold(letter) } else { Some(letter) };
            if let Some((to, letter)) = leaving {
                self.leave(to, *letter, fx);
            }
        }
        self.apply(fx);
        self.compact(fx);
    }

    /// A letter leaves, if its session is still under way.
    fn leave(&mut self, to: NodeId, letter: Letter, fx: &mut Fx) {
        if let Some(letter) = self.outgoing.get_mut(&to).and_then(|link| link.leave(letter)) {
            fx.send(to, Message::Peer(Box::new(letter)));
        }
    }

    /// Does what was decided, and answers who asked.
    fn apply(&mut self, fx: &mut Fx) {
        let Some(library) = &self.library else { return };
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
        let Some(library) = &mut self.library else { return };
        if self.applied >= library.compacted() + self.setup.snapshot_every {
            let records = library.compact(self.applied);
            self.disk.replace(records, fx);
        }
    }
}

fn answer(client: NodeId, request: RequestKey, answer: Answer, fx: &mut Fx) {
    fx.send(client, Message::Answer(Reply { request, answer }));
}

#[cfg(test)]
mod tests;
