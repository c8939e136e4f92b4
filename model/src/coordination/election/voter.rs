//! A voter: follows, stands, leads; its epoch and its vote are on disk before anybody hears of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::{MonotonicTime, Span};

use super::{Answer, Fx, Message, Observation, Record, Rules, Write};
use crate::client::{Ask, Reply};
use crate::coordination::fenced::{Fate, FencedReply, FencedWrite};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::RequestKey;

/// A client's write on its way to a resource.
#[derive(Clone, Copy, Debug)]
struct Pending {
    client: NodeId,
    write: FencedWrite,
}

/// What a voter is at the moment.
#[derive(Clone, Debug)]
enum Standing {
    Follower,
    /// It has these votes.
    Candidate(BTreeSet<NodeId>),
    Leader {
        /// When each follower was last heard, or when it became leader.
        heard: BTreeMap<NodeId, MonotonicTime>,
        /// What clients wait for.
        pending: BTreeMap<RequestKey, Pending>,
        /// Writes so far.
        numbers: u32,
    },
}

/// What waits until the voter's epoch and vote are durable.
#[derive(Clone, Copy, Debug)]
struct Voted {
    epoch: u64,
    /// Itself, if it stands.
    candidate: NodeId,
}

/// The voter node. It uses the timers 0 and 1.
#[derive(Clone, Debug)]
pub struct Voter {
    rules: Rules,
    others: Arc<[NodeId]>,
    resources: Arc<[NodeId]>,
    timeout: Span,
    epoch: u64,
    voted_for: Option<NodeId>,
    standing: Standing,
    log: DiskLog<Record, Voted>,
}

const ELECTION: TimerKey = TimerKey(0);
const DISK: TimerKey = TimerKey(1);
/// The election of everything in a world: they have only this one.
const LOCK: u32 = 0;
/// A quorum of three nodes.
const OUTGROWN_QUORUM: usize = 2;
/// How often a leader shows itself: so many times in the timeout of its followers.
const LEADS_PER_TIMEOUT: u64 = 3;
/// Writes that a leader may have on their way; a forgotten one is asked for again.
const PENDING_MAX: usize = 1_024;
/// Records on disk before all but the last are dropped.
const RECORDS_MAX: usize = 256;

impl Voter {
    /// A follower in no epoch yet.
    #[must_use]
    pub fn new(rules: Rules, others: Arc<[NodeId]>, resources: Arc<[NodeId]>, timeout: Span) -> Self {
        Self {
            rules,
            others,
            resources,
            timeout,
            epoch: 0,
            voted_for: None,
            standing: Standing::Follower,
            log: DiskLog::new(DISK),
        }
    }

