//! The server: locks, executes, logs, and answers once the commit is durable.

use core::fmt::Debug;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use sim::node::{Context, Effects, Node, NodeId, SyncToken, TimerKey};
use sim::time::{MonotonicTime, Span};

use super::execution::{Rows, execute};
use super::locks::{Asked, Locks, TransactionId};
use super::standby::{REPLICATE_EVERY, Recovery, Replication, Snapshot, TAKE_OVER_EVERY};
use super::{Event, Host, Outcome, Packet, QueryNumber, Redo, Schema, Statement, Stored};
use crate::disk_log::{Begin, DiskLog};

/// Transactions under way at once; PostgreSQL's `max_connections`. Beyond, a query is refused.
pub const TRANSACTIONS_MAX: usize = 4_096;
/// A transaction that is to be executed later than this is not; PostgreSQL's `statement_timeout`. Who asked has given it up,
/// and has perhaps asked again: without it, a queue that has grown once would never be worked off.
pub(super) const STATEMENT_TIMEOUT: Span = Span::from_seconds(1);
/// The latest queries, known by number: a message that the network doubled is executed once, as on a connection.
const RECENT_MAX: usize = 4_096;
/// A log that has more records than this, and four times as many as there are rows, is replaced by the rows.
const LOG_RECORDS_MIN: usize = 8_192;

/// When a commit is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Once it is durable.
    Synchronous,
    /// At once: a power loss may take what was acknowledged and seen.
    Asynchronous,
}

/// Whether queries are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The standby is asked for what it has.
    TakingOver,
    /// What a restart found is not surely durable yet.
    Starting,
    Open,
}

/// A transaction under way.
#[derive(Clone, Debug)]
struct Transaction<S: Schema> {
    client: NodeId,
    number: QueryNumber,
    asked_at: MonotonicTime,
    statements: Arc<[Statement<S>]>,
    /// The rows that it must have for itself, in order.
    keys: Vec<S::Key>,
    /// How many of them it has.
    taken: usize,
    /// The first row that it had to wait for, and since when.
    waits_for: Option<(S::Key, MonotonicTime)>,
}

/// A commit on its way to the disk.
#[derive(Clone, Debug)]
struct Committing<S: Schema> {
    id: TransactionId,
    redo: Redo<S>,
    outcome: Outcome<S>,
}

/// The database of a node that has nothing else on its disk. It uses one timer, and one more if it has a standby.
#[derive(Clone, Debug)]
pub struct Server<S: Schema, R> {
    commit: Commit,
    replication: Option<Replication>,
    phase: Phase,
    rows: Rows<S>,
    log: DiskLog<R, Committing<S>>,
    /// How many of the last records are of commits on their way.
    committing_count: usize,
    locks: Locks<S::Key>,
    transactions: BTreeMap<TransactionId, Transaction<S>>,
    /// Who has got every lock and is to be executed.
    ready: VecDeque<TransactionId>,
    arrived: u64,
    recent: VecDeque<(NodeId, QueryNumber)>,
    is_recent: BTreeSet<(NodeId, QueryNumber)>,
}

impl<S: Schema, R: Stored<S>> Server<S, R> {
    /// An empty database that uses the timer `retry`.
    #[must_use]
    pub const fn new(commit: Commit, retry: TimerKey) -> Self {
        Self {
            commit,
            replication: None,
            phase: Phase::Starting,
            rows: BTreeMap::new(),
            log: DiskLog::new(retry),
            committing_count: 0,
            locks: Locks::new(),
            transactions: BTreeMap::new(),
            ready: VecDeque::new(),
            arrived: 0,
            recent: VecDeque::new(),
            is_recent: BTreeSet::new(),
        }
    }

    /// The same database with a standby.
    #[must_use]
    pub fn replicated(self, replication: Option<Replication>) -> Self {
        Self { replication, ..self }
    }

