//! A replica: takes reads and writes at once, passes on all it has, and takes in what others have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::LocalTime;

use super::records::{Compared, Records};
use super::versions::{Change, Versions};
use super::{Answer, Call, Fx, Message, Observation, Order, Record, Rules, Shape, Version};
use crate::client::{Ask, Reply};
use crate::coordination::clock_order::{Dot, HybridClock, Stamp, VersionVector};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::RequestKey;

/// What waits for the disk.
#[derive(Clone, Debug)]
enum Waiting {
    /// It can be given.
    Answer { to: NodeId, reply: Reply<Answer> },
    /// A record that was compared, and is to be set now.
    Set(Replacing),
}

/// A question to replace what a record holds.
#[derive(Clone, Copy, Debug)]
struct Replacing {
    client: NodeId,
    record: u32,
    request: RequestKey,
}

/// The replica node. It uses the timers 0 and 1.
#[derive(Clone, Debug)]
pub struct Replica {
    rules: Rules,
    me: NodeId,
    replicas: Arc<[NodeId]>,
    shape: Shape,
    clock: HybridClock,
    registers: BTreeMap<u32, Versions>,
    /// Of all registers together, dropped versions included.
    seen: VersionVector,
    /// Questions that were written here: asked again, they are told so.
    written: BTreeSet<RequestKey>,
    records: Records,
    log: DiskLog<Record, Waiting>,
}

const GOSSIP: TimerKey = TimerKey(0);
const DISK: TimerKey = TimerKey(1);
/// Writes that a replica takes, and remembers.
const WRITES_MAX: usize = 100_000;
/// Values of a register.
const VALUES_MAX: usize = 4_000;

impl Replica {
    /// A replica that has nothing.
    #[must_use]
    pub fn new(rules: Rules, me: NodeId, replicas: Arc<[NodeId]>, shape: Shape) -> Self {
        Self {
            rules,
            me,
            replicas,
            shape,
            clock: HybridClock::default(),
            registers: BTreeMap::new(),
            seen: VersionVector::default(),
            written: BTreeSet::new(),
            records: Records::default(),
            log: DiskLog::new(DISK),
        }
    }