    /// Begins with the epoch and the vote that survived.
    pub fn start(&mut self, disk: &[Record], context: &mut Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        let mut votes = self.log.records().iter().filter_map(|record| match record {
            Record::Vote { epoch, candidate } => Some((*epoch, *candidate)),
            Record::Written(_) | Record::Format(_) => None,
        });
        (self.epoch, self.voted_for) = votes.next_back().unwrap_or_default();
        self.wait(context, fx);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, context: &mut Context<'_>, fx: &mut Fx) {
        match message {
            Message::Ask(ask) => self.ask(from, ask, fx),
            Message::Stand { epoch } => self.stood(from, epoch, context, fx),
            Message::Vote { epoch } => self.voted(from, epoch, context, fx),
            Message::Lead { epoch } => self.led(from, epoch, context, fx),
            Message::Follow { epoch } => self.followed(from, epoch, context, fx),
            Message::Wrote(reply) => self.wrote(reply, context, fx),
            Message::Answer(_) | Message::Write(_) => {}
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, context: &mut Context<'_>, fx: &mut Fx) {
        if key == DISK {
            return self.log.timer(fx);
        }
        match &self.standing {
            Standing::Follower | Standing::Candidate(_) => self.stand(context, fx),
            Standing::Leader { heard, .. } => {
                let is_near = |at: &&MonotonicTime| context.monotonic().since(**at) < self.timeout;
                let is_heard = heard.values().filter(is_near).count() + 1 >= self.quorum();
                if is_heard || !self.rules.steps_down.is_taken() {
                    self.lead(fx);
                } else {
                    self.follow(context, fx);
                }
            }
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, context: &mut Context<'_>, fx: &mut Fx) {
        for voted in self.log.synced(token, fx) {
            self.release(voted, context, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.log.sync_failed(token, fx);
    }

    fn quorum(&self) -> usize {
        if self.rules.majority_quorum.is_taken() {
            self.others.len().div_ceil(2) + 1
        } else {
            OUTGROWN_QUORUM
        }
    }

    /// Waits for a leader, for a time that differs from voter to voter so that seldom two stand at once.
    fn wait(&self, context: &mut Context<'_>, fx: &mut Fx) {
        let after = context.chance().span_between(self.timeout, self.timeout.times(2));
        fx.set_timer(ELECTION, after);
    }

    /// Becomes a follower of whoever leads. Clients that wait hear nothing, and ask elsewhere.
    fn follow(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        self.standing = Standing::Follower;
        self.wait(context, fx);
    }

    /// Enters a newer epoch, in which it has not voted. Its vote or its next question makes that durable.
    fn enter(&mut self, epoch: u64, context: &mut Context<'_>, fx: &mut Fx) {
        if epoch > self.epoch {
            (self.epoch, self.voted_for) = (epoch, None);
            self.follow(context, fx);
        }
    }

    fn stand(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        self.epoch += 1;
        self.standing = Standing::Candidate(BTreeSet::new());
        self.wait(context, fx);
        self.vote_for(context.id(), context, fx);
    }

    fn stood(&mut self, candidate: NodeId, epoch: u64, context: &mut Context<'_>, fx: &mut Fx) {
        self.enter(epoch, context, fx);
        let is_free = self.voted_for.is_none_or(|voted_for| voted_for == candidate);
        if epoch == self.epoch && is_free {
            self.wait(context, fx);
            self.vote_for(candidate, context, fx);
        } else if epoch < self.epoch {
            fx.send(candidate, Message::Follow { epoch: self.epoch });
        }
    }

    fn vote_for(&mut self, candidate: NodeId, context: &mut Context<'_>, fx: &mut Fx) {
        self.voted_for = Some(candidate);
        let voted = Voted { epoch: self.epoch, candidate };
        if !self.rules.vote_logged.is_taken() {
            return self.release(voted, context, fx);
        }
        let record = Record::Vote { epoch: self.epoch, candidate: self.voted_for };
        if self.log.records().len() < RECORDS_MAX {
            self.log.append(record, fx);
        } else {
            self.log.replace(vec![record], fx);
        }
        if let Some(voted) = self.log.hold(voted) {
            self.release(voted, context, fx);
        }
    }

    /// Gives a vote, or counts its own and asks for the others'.
    fn release(&mut self, voted: Voted, context: &mut Context<'_>, fx: &mut Fx) {
        let Voted { epoch, candidate } = voted;
        if candidate != context.id() {
            fx.send(candidate, Message::Vote { epoch });
        } else if epoch == self.epoch {
            for other in self.others.iter() {
                fx.send(*other, Message::Stand { epoch });
            }
            self.voted(candidate, epoch, context, fx);
        }
    }

    fn voted(&mut self, voter: NodeId, epoch: u64, context: &Context<'_>, fx: &mut Fx) {
        let quorum = self.quorum();
        let Standing::Candidate(votes) = &mut self.standing else { return };
        if epoch != self.epoch {
            return;
        }
        votes.insert(voter);
        if votes.len() >= quorum {
            let now = context.monotonic();
            let heard = self.others.iter().map(|other| (*other, now)).collect();
            self.standing = Standing::Leader { heard, pending: BTreeMap::new(), numbers: 0 };
            fx.observe(Observation::Elected { epoch });
            self.lead(fx);
        }
    }

    fn lead(&self, fx: &mut Fx) {
        for other in self.others.iter() {
            fx.send(*other, Message::Lead { epoch: self.epoch });
        }
        fx.set_timer(ELECTION, Span::from_ns(self.timeout.as_ns() / LEADS_PER_TIMEOUT));
    }

    fn led(&mut self, leader: NodeId, epoch: u64, context: &mut Context<'_>, fx: &mut Fx) {
        self.enter(epoch, context, fx);
        if epoch == self.epoch && !matches!(self.standing, Standing::Leader { .. }) {
            self.follow(context, fx);
        }
        fx.send(leader, Message::Follow { epoch: self.epoch });
    }

    fn followed(&mut self, follower: NodeId, epoch: u64, context: &mut Context<'_>, fx: &mut Fx) {
        self.enter(epoch, context, fx);
        if let Standing::Leader { heard, .. } = &mut self.standing
            && epoch == self.epoch
        {
            heard.insert(follower, context.monotonic());
        }
    }

    /// A client asks for a write; who asks again means the same one.
    fn ask(&mut self, client: NodeId, ask: Ask<Write>, fx: &mut Fx) {
        let Ask { request, call: Write { resource }, .. } = ask;
        let Some(resource) = self.resources.get(resource as usize).copied() else {
            return reply(client, request, Answer::NoSuchResource, fx);
        };
        let Standing::Leader { pending, numbers, .. } = &mut self.standing else {
            return reply(client, request, Answer::NotLeader, fx);
        };
        if pending.len() == PENDING_MAX {
            pending.pop_first();
        }
        let token = self.epoch;
        let Pending { write, .. } = *pending.entry(request).or_insert_with(|| {
            *numbers += 1;
            Pending { client, write: FencedWrite { lock: LOCK, token, number: *numbers } }
        });
        fx.send(resource, Message::Write(write));
    }

    /// The resource has written, or knows a newer leader.
    fn wrote(&mut self, answer: FencedReply, context: &mut Context<'_>, fx: &mut Fx) {
        let epoch = self.epoch;
        let Standing::Leader { pending, .. } = &mut self.standing else { return };
        let is_meant = |(_, pending): &(&RequestKey, &Pending)| pending.write == answer.write;
        let Some((&request, &Pending { client, .. })) = pending.iter().find(is_meant) else { return };
        pending.remove(&request);
        match answer.fate {
            Fate::Written => reply(client, request, Answer::Written { epoch }, fx),
            Fate::Fenced => {
                reply(client, request, Answer::NotLeader, fx);
                self.follow(context, fx);
            }
        }
    }
}

fn reply(client: NodeId, request: RequestKey, answer: Answer, fx: &mut Fx) {
    fx.send(client, Message::Answer(Reply { request, answer }));
}

#[cfg(test)]
impl Voter {
    /// Whether it takes itself for the leader.
    pub(super) const fn is_leader(&self) -> bool {
        matches!(self.standing, Standing::Leader { .. })
    }
}
