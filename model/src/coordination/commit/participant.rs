//! A participant of two-phase commit: locks a key, votes, and is in doubt until it hears.

use std::collections::BTreeMap;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::{MonotonicTime, Span};

use super::{Fate, Fx, Message, Observation, Record, Rules};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::RequestKey;

/// What it knows of a transaction.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// It has voted yes, or is about to: the key is locked.
    Prepared { coordinator: NodeId, since: MonotonicTime },
    /// It knows how it ended.
    Ended(Fate),
}

/// A question whether a transaction can be committed.
#[derive(Clone, Copy, Debug)]
struct Asked {
    transaction: RequestKey,
    key: u32,
    coordinator: NodeId,
}

/// What waits for the disk.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    /// The yes can be given.
    Yes { transaction: RequestKey, coordinator: NodeId },
    /// The no can.
    No { transaction: RequestKey, coordinator: NodeId },
    /// The decision can be acted on.
    Ended { transaction: RequestKey, fate: Fate, coordinator: NodeId },
}

/// The participant node. It uses the timers 0 and 1.
#[derive(Clone, Debug)]
pub struct Participant {
    rules: Rules,
    timeout: Span,
    cases: BTreeMap<RequestKey, Stage>,
    /// Who has locked which key.
    locks: BTreeMap<u32, RequestKey>,
    log: DiskLog<Record, Waiting>,
}

const TICK: TimerKey = TimerKey(0);
const DISK: TimerKey = TimerKey(1);
/// How long an impatient participant waits for a decision: so many timeouts.
const PATIENCE_TIMEOUTS: u64 = 3;
/// Transactions that are remembered; more are voted down.
const CASES_MAX: usize = 200_000;

impl Participant {
    /// A participant that knows of no transaction.
    #[must_use]
    pub const fn new(rules: Rules, timeout: Span) -> Self {
        Self { rules, timeout, cases: BTreeMap::new(), locks: BTreeMap::new(), log: DiskLog::new(DISK) }
    }

    /// Begins with the votes and decisions that survived: what has no decision is in doubt.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        fx.set_timer(TICK, self.timeout);
        for record in self.log.records() {
            match *record {
                Record::Prepared { transaction, key, coordinator } => {
                    let since = context.monotonic();
                    self.cases.insert(transaction, Stage::Prepared { coordinator, since });
                    self.locks.insert(key, transaction);
                }
                Record::Decided { transaction, fate } => {
                    self.cases.insert(transaction, Stage::Ended(fate));
                    self.locks.retain(|_, holder| *holder != transaction);
                }
                Record::Begun { .. } | Record::Finished { .. } | Record::Format(_) => {}
            }
        }
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, context: &Context<'_>, fx: &mut Fx) {
        match *message {
            Message::Prepare { transaction, key } => {
                self.prepare(Asked { transaction, key, coordinator: from }, context, fx);
            }
            Message::Decided { transaction, fate } => self.decided(transaction, fate, from, fx),
            Message::Ask(_)
            | Message::Answer(_)
            | Message::Yes { .. }
            | Message::No { .. }
            | Message::Heard { .. }
            | Message::Inquire { .. } => {}
        }
    }

    /// A timer ran out: who is in doubt asks; who does not wait any longer aborts.
    pub fn timer(&mut self, key: TimerKey, context: &Context<'_>, fx: &mut Fx) {
        if key == DISK {
            return self.log.timer(fx);
        }
        fx.set_timer(TICK, self.timeout);
        let patience = self.timeout.times(PATIENCE_TIMEOUTS);
        for transaction in self.locks.values().copied().collect::<Vec<_>>() {
            let Stage::Prepared { coordinator, since, .. } = self.cases[&transaction] else { continue };
            let is_patient =
                self.rules.waits_in_doubt.is_taken() || context.monotonic().since(since) < patience;
            if is_patient {
                fx.send(coordinator, Message::Inquire { transaction });
            } else {
                self.end(transaction, Fate::Abort, coordinator, fx);
            }
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for waiting in self.log.synced(token, fx) {
            release(waiting, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.log.sync_failed(token, fx);
    }

    fn prepare(&mut self, asked: Asked, context: &Context<'_>, fx: &mut Fx) {
        let Asked { transaction, key, coordinator } = asked;
        // A second question is a doubled message: the vote is given, or it ended long ago.
        if self.cases.contains_key(&transaction) {
            return;
        }
        if self.locks.contains_key(&key) || self.cases.len() >= CASES_MAX {
            return self.refuse(transaction, coordinator, fx);
        }
        let since = context.monotonic();
        self.cases.insert(transaction, Stage::Prepared { coordinator, since });
        self.locks.insert(key, transaction);
        let yes = Waiting::Yes { transaction, coordinator };
        if self.rules.vote_logged.is_taken() {
            self.log.append(Record::Prepared { transaction, key, coordinator }, fx);
            self.release_when_durable(yes, fx);
        } else {
            release(yes, fx);
        }
    }

    /// Votes no and aborts. That is logged: a doubled question must not find the key free, and get a yes.
    fn refuse(&mut self, transaction: RequestKey, coordinator: NodeId, fx: &mut Fx) {
        self.cases.insert(transaction, Stage::Ended(Fate::Abort));
        self.log.append(Record::Decided { transaction, fate: Fate::Abort }, fx);
        self.release_when_durable(Waiting::No { transaction, coordinator }, fx);
    }

    /// Acts on a decision. Of what it does not know, it has aborted when it crashed.
    fn decided(&mut self, transaction: RequestKey, fate: Fate, coordinator: NodeId, fx: &mut Fx) {
        match self.cases.get(&transaction) {
            Some(Stage::Prepared { .. }) => self.end(transaction, fate, coordinator, fx),
            None => self.end(transaction, Fate::Abort, coordinator, fx),
            Some(Stage::Ended(known)) => {
                let ended = Waiting::Ended { transaction, fate: *known, coordinator };
                self.release_when_durable(ended, fx);
            }
        }
    }

    fn end(&mut self, transaction: RequestKey, fate: Fate, coordinator: NodeId, fx: &mut Fx) {
        self.cases.insert(transaction, Stage::Ended(fate));
        self.locks.retain(|_, holder| *holder != transaction);
        self.log.append(Record::Decided { transaction, fate }, fx);
        self.release_when_durable(Waiting::Ended { transaction, fate, coordinator }, fx);
    }

    fn release_when_durable(&mut self, waiting: Waiting, fx: &mut Fx) {
        if let Some(waiting) = self.log.hold(waiting) {
            release(waiting, fx);
        }
    }
}

fn release(waiting: Waiting, fx: &mut Fx) {
    match waiting {
        Waiting::Yes { transaction, coordinator } => {
            fx.observe(Observation::Voted { transaction, vote: Fate::Commit });
            fx.send(coordinator, Message::Yes { transaction });
        }
        Waiting::No { transaction, coordinator } => {
            fx.observe(Observation::Voted { transaction, vote: Fate::Abort });
            fx.send(coordinator, Message::No { transaction });
        }
        Waiting::Ended { transaction, fate, coordinator } => {
            fx.observe(Observation::Acted { transaction, fate });
            fx.send(coordinator, Message::Heard { transaction });
        }
    }
}
