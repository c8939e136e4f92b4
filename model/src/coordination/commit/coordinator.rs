//! The coordinator of two-phase commit: collects votes, decides once, and tells until everybody has heard.
//!
//! What it had begun and not decided when it crashed, it aborts: nobody can have been told to commit. It remembers every
//! transaction, so that a question that comes late gets the first answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::{MonotonicTime, Span};

use super::{Answer, Fate, Fx, Message, Observation, Record, Rules, Transaction};
use crate::client::{Ask, Reply};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::RequestKey;

/// How far a transaction is.
#[derive(Clone, Debug)]
enum Stage {
    /// Its votes are collected since that instant; its key is asked for.
    Voting { since: MonotonicTime, key: u32, yes: BTreeSet<NodeId> },
    /// The decision is on its way to the disk.
    Deciding(Fate),
    /// It is there, and can be told.
    Decided(Fate),
}

#[derive(Clone, Debug)]
struct Case {
    /// Who asked; nobody does after a restart, until they ask again.
    client: Option<NodeId>,
    participants: Arc<[NodeId]>,
    /// Those of them that have not heard of the decision yet.
    deaf: BTreeSet<NodeId>,
    stage: Stage,
}

/// What waits for the disk.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    /// The votes can be asked for.
    Begun(RequestKey),
    /// The decision can be told.
    Decided(RequestKey),
}

/// The coordinator node. It uses the timers 0 and 1.
#[derive(Clone, Debug)]
pub struct Coordinator {
    rules: Rules,
    participants: Arc<[NodeId]>,
    key_count: u32,
    timeout: Span,
    cases: BTreeMap<RequestKey, Case>,
    /// The transactions of which somebody has still to hear.
    open: BTreeSet<RequestKey>,
    log: DiskLog<Record, Waiting>,
}

const TICK: TimerKey = TimerKey(0);
const DISK: TimerKey = TimerKey(1);
/// Transactions that are remembered; more are refused.
const CASES_MAX: usize = 100_000;

impl Coordinator {
    /// A coordinator that has begun nothing.
    #[must_use]
    pub const fn new(rules: Rules, participants: Arc<[NodeId]>, key_count: u32, timeout: Span) -> Self {
        Self {
            rules,
            participants,
            key_count,
            timeout,
            cases: BTreeMap::new(),
            open: BTreeSet::new(),
            log: DiskLog::new(DISK),
        }
    }

