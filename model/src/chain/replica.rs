//! A replica of the chain: takes events, mines, follows the better chain, and looks after what it keeps.
//!
//! ```text
//!   ask ──► queue ──► block, mined bit by bit ──► peers       deep enough ──► notary ──► final ──► answered
//!                        ▲ better chain from a peer                                        │
//!   every second: do the blocks follow one another, are they those of the notary ◄─────────┘
//! ```
//!
//! Everything is in memory: who starts again gets the final blocks from the notary and the others from its peers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim::node::{Context, NodeId, TimerKey};
use sim::time::Span;

use super::Fx;
use super::block::{Content, Entry, Hash, Mining, Secret, Subject};
use super::erasure::Remining;
use super::ledger::{Ledger, Offered};
use super::message::{Answer, Blocks, Erasure, Message, Observation, Request, Submit};
use super::projection::{Projection, Snapshot};
use super::rules::Rules;
use super::setup::{Privacy, ReplicaSetup};
use crate::client::{Ask, Reply};
use crate::ids::RequestKey;

const TICK: TimerKey = TimerKey(0);
const TICK_EVERY: Span = Span::from_ms(20);
/// Tips are compared, and final blocks asked for and proposed, every so many ticks.
const GOSSIP_TICKS: u64 = 10;
/// What is kept is checked every so many ticks.
const AUDIT_TICKS: u64 = 40;
/// Blocks in one message.
const CHUNK_MAX: usize = 256;
/// Events that wait for a block, and clients that wait for an answer, at most.
const WAITING_MAX: usize = 4096;
/// Events in one block.
const ENTRIES_MAX: usize = 64;
/// So many blocks before its last one a replica expects to agree with others.
const AGREED_BACK: u64 = 8;

/// One replica.
#[derive(Clone, Debug)]
pub struct Replica {
    rules: Rules,
    setup: ReplicaSetup,
    ledger: Ledger,
    /// The hashes that the notary holds, from the first block on.
    finals: Vec<Hash>,
    erasures: u64,
    /// Events that were asked for and are not final; at most [`WAITING_MAX`]. What stood in a block that another chain took
    /// the place of is mined again from here: the block itself might be somebody's invention.
    queue: BTreeMap<RequestKey, Entry>,
    /// Who waits for which event; at most [`WAITING_MAX`].
    asked: BTreeMap<RequestKey, NodeId>,
    /// What commitments were made of.
    vault: BTreeMap<Hash, Secret>,
    forgotten: Arc<BTreeSet<Subject>>,
    snapshots: BTreeMap<(Projection, u64), Snapshot>,
    mining: Option<Mining>,
    remining: Option<Remining>,
    ticks: u64,
    /// How far back a peer is asked for blocks: more each time they do not fit.
    back: u64,
    shown: Option<Hash>,
}

impl Replica {
    /// A replica that has the first block alone.
    #[must_use]
    pub fn new(rules: Rules, setup: ReplicaSetup) -> Self {
        let ledger = Ledger::new(setup.difficulty_bits, rules.event_once);
        Self {
            rules,
            setup,
            ledger,
            finals: Vec::new(),
            erasures: 0,
            queue: BTreeMap::new(),
            asked: BTreeMap::new(),
            vault: BTreeMap::new(),
            forgotten: Arc::default(),
            snapshots: BTreeMap::new(),
            mining: None,
            remining: None,
            ticks: 0,
            back: AGREED_BACK,
            shown: None,
        }
    }