    /// Begins with what survived.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        for record in self.log.records().to_vec() {
            match record {
                Record::Put { register, version } => {
                    self.insert(register, version);
                }
                Record::Seen(seen) => self.seen.join(&seen),
                Record::Set { record, request } => self.records.set(record, request),
                Record::Format(_) => {}
            }
        }
        for register in 0..self.shape.register_count {
            fx.observe(Observation::Holds { register, values: self.values(register) });
        }
        fx.set_timer(GOSSIP, self.shape.gossip_every);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, context: &Context<'_>, fx: &mut Fx) {
        match message {
            Message::Ask(ask) => self.ask(from, ask, context, fx),
            Message::Gossip { versions, seen } => self.gossiped(&versions, &seen, context.wall(), fx),
            Message::Answer(_) => {}
        }
    }

    /// A timer ran out: what is durable is passed on. What a power loss may take must not be elsewhere, or its number would
    /// be given twice.
    pub fn timer(&mut self, key: TimerKey, fx: &mut Fx) {
        if key == DISK {
            return self.log.timer(fx);
        }
        fx.set_timer(GOSSIP, self.shape.gossip_every);
        if !self.log.is_durable() {
            return;
        }
        let versions = self.registers.iter().flat_map(|(register, versions)| {
            versions.iter().map(move |version| (*register, version.clone()))
        });
        let versions: Arc<[(u32, Version)]> = versions.collect();
        for other in self.replicas.iter().filter(|replica| **replica != self.me) {
            fx.send(*other, Message::Gossip { versions: Arc::clone(&versions), seen: self.seen.clone() });
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for waiting in self.log.synced(token, fx) {
            self.release(waiting, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.log.sync_failed(token, fx);
    }

    fn ask(&mut self, client: NodeId, ask: Ask<Call>, context: &Context<'_>, fx: &mut Fx) {
        let Ask { request, call, mark } = ask;
        let is_known = match call {
            Call::Read { register } | Call::Write { register } => register < self.shape.register_count,
            Call::Look { record } | Call::Replace { record } => self.owns(record),
        };
        let answer = match call {
            _ if !is_known => Answer::NotFound,
            Call::Read { register } => self.read(register),
            Call::Write { register } => {
                let stamp = self.stamp(context.wall());
                self.write(register, request, (stamp, mark.seen), fx)
            }
            Call::Look { record } => Answer::Found { record, value: self.records.found(record) },
            Call::Replace { record } => {
                let expected = mark.found.get(&record).copied();
                match self.replace(Replacing { client, record, request }, expected, fx) {
                    Some(answer) => answer,
                    None => return,
                }
            }
        };
        let waiting = Waiting::Answer { to: client, reply: Reply { request, answer } };
        if self.rules.durable_first.is_taken() {
            self.release_when_durable(waiting, fx);
        } else {
            self.release(waiting, fx);
        }
    }

    fn read(&self, register: u32) -> Answer {
        Answer::Values { values: self.values(register), seen: self.seen.clone() }
    }

    fn values(&self, register: u32) -> Arc<[u64]> {
        self.registers.get(&register).map(Versions::values).unwrap_or_default()
    }

    /// Writes once, however often it is asked.
    fn write(
        &mut self,
        register: u32,
        request: RequestKey,
        (stamp, context): (Stamp, VersionVector),
        fx: &mut Fx,
    ) -> Answer {
        if !self.written.contains(&request) {
            if self.written.len() >= WRITES_MAX {
                return Answer::Full;
            }
            let Some(values) = self.values_with(register, request, &context) else { return Answer::Full };
            let dot = Dot { replica: self.me, count: self.seen.count_of(self.me) + 1 };
            self.put(register, Version { dot, request, stamp, context, values }, fx);
        }
        Answer::Written { seen: self.seen.clone() }
    }

    /// What a write leaves there: itself, and by version vectors what it adds to. None if that is too much.
    fn values_with(&self, register: u32, request: RequestKey, seen: &VersionVector) -> Option<Arc<[u64]>> {
        let mut values: BTreeSet<u64> = [request.0].into();
        if self.shape.order == Order::VersionVector {
            let versions = self.registers.get(&register).into_iter().flat_map(Versions::iter);
            let overwritten = versions.filter(|version| seen.covers(version.dot));
            values.extend(overwritten.flat_map(|version| version.values.iter().copied()));
        }
        (values.len() <= VALUES_MAX).then(|| values.into_iter().collect())
    }

    fn stamp(&mut self, wall: LocalTime) -> Stamp {
        if self.rules.causal_order.is_taken() {
            self.clock.tick(wall, self.me)
        } else {
            Stamp { wall, count: 0, replica: self.me }
        }
    }

    /// Another replica has all this. Where a stamp is too far ahead, none of it is taken: half would not be what it had seen.
    fn gossiped(&mut self, versions: &[(u32, Version)], seen: &VersionVector, wall: LocalTime, fx: &mut Fx) {
        let ahead_max = self.shape.ahead_max;
        let is_ahead =
            |(_, version): &(u32, Version)| HybridClock::is_too_far_ahead(version.stamp, wall, ahead_max);
        if self.rules.far_ahead_refused.is_taken() && versions.iter().any(is_ahead) {
            return;
        }
        for (register, version) in versions {
            if !self.seen.covers(version.dot) {
                self.put(*register, version.clone(), fx);
            }
        }
        // Only now: the versions are in the order of the registers, and the last of a replica's writes is not all of them.
        if !self.seen.includes(seen) {
            self.seen.join(seen);
            self.log.append(Record::Seen(self.seen.clone()), fx);
        }
    }

    fn put(&mut self, register: u32, version: Version, fx: &mut Fx) {
        self.log.append(Record::Put { register, version: version.clone() }, fx);
        let Change { is_new, dropped } = self.insert(register, version);
        if let Some(Version { values, .. }) = dropped {
            fx.observe(Observation::Dropped { values });
        }
        if is_new {
            fx.observe(Observation::Holds { register, values: self.values(register) });
        }
    }

    fn insert(&mut self, register: u32, version: Version) -> Change {
        self.clock.see(version.stamp);
        if version.dot.replica == self.me {
            self.seen.see(version.dot);
            self.written.insert(version.request);
        }
        self.registers.entry(register).or_default().put(version, self.shape.order, self.rules)
    }

    fn owns(&self, record: u32) -> bool {
        let owner = self.replicas[record as usize % self.replicas.len()];
        record < self.shape.record_count && owner == self.me
    }

    /// Compares with what the session found last; the answer, if it is known by now.
    fn replace(&mut self, replacing: Replacing, expected: Option<u64>, fx: &mut Fx) -> Option<Answer> {
        let Replacing { record, request, .. } = replacing;
        match self.records.compare(record, expected, request) {
            Compared::Before => Some(Answer::Replaced { record, value: request.0 }),
            Compared::Mismatch => Some(Answer::Mismatch),
            Compared::Full => Some(Answer::Full),
            Compared::Match => {
                self.log.append(Record::Set { record, request }, fx);
                if self.rules.one_step.is_taken() {
                    self.records.set(record, request);
                    return Some(Answer::Replaced { record, value: request.0 });
                }
                self.release_when_durable(Waiting::Set(replacing), fx);
                None
            }
        }
    }

    fn release_when_durable(&mut self, waiting: Waiting, fx: &mut Fx) {
        if let Some(waiting) = self.log.hold(waiting) {
            self.release(waiting, fx);
        }
    }

    fn release(&mut self, waiting: Waiting, fx: &mut Fx) {
        match waiting {
            Waiting::Answer { to, reply } => fx.send(to, Message::Answer(reply)),
            Waiting::Set(Replacing { client, record, request }) => {
                self.records.set(record, request);
                let answer = Answer::Replaced { record, value: request.0 };
                fx.send(client, Message::Answer(Reply { request, answer }));
            }
        }
    }
}