    /// Begins with the transactions that survived, and aborts those without a decision.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        fx.set_timer(TICK, self.timeout);
        for record in self.log.records().to_vec() {
            self.recover(record, context);
        }
        for transaction in self.open.clone() {
            if let Stage::Voting { .. } = self.cases[&transaction].stage {
                self.decide(transaction, Fate::Abort, fx);
            } else {
                self.release_when_durable(Waiting::Decided(transaction), fx);
            }
        }
    }

    fn recover(&mut self, record: Record, context: &Context<'_>) {
        match record {
            Record::Begun { transaction, participants } => {
                let stage = Stage::Voting { since: context.monotonic(), key: 0, yes: BTreeSet::new() };
                let deaf = participants.iter().copied().collect();
                self.cases.insert(transaction, Case { client: None, participants, deaf, stage });
                self.open.insert(transaction);
            }
            Record::Decided { transaction, fate } => {
                if let Some(case) = self.cases.get_mut(&transaction) {
                    case.stage = Stage::Deciding(fate);
                }
            }
            Record::Finished { transaction } => {
                if let Some(case) = self.cases.get_mut(&transaction)
                    && let Stage::Deciding(fate) = case.stage
                {
                    (case.stage, case.deaf) = (Stage::Decided(fate), BTreeSet::new());
                    self.open.remove(&transaction);
                }
            }
            Record::Prepared { .. } | Record::Format(_) => {}
        }
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, context: &Context<'_>, fx: &mut Fx) {
        match message {
            Message::Ask(ask) => self.ask(from, ask, context, fx),
            Message::Yes { transaction } => self.yes(transaction, from, fx),
            Message::No { transaction } => self.no(transaction, fx),
            Message::Inquire { transaction } => self.tell(transaction, &[from], fx),
            Message::Heard { transaction } => {
                self.heard(transaction, from, fx);
            }
            Message::Answer(_) | Message::Prepare { .. } | Message::Decided { .. } => {}
        }
    }

    /// A timer ran out: votes are asked for again or waited for no more, decisions are told again.
    pub fn timer(&mut self, key: TimerKey, context: &Context<'_>, fx: &mut Fx) {
        if key == DISK {
            return self.log.timer(fx);
        }
        fx.set_timer(TICK, self.timeout);
        for transaction in self.open.clone() {
            let case = &self.cases[&transaction];
            match &case.stage {
                Stage::Voting { since, .. } if context.monotonic().since(*since) < self.timeout => {}
                Stage::Voting { .. } if self.rules.unanimous.is_taken() => {
                    self.decide(transaction, Fate::Abort, fx);
                }
                Stage::Voting { .. } => self.decide(transaction, Fate::Commit, fx),
                Stage::Deciding(_) => {}
                Stage::Decided(_) => {
                    let deaf: Vec<_> = case.deaf.iter().copied().collect();
                    self.tell(transaction, &deaf, fx);
                }
            }
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

    fn ask(&mut self, client: NodeId, ask: Ask<Transaction>, context: &Context<'_>, fx: &mut Fx) {
        let Ask { request: transaction, call, .. } = ask;
        if let Some(case) = self.cases.get_mut(&transaction) {
            case.client = Some(client);
            return self.answer(transaction, fx);
        }
        let Some(participants) = self.named(&call) else {
            return reply(client, transaction, Answer::Invalid, fx);
        };
        if self.cases.len() == CASES_MAX {
            return reply(client, transaction, Answer::Full, fx);
        }
        let stage = Stage::Voting { since: context.monotonic(), key: call.key, yes: BTreeSet::new() };
        let deaf = participants.iter().copied().collect();
        let case = Case { client: Some(client), participants: Arc::clone(&participants), deaf, stage };
        self.cases.insert(transaction, case);
        self.log.append(Record::Begun { transaction, participants }, fx);
        self.release_when_durable(Waiting::Begun(transaction), fx);
    }

    /// The nodes that a question names; none if it names what does not exist, nobody, or somebody twice.
    fn named(&self, call: &Transaction) -> Option<Arc<[NodeId]>> {
        let distinct: BTreeSet<u32> = call.participants.iter().copied().collect();
        let is_valid =
            call.key < self.key_count && !distinct.is_empty() && distinct.len() == call.participants.len();
        let node = |index: &u32| self.participants.get(*index as usize).copied();
        call.participants.iter().map(node).collect::<Option<Arc<[NodeId]>>>().filter(|_| is_valid)
    }

    fn yes(&mut self, transaction: RequestKey, participant: NodeId, fx: &mut Fx) {
        let Some(case) = self.cases.get_mut(&transaction) else { return };
        let Stage::Voting { yes, .. } = &mut case.stage else { return };
        yes.insert(participant);
        if yes.len() == case.participants.len() {
            self.decide(transaction, Fate::Commit, fx);
        }
    }

    fn no(&mut self, transaction: RequestKey, fx: &mut Fx) {
        let is_voting = |case: &Case| matches!(case.stage, Stage::Voting { .. });
        if self.cases.get(&transaction).is_some_and(is_voting) {
            self.decide(transaction, Fate::Abort, fx);
        }
    }

    fn decide(&mut self, transaction: RequestKey, fate: Fate, fx: &mut Fx) {
        let case = self.cases.get_mut(&transaction).expect("only what was begun is decided");
        assert!(matches!(case.stage, Stage::Voting { .. }), "a decision is never changed");
        case.stage = Stage::Deciding(fate);
        self.open.insert(transaction);
        if self.rules.decision_logged.is_taken() {
            self.log.append(Record::Decided { transaction, fate }, fx);
            self.release_when_durable(Waiting::Decided(transaction), fx);
        } else {
            self.release(Waiting::Decided(transaction), fx);
        }
    }

    fn heard(&mut self, transaction: RequestKey, participant: NodeId, fx: &mut Fx) {
        let Some(case) = self.cases.get_mut(&transaction) else { return };
        if let Stage::Decided(_) = case.stage
            && case.deaf.remove(&participant)
            && case.deaf.is_empty()
        {
            self.open.remove(&transaction);
            self.log.append(Record::Finished { transaction }, fx);
        }
    }

    fn release_when_durable(&mut self, waiting: Waiting, fx: &mut Fx) {
        if let Some(waiting) = self.log.hold(waiting) {
            self.release(waiting, fx);
        }
    }

    fn release(&mut self, waiting: Waiting, fx: &mut Fx) {
        match waiting {
            Waiting::Begun(transaction) => self.prepare(transaction, fx),
            Waiting::Decided(transaction) => {
                let case = self.cases.get_mut(&transaction).expect("what waits for the disk is remembered");
                if let Stage::Deciding(fate) = case.stage {
                    case.stage = Stage::Decided(fate);
                    fx.observe(Observation::Decided { transaction, fate });
                }
                let participants = Arc::clone(&case.participants);
                self.tell(transaction, &participants, fx);
                self.answer(transaction, fx);
            }
        }
    }

    fn prepare(&mut self, transaction: RequestKey, fx: &mut Fx) {
        let case = &self.cases[&transaction];
        let Stage::Voting { key, .. } = case.stage else { return };
        self.open.insert(transaction);
        fx.observe(Observation::Begun { transaction, participants: Arc::clone(&case.participants) });
        for participant in case.participants.iter() {
            fx.send(*participant, Message::Prepare { transaction, key });
        }
    }

    /// The decision, if it can be told.
    fn told(&self, transaction: RequestKey) -> Option<Fate> {
        match self.cases.get(&transaction)?.stage {
            Stage::Decided(fate) => Some(fate),
            Stage::Voting { .. } | Stage::Deciding(_) => None,
        }
    }

    fn tell(&self, transaction: RequestKey, participants: &[NodeId], fx: &mut Fx) {
        let Some(fate) = self.told(transaction) else { return };
        for participant in participants {
            fx.send(*participant, Message::Decided { transaction, fate });
        }
    }

    fn answer(&self, transaction: RequestKey, fx: &mut Fx) {
        let Some(fate) = self.told(transaction) else { return };
        if let Some(client) = self.cases[&transaction].client {
            reply(client, transaction, Answer::Ended(fate), fx);
        }
    }
}

fn reply(client: NodeId, request: RequestKey, answer: Answer, fx: &mut Fx) {
    fx.send(client, Message::Answer(Reply { request, answer }));
}