    /// Begins.
    pub fn start(&self, fx: &mut Fx) {
        self.ask_final(fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, context: &mut Context<'_>, fx: &mut Fx) {
        match message {
            Message::Ask(ask) => self.ask(from, &ask, context, fx),
            Message::Spread { entry, secret } => self.enqueue(entry, secret),
            Message::Tip { index, hash, forgotten } => {
                self.forget(&forgotten, fx);
                let tip = self.ledger.tip();
                if index > tip.index || index == tip.index && hash < tip.hash {
                    self.want(from, fx);
                }
            }
            Message::Want { from: first } => {
                fx.send(from, Message::Blocks(self.ledger.from(first, CHUNK_MAX)));
            }
            Message::Blocks(blocks) => self.blocks(from, &blocks, fx),
            Message::Final { blocks, erasures } => self.made_final(&blocks, &erasures, fx),
            Message::Answer(_)
            | Message::Propose(_)
            | Message::ProposeErasure { .. }
            | Message::AskFinal { .. }
            | Message::Show { .. } => {}
        }
        self.settle(fx);
    }

    /// The workload asks.
    pub fn request(&mut self, request: Request, fx: &mut Fx) {
        match request {
            Request::Tamper { how, place } => self.tamper(how, place, fx),
            Request::Erase { id, subject } => self.erase(id, subject, fx),
            Request::Audit => fx.observe(Observation::Kept {
                blocks: self.ledger.blocks().into(),
                snapshots: self.snapshots.values().cloned().collect(),
                secrets: self.vault.values().copied().collect(),
            }),
            Request::Operation(_) => {}
        }
    }

    /// The timer ran out: some work, and from time to time a look at the others and at what is kept.
    pub fn timer(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        self.ticks += 1;
        self.mine(context, fx);
        self.remine(fx);
        if self.ticks.is_multiple_of(GOSSIP_TICKS) {
            self.gossip(fx);
        }
        if self.ticks.is_multiple_of(AUDIT_TICKS) {
            self.audit(fx);
        }
        self.settle(fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    fn ask(&mut self, client: NodeId, ask: &Ask<Submit>, context: &mut Context<'_>, fx: &mut Fx) {
        let (request, Submit(event)) = (ask.request, ask.call);
        if self.ledger.blocks().len() >= self.setup.blocks_max {
            return fx.send(client, Message::Answer(Reply { request, answer: Answer::Full }));
        }
        if self.asked.len() >= WAITING_MAX {
            self.asked.pop_first();
        }
        self.asked.insert(request, client);
        if self.ledger.place(request).is_some() || self.queue.contains_key(&request) {
            return;
        }
        let secret = match self.setup.privacy {
            Privacy::Remined => None,
            Privacy::Committed => Some(Secret { event, salt: context.chance().next_u64() }),
        };
        let content = secret.map_or(Content::Plain(event), |secret| Content::Committed(secret.commitment()));
        let entry = Entry { request, content };
        self.enqueue(entry, secret);
        for peer in self.peers() {
            fx.send(peer, Message::Spread { entry, secret });
        }
    }

    fn enqueue(&mut self, entry: Entry, secret: Option<Secret>) {
        let is_forgotten = |secret: &Secret| self.forgotten.contains(&secret.event.subject);
        if let Some(secret) = secret.filter(|secret| !is_forgotten(secret)) {
            self.vault.insert(secret.commitment(), secret);
        }
        if !self.is_final(entry.request) && self.queue.len() < WAITING_MAX {
            self.queue.insert(entry.request, entry);
        }
    }

    fn is_final(&self, request: RequestKey) -> bool {
        let count = self.final_count() as u64;
        self.rules.event_once.is_taken() && self.ledger.place(request).is_some_and(|place| place < count)
    }

    /// Events for the next block.
    fn unplaced(&self) -> impl Iterator<Item = Entry> {
        let is_once = self.rules.event_once.is_taken();
        let has_place = move |entry: &Entry| is_once && self.ledger.place(entry.request).is_some();
        self.queue.values().copied().filter(move |entry| !has_place(entry))
    }

    /// How many blocks are final.
    fn final_count(&self) -> usize {
        if self.rules.agreed_final.is_taken() { self.finals.len() } else { self.deep_count() }
    }

    /// How many blocks lie deep enough.
    fn deep_count(&self) -> usize {
        self.ledger.blocks().len().saturating_sub(usize::try_from(self.setup.depth).unwrap_or(usize::MAX))
    }

    /// Blocks are mined as long as there are events that wait for one, or that are not final.
    fn mine(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        let tip = Arc::clone(self.ledger.tip());
        self.mining.take_if(|mining| mining.previous() != tip.hash);
        let has_work =
            self.unplaced().next().is_some() || self.ledger.has_events_from(self.final_count() as u64);
        if self.mining.is_none() && has_work && self.ledger.blocks().len() < self.setup.blocks_max {
            let entries = self.unplaced().take(ENTRIES_MAX).collect();
            let nonce = context.chance().next_u64();
            self.mining = Some(Mining::begin(&tip, self.setup.me, nonce, entries));
        }
        let Some(mining) = &mut self.mining else { return };
        let Some(block) = mining.work(self.setup.tries, self.setup.difficulty_bits) else { return };
        self.mining = None;
        if !self.rules.event_once.is_taken() {
            // What stands in blocks of others it mines once more, but not what it has mined itself.
            block.entries.iter().for_each(|entry| {
                self.queue.remove(&entry.request);
            });
        }
        let blocks: Blocks = Arc::new([Arc::new(block)]);
        self.take(&blocks);
        for peer in self.peers() {
            fx.send(peer, Message::Blocks(Arc::clone(&blocks)));
        }
    }

    /// Blocks that may make a better chain.
    fn take(&mut self, blocks: &[Arc<super::block::Block>]) -> Offered {
        let offered = self.ledger.offer(blocks, self.finals.len().max(1));
        if offered == Offered::Adopted {
            self.back = AGREED_BACK;
        }
        offered
    }

    fn blocks(&mut self, from: NodeId, blocks: &Blocks, fx: &mut Fx) {
        if self.take(blocks) == Offered::Unattached {
            self.want(from, fx);
            self.back = self.back.saturating_mul(2).min(self.setup.blocks_max as u64);
        }
    }

    fn want(&self, from: NodeId, fx: &mut Fx) {
        let first = self.ledger.tip().index.saturating_sub(self.back);
        fx.send(from, Message::Want { from: first });
    }

    fn gossip(&mut self, fx: &mut Fx) {
        let tip = self.ledger.tip();
        let (index, hash) = (tip.index, tip.hash);
        for peer in self.peers() {
            fx.send(peer, Message::Tip { index, hash, forgotten: Arc::clone(&self.forgotten) });
        }
        if !self.rules.agreed_final.is_taken() {
            return;
        }
        self.ask_final(fx);
        let (first, end) = (self.finals.len(), self.deep_count());
        if first > 0 && end > first {
            let blocks = self.ledger.from(first as u64, (end - first).min(CHUNK_MAX));
            fx.send(self.setup.notary, Message::Propose(blocks));
        }
        let proposal = self.remining.as_ref().and_then(|one| one.proposal(self.finals.len()));
        if let Some(((erasure, blocks), based_on)) = proposal.zip(self.finals.last().copied()) {
            fx.send(self.setup.notary, Message::ProposeErasure { erasure, based_on, blocks });
        }
    }

    fn ask_final(&self, fx: &mut Fx) {
        if self.rules.agreed_final.is_taken() {
            let (from, erasures) = (self.finals.len() as u64, self.erasures);
            fx.send(self.setup.notary, Message::AskFinal { from, erasures });
        }
    }

    /// The notary has made blocks final, and erasures are on record.
    fn made_final(&mut self, blocks: &Blocks, erasures: &[Erasure], fx: &mut Fx) {
        let Some(first) = blocks.first().and_then(|block| usize::try_from(block.index).ok()) else { return };
        let known = usize::try_from(self.erasures).unwrap_or(usize::MAX);
        let news = erasures.get(known..).unwrap_or_default();
        let again = news.iter().map(|erasure| erasure.first).min();
        let valid = again.and_then(|first| usize::try_from(first).ok()).unwrap_or(usize::MAX);
        // A late message from before an erasure says nothing; one that begins too late is asked for again.
        if erasures.len() < known || first > self.finals.len().min(valid) {
            return self.ask_final(fx);
        }
        self.finals.truncate(valid);
        let new = self.finals.len().saturating_sub(first).min(blocks.len());
        self.finals.extend(blocks[new..].iter().map(|block| block.hash));
        self.reconcile(first, blocks);
        for erasure in news {
            self.carried_out(*erasure, Some(self.setup.notary), fx);
        }
        self.erasures = erasures.len() as u64;
    }

    /// Makes the ledger what the notary says, as far as these blocks, of which the first has that number, allow it.
    fn reconcile(&mut self, first: usize, blocks: &Blocks) {
        let Some(place) = self.ledger.first_difference(&self.finals) else { return };
        let Some(right) = place.checked_sub(first).and_then(|skipped| blocks.get(skipped..)) else { return };
        self.ledger.replace(place, right);
    }

    /// Answers, shows and makes snapshots of what is final, if it is here as the notary has it.
    fn settle(&mut self, fx: &mut Fx) {
        let ledger = &self.ledger;
        let count = self.final_count();
        let Some(last) = count.checked_sub(1).and_then(|last| ledger.blocks().get(last)).cloned() else {
            return;
        };
        let is_agreed = self.rules.agreed_final.is_taken();
        if is_agreed && self.finals.last() != Some(&last.hash) {
            return;
        }
        self.asked.retain(|request, client| {
            let Some(index) = ledger.place(*request).filter(|index| *index < count as u64) else {
                return true;
            };
            let (request, answer) = (*request, Answer::Final { index });
            fx.send(*client, Message::Answer(Reply { request, answer }));
            false
        });
        if self.shown != Some(last.hash) {
            self.shown = Some(last.hash);
            // What is agreed is final, however few blocks lie upon it here; what lies less deep is not.
            let depth =
                if is_agreed { self.setup.depth } else { ledger.tip().index.saturating_sub(last.index) };
            let (index, hash) = (last.index, last.hash);
            fx.observe(Observation::Shown { index, hash, depth });
            for witness in self.setup.witnesses.iter() {
                fx.send(*witness, Message::Show { index, hash });
            }
            self.drop_final();
        }
        self.make_snapshots(count);
    }

    /// What is final need not be mined again.
    fn drop_final(&mut self) {
        let mut queue = core::mem::take(&mut self.queue);
        queue.retain(|request, _| !self.is_final(*request));
        self.queue = queue;
    }

    fn make_snapshots(&mut self, count: usize) {
        let every = usize::try_from(self.setup.snapshot_every).unwrap_or(usize::MAX);
        for index in (every..count).step_by(every) {
            for projection in Projection::ALL {
                let key = (projection, index as u64);
                if !self.snapshots.contains_key(&key) {
                    let snapshot = Snapshot::of(projection, &self.ledger.blocks()[..=index]);
                    self.snapshots.extend(snapshot.map(|snapshot| (key, snapshot)));
                }
            }
        }
    }

    fn peers(&self) -> impl Iterator<Item = NodeId> + use<> {
        let (replicas, me) = (Arc::clone(&self.setup.replicas), self.setup.me);
        (0..replicas.len()).map(move |index| replicas[index]).filter(move |peer| *peer != me)
    }
}

mod upkeep;

#[cfg(test)]
mod tests;
