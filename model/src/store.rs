//! The store of configuration versions: who reads it knows every version that starts within the lead time.
//!
//! ```text
//!   publish ─► lead? ─► [round: all agree] ─► written ─► durable ─► lead? ─┬─► committed: shown to everybody
//!                └─► refused      └─► refused                              └─► withdrawn ─► durable ─► refused
//! ```
//!
//! Why readers know: a version is committed only if it starts at least the lead time after the latest instant it can be
//! (by the clock's interval), and while one is being made durable no read is answered. So a read answered at instant `t`
//! misses only versions committed after `t`, and those start after `t + lead`. A version that the disk took too long for is
//! withdrawn before anybody has seen it; one that a restart finds without that may have been seen, and counts.

use std::sync::Arc;

use sim::node::{Context, Effects, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use crate::config::message::{
    ConfigVersion, Host, Kept, Message, Observation, Outcome, Proposal, Question, Record, Refusal,
};
use crate::config::rounds::{Rounds, Step};
use crate::config::rules::Rules;
use crate::config::watchers::Watchers;
use crate::disk_log::{Begin, DiskLog};
use crate::ids::Version;

use self::setup::found;
pub use self::setup::{LeadTime, StoreSetup};

mod setup;

const DISK: TimerKey = TimerKey(0);
const BEAT: TimerKey = TimerKey(1);
const ROUND: TimerKey = TimerKey(2);
const STANDBY: TimerKey = TimerKey(3);

/// How often the standby hears of everything: it lags by as much.
const REPLICATE_EVERY: Span = Span::from_seconds(1);
/// How often it is asked to hand over.
const TAKE_OVER_EVERY: Span = Span::from_ms(100);
/// Versions of one store.
const VERSIONS_MAX: usize = 10_000;
/// A wait longer than this is a bug: every process reads once per poll.
const WAITING_MAX: usize = 4096;

/// What waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// What a restart found.
    Found,
    /// A version.
    Version,
    /// Its withdrawal.
    Withdrawal,
}

/// Versions that are not committed yet, and who waits for them.
#[derive(Clone, Debug)]
struct Pending {
    versions: Vec<ConfigVersion>,
    /// Nobody, if they are those that a restart found on disk.
    publisher: Option<NodeId>,
}

/// The store node.
#[derive(Clone, Debug)]
pub struct Store<R> {
    rules: Rules,
    lead: LeadTime,
    /// Committed versions, numbers and starts increasing.
    versions: Arc<[ConfigVersion]>,
    log: DiskLog<R, Stage>,
    pending: Option<Pending>,
    /// Reads that wait until the pending version is durable.
    waiting: Vec<(NodeId, Question)>,
    watchers: Option<Watchers>,
    rounds: Option<Rounds>,
    standby: Option<NodeId>,
    /// Whether it waits for what the standby has.
    is_taking_over: bool,
}

impl<R: Kept> Store<R> {
    /// A store that has begun with nothing but what is there from the beginning.
    #[must_use]
    pub fn new(rules: Rules, setup: StoreSetup) -> Self {
        Self {
            rules,
            lead: setup.lead,
            versions: setup.initial.into(),
            log: DiskLog::new(DISK),
            pending: None,
            waiting: Vec::new(),
            watchers: setup.watchers.map(|watchers| Watchers::new(watchers, BEAT)),
            rounds: setup.rounds.map(|rounds| Rounds::new(rounds, ROUND)),
            standby: setup.standby,
            is_taking_over: false,
        }
    }