    /// Begins with what survived, or with what its standby has; until that is durable, every query is refused.
    pub fn start<N: Host<S, Record = R>>(&mut self, disk: &[R], context: &Context<'_>, fx: &mut Effects<N>) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        if !disk.is_empty() && self.replication.is_some_and(|one| one.recovery == Recovery::TakeOver) {
            self.phase = Phase::TakingOver;
        }
        self.meet_standby(fx);
        let found: Vec<_> = self.log.records().iter().filter_map(Stored::redo).cloned().collect();
        for redo in &found {
            self.apply(redo);
        }
        self.open();
    }

    /// The committed rows.
    #[must_use]
    pub const fn rows(&self) -> &BTreeMap<S::Key, S::Value> {
        &self.rows
    }

    /// A packet came.
    pub fn packet<N: Host<S, Record = R>>(
        &mut self,
        from: NodeId,
        packet: Packet<S>,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) {
        let (number, statements) = match packet {
            Packet::Query { number, statements } => (number, statements),
            Packet::TakenOver { rows } if self.phase == Phase::TakingOver => {
                return self.take_over(&rows, fx);
            }
            _ => return,
        };
        if !self.is_new(from, number) {
            return;
        }
        if self.phase != Phase::Open || self.transactions.len() >= TRANSACTIONS_MAX {
            fx.send(from, Packet::Reply { number, outcome: Outcome::Unavailable });
            return;
        }
        let mut keys: Vec<_> = statements.iter().filter_map(Statement::locks).cloned().collect();
        keys.sort();
        keys.dedup();
        let id = TransactionId(self.arrived);
        self.arrived += 1;
        let asked_at = context.monotonic();
        let transaction =
            Transaction { client: from, number, asked_at, statements, keys, taken: 0, waits_for: None };
        self.transactions.insert(id, transaction);
        self.take_locks(id, context, fx);
        self.run(context, fx);
    }

    /// A sync is done.
    pub fn synced<N: Host<S, Record = R>>(
        &mut self,
        token: SyncToken,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) {
        let committed = self.log.synced(token, fx);
        self.open();
        for Committing { id, redo, outcome } in committed {
            self.committing_count -= 1;
            self.apply(&redo);
            self.end(id, outcome, context, fx);
        }
        self.run(context, fx);
    }

    /// A sync was refused.
    pub fn sync_failed<N: Node<Record = R>>(&mut self, token: SyncToken, fx: &mut Effects<N>) {
        self.log.sync_failed(token, fx);
    }

    /// A timer ran out.
    pub fn timer<N: Host<S, Record = R>>(&mut self, key: TimerKey, fx: &mut Effects<N>) {
        if self.replication.is_some_and(|one| one.timer == key) {
            self.meet_standby(fx);
        } else {
            self.log.timer(fx);
        }
    }

    /// Takes queries once what a restart found is durable.
    fn open(&mut self) {
        let is_durable = self.log.is_durable() || self.commit == Commit::Asynchronous;
        if is_durable && self.phase == Phase::Starting {
            self.phase = Phase::Open;
        }
    }

    /// Tells the standby what is committed, or asks what it has.
    fn meet_standby<N: Host<S, Record = R>>(&self, fx: &mut Effects<N>) {
        let Some(Replication { standby, timer, .. }) = self.replication else { return };
        let again_after = match self.phase {
            Phase::TakingOver => {
                fx.send(standby, Packet::TakeOver);
                TAKE_OVER_EVERY
            }
            Phase::Starting => REPLICATE_EVERY,
            Phase::Open => {
                let rows = self.rows.iter().map(|(key, row)| (key.clone(), row.clone())).collect();
                fx.send(standby, Packet::Replicate { rows });
                REPLICATE_EVERY
            }
        };
        fx.set_timer(timer, again_after);
    }

    /// A fail-over: what the standby has is all there is.
    fn take_over<N: Host<S, Record = R>>(&mut self, rows: &Snapshot<S>, fx: &mut Effects<N>) {
        self.phase = Phase::Starting;
        self.rows = rows.iter().cloned().collect();
        self.checkpoint(fx);
        self.open();
    }

    /// Notes the query, and whether it is the first time.
    fn is_new(&mut self, from: NodeId, number: QueryNumber) -> bool {
        if !self.is_recent.insert((from, number)) {
            return false;
        }
        self.recent.push_back((from, number));
        if self.recent.len() > RECENT_MAX
            && let Some(oldest) = self.recent.pop_front()
        {
            self.is_recent.remove(&oldest);
        }
        assert_eq!(self.recent.len(), self.is_recent.len(), "the latest queries are known once each");
        true
    }

    /// Asks for one row after the other, until one is another's.
    fn take_locks<N: Host<S, Record = R>>(
        &mut self,
        id: TransactionId,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) {
        let transaction = self.transactions.get_mut(&id).expect("who asks for locks is under way");
        while let Some(key) = transaction.keys.get(transaction.taken) {
            if self.locks.ask(key, id) == Asked::Waits {
                transaction.waits_for.get_or_insert_with(|| (key.clone(), context.monotonic()));
                return;
            }
            transaction.taken += 1;
        }
        if let Some((key, since)) = transaction.waits_for.take() {
            fx.observe(Event::Waited { key, span: context.monotonic().since(since) });
        }
        self.ready.push_back(id);
    }

    /// Executes whoever has all locks; one that ends at once may make others ready.
    fn run<N: Host<S, Record = R>>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        while let Some(id) = self.ready.pop_front() {
            let transaction = &self.transactions[&id];
            if context.monotonic().since(transaction.asked_at) > STATEMENT_TIMEOUT {
                self.end(id, Outcome::Unavailable, context, fx);
                continue;
            }
            let executed = execute(&self.rows, &transaction.statements);
            if executed.changes.is_empty() {
                self.end(id, executed.outcome, context, fx);
                continue;
            }
            let redo = Redo(executed.changes.into());
            self.log.append(R::from(redo.clone()), fx);
            let committing = Committing { id, redo, outcome: executed.outcome };
            self.commit(committing, context, fx);
        }
        self.compact(fx);
    }

    fn commit<N: Host<S, Record = R>>(
        &mut self,
        committing: Committing<S>,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) {
        match self.commit {
            Commit::Synchronous => {
                let at_once = self.log.hold(committing);
                assert!(at_once.is_none(), "a record that was appended just now is not durable");
                self.committing_count += 1;
            }
            Commit::Asynchronous => {
                self.apply(&committing.redo);
                self.end(committing.id, committing.outcome, context, fx);
            }
        }
    }

    /// Answers, and gives up the locks.
    fn end<N: Host<S, Record = R>>(
        &mut self,
        id: TransactionId,
        outcome: Outcome<S>,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) {
        let Some(transaction) = self.transactions.remove(&id) else { return };
        fx.send(transaction.client, Packet::Reply { number: transaction.number, outcome });
        for key in &transaction.keys {
            let Some(next) = self.locks.release(key, id) else { continue };
            self.transactions.get_mut(&next).expect("who waits is under way").taken += 1;
            self.take_locks(next, context, fx);
        }
    }

    fn apply(&mut self, redo: &Redo<S>) {
        for (key, row) in redo.0.iter() {
            match row {
                Some(row) => self.rows.insert(key.clone(), row.clone()),
                None => self.rows.remove(key),
            };
        }
    }

    /// A log much longer than the rows is replaced by them.
    fn compact<N: Node<Record = R>>(&mut self, fx: &mut Effects<N>) {
        let records = self.log.records();
        if records.len() <= LOG_RECORDS_MIN.max(self.rows.len().saturating_mul(4)) {
            return;
        }
        self.checkpoint(fx);
    }

    /// Replaces the log by the rows, and by the commits that are on their way.
    fn checkpoint<N: Node<Record = R>>(&mut self, fx: &mut Effects<N>) {
        let rows = self.rows.iter().map(|(key, row)| (key.clone(), Some(row.clone())));
        let rows = R::from(Redo(rows.collect()));
        let records = self.log.records();
        let committing = records[records.len() - self.committing_count..].iter().cloned();
        let records = core::iter::once(rows).chain(committing).collect();
        self.log.replace(records, fx);
    }
}
