//! Replicated channels as scenarios know them: users who post and read, nodes that subscribe, drop, come and go.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `channel-N` | what was posted, what the log showed, and what each subscription was given | no loss, exactly once, convergence |
//! | `sessions-N` | how far each session read and wrote, over all nodes | the four session guarantees |
//!
//! A subscription that stands at the end, and began before the workload ended, must have everything.

use model::client::Operation;
use model::replication::broadcast::message::{Call, Observation, Request};
use model::replication::broadcast::rules::Rules;
use model::replication::broadcast::{self, build};
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::node::NodeId;
use sim::time::Span;

use super::common::{Clients, Load, accept_label, patience};
use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};

mod channels;
mod sessions;
mod workload;

const LOG: NodeId = broadcast::Shape::LOG;

/// Replicated channels.
#[derive(Debug)]
pub struct Replication;

/// How large the world is, and the patience of its users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Service nodes.
    pub services: Bounded<1, 100>,
    /// Users.
    pub clients: Bounded<1, 500>,
    /// Channels.
    pub channels: Bounded<1, 1_000>,
    /// Messages of one channel, at most.
    pub messages_max: Bounded<1, 1_000_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a user waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long a user tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
}

/// What is asked, of whom, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Requests of all users together, each second.
    pub requests_per_s: Bounded<1, 100_000>,
    /// Shares of the operations; only their proportions count.
    pub mix: Mix,
    /// How often each node drops a channel; 0 is never.
    pub unsubscribe_every_ms: Bounded<0, 3_600_000>,
    /// How often each node leaves; 0 is never.
    pub leave_every_ms: Bounded<0, 3_600_000>,
    /// How long it stays away.
    pub away_ms: Bounded<1, 600_000>,
}

/// Shares of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mix {
    /// Put a message into a channel.
    pub post: Bounded<0, 1_000>,
    /// Ask how far a node is in a channel.
    pub read: Bounded<0, 1_000>,
    /// Put a message into a channel that does not exist.
    pub stray: Bounded<0, 1_000>,
}

impl System for Replication {
    const NAME: &'static str = "replication";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("nodes-beside-log", "replication", "convergence"),
        Mutant::new("channels-in-memory", "replication", "no-loss"),
        Mutant::new("shown-before-sync", "replication", "no-loss"),
        Mutant::new("ack-on-forwarding", "replication", "no-loss"),
        Mutant::new("message-stored-twice", "replication", "exactly-once"),
        Mutant::new("reader-skips-gap", "replication", "convergence"),
        Mutant::new("reader-never-asks-again", "replication-quiet", "no-loss"),
        Mutant::new("fail-over-goes-back", "replication", "monotonic-reads"),
        Mutant::new("own-message-late", "replication", "read-your-writes"),
    ];
    type Rules = Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = broadcast::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { workload, timing, shape, .. } = parameters;
        if workload.mix.total() == 0 {
            return Err("`workload.mix`: all shares are 0; expected one above".to_owned());
        }
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        let load = Load { requests_max: 1_000_000, ..Load::of(workload.requests_per_s.get()) };
        load.check_clients(clients, timing)?;
        if shape.timeout_ms.get() > shape.deadline_ms.get() {
            return Err("`shape.timeout-ms`: expected at most `deadline-ms`".to_owned());
        }
        Ok(())
    }

    fn members(parameters: &Parameters<Self>, rules: Rules) -> Vec<Member<Self::Node>> {
        let service = Span::from_us(parameters.shape.service_us.get());
        let member = |node: broadcast::Member| {
            let (role, label) = role(&node);
            Member { role, label, node, service }
        };
        build(&world(parameters), rules).into_iter().map(member).collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        workload::requests(parameters, seed)
    }

    fn accept(parameters: &Parameters<Self>, label: &str, request: &Request) -> Result<(), ForeignRequest> {
        let (name, asked) = match request {
            Request::Operation(_) => ("an operation", "client"),
            Request::Unsubscribe { .. } => ("an end of its subscription", "service"),
            Request::Leave | Request::Join => ("leaving or joining", "service"),
        };
        accept_label(label, asked, name)?;
        match request {
            Request::Unsubscribe { channel } if u64::from(channel.0) >= parameters.shape.channels.get() => {
                Err(ForeignRequest::Unknown { what: "channel", name: channel.0.to_string() })
            }
            Request::Operation(_) | Request::Unsubscribe { .. } | Request::Leave | Request::Join => Ok(()),
        }
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let parameters = setting.parameters;
        let mut families = channels::record(parameters, seen);
        families.extend(sessions::record(parameters.shape.channels.get_u32(), setting.clients, seen));
        let progress = Progress::of(seen, parameters.timing.late_from(), operation);
        Recorded { families, progress }
    }
}

/// The world of these parameters.
fn world(parameters: &Parameters<Replication>) -> broadcast::Shape {
    let shape = &parameters.shape;
    broadcast::Shape {
        service_count: shape.services.get_u32(),
        client_count: shape.clients.get_u32(),
        channel_count: shape.channels.get_u32(),
        messages_max: shape.messages_max.get_u32() as usize,
        patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
    }
}

const fn role(member: &broadcast::Member) -> (Role, &'static str) {
    match member {
        broadcast::Member::Broker(_) => (Role::Broker, "broker"),
        broadcast::Member::Log(_) => (Role::Log, "log"),
        broadcast::Member::Service(_) => (Role::Service, "service"),
        broadcast::Member::Client(_) => (Role::Client, "client"),
    }
}

/// The operation that an observation is about.
const fn operation(observation: &Observation) -> Option<&Operation<Call>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        _ => None,
    }
}