    /// Begins: what survived on disk, up to the first damaged record, is committed once it is surely durable. A program
    /// older than the one that wrote it stops at once.
    pub fn start<N: Host<Record = R>>(&mut self, disk: &[R], context: &Context<'_>, fx: &mut Effects<N>) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        if let Some(watchers) = &self.watchers {
            watchers.start(fx);
        }
        if self.standby.is_some() {
            self.is_taking_over = !self.rules.own_disk_first.is_taken() && !disk.is_empty();
            self.meet_standby(fx);
        }
        let versions = found(self.log.records());
        if !versions.is_empty() && !self.is_taking_over {
            self.prepare(Pending { versions, publisher: None }, Stage::Found, fx);
        }
    }

    /// Reacts to a message.
    pub fn message<N: Host<Record = R>>(
        &mut self,
        from: NodeId,
        message: &Message,
        context: &mut Context<'_>,
        fx: &mut Effects<N>,
    ) {
        match message {
            Message::TakenOver { versions } if self.is_taking_over => self.take_over(versions, fx),
            _ if self.is_taking_over => {}
            Message::ReadVersions { question } => self.read(from, *question, fx),
            Message::Publish { version } => self.publish(from, *version, context, fx),
            Message::Watch { watch, from: after } => {
                if let Some(watchers) = &mut self.watchers {
                    watchers.watch((from, *watch), *after, &self.versions, fx);
                }
            }
            Message::Prepared { round } => {
                let step = self.rounds.as_mut().map_or(Step::Wait, |rounds| rounds.prepared(from, *round));
                self.step(step, context, fx);
            }
            Message::AskDecision { proposal } => self.tell_decision(from, proposal, fx),
            _ => {}
        }
    }

    /// A timer ran out.
    pub fn timer<N: Host<Record = R>>(&mut self, key: TimerKey, context: &Context<'_>, fx: &mut Effects<N>) {
        match key {
            BEAT => {
                let newest = (!self.is_silent()).then(|| self.last());
                if let Some(watchers) = &mut self.watchers {
                    watchers.beat(newest, context, fx);
                }
            }
            ROUND => {
                let step = self.rounds.as_mut().map_or(Step::Wait, |rounds| rounds.timer(context, fx));
                self.step(step, context, fx);
            }
            STANDBY => self.meet_standby(fx),
            _ => self.log.timer(fx),
        }
    }

    /// A sync is done.
    pub fn synced<N: Host<Record = R>>(
        &mut self,
        token: SyncToken,
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) {
        for stage in self.log.synced(token, fx) {
            self.durable(stage, context, fx);
        }
    }

    /// A sync was refused: it will be tried again.
    pub fn sync_failed<N: Host<Record = R>>(&mut self, token: SyncToken, fx: &mut Effects<N>) {
        self.log.sync_failed(token, fx);
    }

    fn read<N: Host<Record = R>>(&mut self, from: NodeId, question: Question, fx: &mut Effects<N>) {
        if self.is_silent() {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push((from, question));
            }
        } else {
            self.serve(from, question, fx);
        }
    }

    /// Whether what could be said now might be wrong in a moment.
    fn is_silent(&self) -> bool {
        self.is_taking_over || self.pending.is_some() && self.rules.reads_wait_for_commit.is_taken()
    }

    fn serve<N: Host<Record = R>>(&self, to: NodeId, question: Question, fx: &mut Effects<N>) {
        fx.observe(Observation::Served { to, question });
        let proposed = self.rounds.as_ref().and_then(Rounds::current).map(|round| round.proposal);
        let versions = Arc::clone(&self.versions);
        fx.send(to, Message::Versions { question, versions, proposed });
    }

    fn serve_waiting<N: Host<Record = R>>(&mut self, fx: &mut Effects<N>) {
        for (reader, question) in core::mem::take(&mut self.waiting) {
            self.serve(reader, question, fx);
        }
    }

    fn publish<N: Host<Record = R>>(
        &mut self,
        publisher: NodeId,
        version: ConfigVersion,
        context: &mut Context<'_>,
        fx: &mut Effects<N>,
    ) {
        if self.versions.contains(&version) {
            fx.send(publisher, Message::Published { version: version.version });
            return;
        }
        let in_round = self.rounds.as_ref().and_then(Rounds::current).map(|round| round.proposal.version);
        let pending = self.pending.iter().flat_map(|pending| &pending.versions).copied();
        let mut under_way = pending.chain(in_round).peekable();
        let is_idle = under_way.peek().is_none();
        if under_way.any(|other| other == version) {
            return;
        }
        let why = if is_idle { self.refusal(&version, context) } else { Some(Refusal::Busy) };
        match (why, &mut self.rounds) {
            (Some(why), _) => self.refuse(publisher, version.version, why, fx),
            (None, Some(rounds)) => rounds.begin(version, publisher, context, fx),
            (None, None) => self.accept(version, publisher, fx),
        }
    }

    fn accept<N: Host<Record = R>>(
        &mut self,
        version: ConfigVersion,
        publisher: NodeId,
        fx: &mut Effects<N>,
    ) {
        self.log.append(Record::Version(version).into(), fx);
        self.prepare(Pending { versions: vec![version], publisher: Some(publisher) }, Stage::Version, fx);
    }

    fn prepare<N: Host<Record = R>>(&mut self, pending: Pending, stage: Stage, fx: &mut Effects<N>) {
        if !self.rules.commit_synced.is_taken() {
            // The naive store shows and acknowledges what a power loss can still take.
            self.commit_all(pending, fx);
            return;
        }
        self.pending = Some(pending);
        let held = self.log.hold(stage);
        assert!(held.is_none(), "what was just written or found is not durable yet");
    }

    fn durable<N: Host<Record = R>>(&mut self, stage: Stage, context: &Context<'_>, fx: &mut Effects<N>) {
        let Some(pending) = self.pending.take() else { return };
        let late = match stage {
            Stage::Version if self.rules.reads_wait_for_commit.is_taken() => {
                pending.versions.first().and_then(|version| self.timing_refusal(version, context))
            }
            Stage::Found | Stage::Version | Stage::Withdrawal => None,
        };
        match (stage, late) {
            (Stage::Withdrawal, _) => self.abort(&pending, Refusal::TooSoon, fx),
            (Stage::Version, Some(_)) => {
                self.log.append(Record::Withdrawn(pending.versions[0].version).into(), fx);
                self.prepare(pending, Stage::Withdrawal, fx);
                return;
            }
            (Stage::Found | Stage::Version, _) => self.commit_all(pending, fx),
        }
        self.serve_waiting(fx);
    }

    fn commit_all<N: Host<Record = R>>(&mut self, pending: Pending, fx: &mut Effects<N>) {
        for version in pending.versions {
            self.commit(version, fx);
            if let Some(publisher) = pending.publisher {
                fx.send(publisher, Message::Published { version: version.version });
            }
        }
    }

    fn commit<N: Host<Record = R>>(&mut self, version: ConfigVersion, fx: &mut Effects<N>) {
        if version.version <= self.last() {
            return;
        }
        self.versions = self.versions.iter().copied().chain([version]).collect();
        fx.observe(Observation::Committed { version });
        if let Some(watchers) = &self.watchers {
            watchers.changed(&self.versions, fx);
        }
        if let Some(rounds) = &mut self.rounds {
            rounds.end(Outcome::Committed, fx);
        }
        assert!(
            self.versions.is_sorted_by_key(|version| (version.version, version.start_at)),
            "versions and their starts increase together"
        );
    }

    /// What is to be done about the round is done.
    fn step<N: Host<Record = R>>(&mut self, step: Step, context: &Context<'_>, fx: &mut Effects<N>) {
        let Some(round) = self.rounds.as_ref().and_then(Rounds::current) else { return };
        let (version, publisher) = (round.proposal.version, round.publisher);
        let why = match step {
            Step::Wait => return,
            _ if self.pending.is_some() => return,
            Step::Commit => self.timing_refusal(&version, context),
            Step::GiveUp => self.rules.absent_aborts.is_taken().then_some(Refusal::Absent),
        };
        match why {
            Some(why) => {
                self.abort(&Pending { versions: vec![version], publisher: Some(publisher) }, why, fx);
            }
            None => self.accept(version, publisher, fx),
        }
    }

    fn abort<N: Host<Record = R>>(&mut self, pending: &Pending, why: Refusal, fx: &mut Effects<N>) {
        if let Some(rounds) = &mut self.rounds {
            rounds.end(Outcome::Aborted, fx);
        }
        if let (Some(version), Some(publisher)) = (pending.versions.first(), pending.publisher) {
            self.refuse(publisher, version.version, why, fx);
        }
    }

    /// A participant has missed an outcome. Of what is not committed and not under way nothing will ever come.
    fn tell_decision<N: Host<Record = R>>(&self, to: NodeId, proposal: &Proposal, fx: &mut Effects<N>) {
        let current = self.rounds.as_ref().and_then(Rounds::current);
        if self.pending.is_some() || current.is_some_and(|round| round.proposal.round == proposal.round) {
            return;
        }
        let is_committed = self.versions.contains(&proposal.version);
        let outcome = if is_committed { Outcome::Committed } else { Outcome::Aborted };
        fx.send(to, Message::Decided { proposal: *proposal, outcome });
    }

    fn refuse<N: Host<Record = R>>(
        &self,
        publisher: NodeId,
        version: Version,
        why: Refusal,
        fx: &mut Effects<N>,
    ) {
        fx.observe(Observation::Refused { version, why });
        fx.send(publisher, Message::PublishRefused { version, last: self.last(), why });
    }

    fn refusal(&self, version: &ConfigVersion, context: &Context<'_>) -> Option<Refusal> {
        let is_later = self.versions.last().is_none_or(|last| version.start_at > last.start_at);
        if version.version != self.last().next() || !is_later {
            return Some(Refusal::NotNext);
        }
        if self.versions.len() >= VERSIONS_MAX {
            return Some(Refusal::Full);
        }
        self.timing_refusal(version, context)
    }

    /// Why `version` must not be committed now, if it must not.
    fn timing_refusal(&self, version: &ConfigVersion, context: &Context<'_>) -> Option<Refusal> {
        if self.rules.lead_checked.is_taken() { self.lead.refusal(version, context.interval()) } else { None }
    }

    fn last(&self) -> Version {
        self.versions.last().map_or(Version(0), |last| last.version)
    }

    fn meet_standby<N: Host<Record = R>>(&self, fx: &mut Effects<N>) {
        let Some(standby) = self.standby else { return };
        let (message, again_after) = if self.is_taking_over {
            (Message::TakeOver, TAKE_OVER_EVERY)
        } else {
            (Message::Replicate { versions: Arc::clone(&self.versions) }, REPLICATE_EVERY)
        };
        fx.send(standby, message);
        fx.set_timer(STANDBY, again_after);
    }

    /// A fail-over: what the standby has is all there is.
    fn take_over<N: Host<Record = R>>(&mut self, versions: &Arc<[ConfigVersion]>, fx: &mut Effects<N>) {
        self.is_taking_over = false;
        self.versions = Arc::clone(versions);
        self.log.replace(versions.iter().map(|version| Record::Version(*version).into()).collect(), fx);
        self.serve_waiting(fx);
    }
}

#[cfg(test)]
mod tests;
