//! A node of a log: proposes what it is asked, and does what is decided.
//!
//! ```text
//!   message ──► proposed ──► decided by a majority ──► applied ──► answered
//!                             │
//!   library ─── writes ──► disk ─── sync ──► letters leave
//! ```
//!
//! The library expects letters in order, and word of those that are missing: see [`super::link`].

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::node::{Context, Input, InputOf, NodeId, SyncToken, TimerKey};

use super::application::{Application, Fx, Meaning, MessageOf, RecordOf};
use super::library::{Decided, Library};
use super::link::{Heard, Letter, Link};
use super::pace::{Pace, TICK_EVERY};
use super::record::{Keeping as _, Record};
use super::shelf::Image;
use crate::disk_log::{Begin, DiskLog};
use crate::rules::Precaution;

const SYNC_RETRY: TimerKey = TimerKey(0);
const TICK: TimerKey = TimerKey(1);

/// What a node needs to know of its world.
#[derive(Clone, Debug)]
pub struct ReplicaSetup {
    /// This node.
    pub me: NodeId,
    /// All nodes of the log.
    pub nodes: Arc<[NodeId]>,
    /// A snapshot is made after so many commands.
    pub snapshot_every: usize,
    /// How long the nodes wait for one another.
    pub pace: Pace,
    /// A message leaves once everything written before it is durable; otherwise the sync comes when it comes.
    pub durable_before_send: Precaution,
}

/// A letter of the library, and for whom it is.
type Addressed<A> = (NodeId, Box<Letter<<A as Application>::Command>>);

/// One node of the log.
#[derive(Clone, Debug)]
pub struct Replica<A: Application> {
    setup: ReplicaSetup,
    /// None until the disk has what the node begins with.
    paxos: Option<Library<A::Command>>,
    disk: DiskLog<RecordOf<A>, Addressed<A>>,
    pub(super) application: A,
    /// How many commands the application has done.
    applied: usize,
    /// The how-many-th, from 1.
    life: u64,
    links: BTreeMap<NodeId, Link<A::Command>>,
}

impl<A: Application> Replica<A> {
    /// A node that has not begun.
    #[must_use]
    pub const fn new(application: A, setup: ReplicaSetup) -> Self {
        Self {
            setup,
            paxos: None,
            disk: DiskLog::new(SYNC_RETRY),
            application,
            applied: 0,
            life: 0,
            links: BTreeMap::new(),
        }
    }

    /// Reacts to whatever happens to its node.
    pub fn handle(&mut self, input: InputOf<A::Node>, context: &Context<'_>, fx: &mut Fx<A>) {
        match input {
            Input::Start { disk } => self.start(&disk, context, fx),
            Input::Message { from, message } => self.message(from, message, fx),
            Input::Timer(key) => self.timer(key, fx),
            Input::Synced(token) => self.synced(token, fx),
            Input::SyncFailed(token) => self.sync_failed(token, fx),
            Input::Request(_) | Input::Stop => {}
        }
    }

    /// Begins with what survived, once that and the number of its life are durable.
    pub fn start(&mut self, disk: &[RecordOf<A>], context: &Context<'_>, fx: &mut Fx<A>) {
        if self.disk.start(disk, context, fx) == Begin::Never {
            return;
        }
        let lives = self.disk.records().iter().filter_map(|record| match record.kept() {
            Some(Record::Life(life)) => Some(*life),
            _ => None,
        });
        self.life = lives.max().unwrap_or(0) + 1;
        self.disk.append(Record::Life(self.life).into(), fx);
    }

    fn begin(&mut self, fx: &mut Fx<A>) {
        let image = Image::of(self.disk.records().iter().filter_map(RecordOf::<A>::kept));
        self.paxos =
            Some(Library::start(self.setup.me, Arc::clone(&self.setup.nodes), self.setup.pace, image));
        self.application.begin(self.life);
        self.settle(fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message, unless it has yet to begin.
    pub fn message(&mut self, from: NodeId, message: MessageOf<A>, fx: &mut Fx<A>) {
        if self.paxos.is_none() {
            return;
        }
        match self.application.hear(from, message, fx) {
            Meaning::Letter(letter) if self.setup.nodes.contains(&from) => {
                let news = self.links.entry(from).or_default().take(letter);
                self.hear(from, news, fx);
            }
            Meaning::Propose(command) => self.tell(|library| library.propose(command), fx),
            Meaning::Letter(_) | Meaning::Nothing => {}
        }
    }

    /// Tells the library what came from a peer, in order.
    fn hear(&mut self, from: NodeId, heard: Vec<Heard<A::Command>>, fx: &mut Fx<A>) {
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
    pub fn timer(&mut self, key: TimerKey, fx: &mut Fx<A>) {
        if key == SYNC_RETRY {
            return self.disk.timer(fx);
        }
        for peer in Arc::clone(&self.setup.nodes).iter() {
            let patience = self.setup.pace.patience_ticks;
            let heard = self.links.get_mut(peer).map(|link| link.tick(patience)).unwrap_or_default();
            self.hear(*peer, heard, fx);
        }
        self.tell(Library::tick, fx);
        self.application.tick(fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// A sync is done: what waited for it leaves.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx<A>) {
        for (to, letter) in self.disk.synced(token, fx) {
            fx.send(to, letter);
        }
        if self.paxos.is_none() && self.disk.is_durable() {
            self.begin(fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx<A>) {
        self.disk.sync_failed(token, fx);
    }

    /// Lets the library do something, and does what follows from it.
    fn tell(&mut self, action: impl FnOnce(&mut Library<A::Command>), fx: &mut Fx<A>) {
        if let Some(library) = &mut self.paxos {
            action(library);
            self.settle(fx);
        }
    }

    /// Writes, sends and applies what the library has for its node.
    fn settle(&mut self, fx: &mut Fx<A>) {
        let Some(library) = &mut self.paxos else { return };
        let (unwritten, outgoing) = (library.take_unwritten(), library.take_outgoing());
        for record in unwritten {
            self.disk.append(record.into(), fx);
        }
        for (to, content) in outgoing {
            let letter = (to, self.links.entry(to).or_default().letter(self.life, content));
            let waits = self.setup.durable_before_send.is_taken();
            let leaving = if waits { self.disk.hold(letter) } else { Some(letter) };
            if let Some((to, letter)) = leaving {
                fx.send(to, letter);
            }
        }
        self.apply(fx);
        self.compact(fx);
    }

    /// Does what was decided.
    fn apply(&mut self, fx: &mut Fx<A>) {
        let Some(library) = &self.paxos else { return };
        let (decided, learned) = library.decided_from(self.applied);
        for news in learned {
            match news {
                Decided::Command(command) => {
                    self.application.apply(command, fx);
                    self.applied += 1;
                }
                Decided::Snapshot(index, state) => {
                    assert!(index >= self.applied, "a snapshot at {index} behind {}", self.applied);
                    self.application.restore(state, fx);
                    self.applied = index;
                }
            }
        }
        assert!(self.applied <= decided, "{} applied, {decided} decided", self.applied);
        self.application.show(fx);
    }

    fn compact(&mut self, fx: &mut Fx<A>) {
        let Some(library) = &mut self.paxos else { return };
        if self.applied >= library.compacted() + self.setup.snapshot_every {
            let image = library.compact(self.applied);
            let records = core::iter::once(Record::Life(self.life)).chain(image);
            self.disk.replace(records.map(Into::into).collect(), fx);
        }
    }
}

#[cfg(test)]
mod tests;
