//! The parts that the capacity service can be put together from, as scenario files name them.
//!
//! | key of `[shape]` | choices, the default first |
//! |---|---|
//! | `config` | `pull`, `cached`, `push`, `two-phase`: how limits come to the service nodes |
//! | `counter` | `sharded`, `singleton`, `compare-and-set`, `stream`: who decides about slots |
//! | `log` | `single`, `consensus` (on `log-nodes` nodes, 3 or 5): what the journal stands on |

use model::config::distribution::Mode;
use model::counter::decider::Deciding;
use model::counter::membership::{Placing, owner_among};
use model::ids::SlotId;
use serde::{Deserialize, Serialize};
use sim::node::NodeId;
use sim::time::Span;

/// How limits come to the service nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigPart {
    /// Each reads the store.
    #[default]
    Pull,
    /// Each reads a cache, which keeps an answer for as long as a node does.
    Cached,
    /// The store tells those that watch.
    Push,
    /// All of them agree before a version counts.
    TwoPhase,
}

/// How many versions a watch can go back: so few that some have been compacted away when a node comes back.
const KEPT_VERSIONS: usize = 1;
/// How long agreeing may take.
const PREPARE_WITHIN: Span = Span::from_ms(800);

impl ConfigPart {
    /// What the model makes of it, where a node keeps what it read for `poll_every`.
    #[must_use]
    pub const fn mode(self, poll_every: Span) -> Mode {
        match self {
            Self::Pull => Mode::Pull,
            Self::Cached => Mode::Cached { ttl: poll_every, replica_lag: None },
            Self::Push => Mode::Push { kept_count: KEPT_VERSIONS },
            Self::TwoPhase => Mode::TwoPhase { prepare_within: PREPARE_WITHIN },
        }
    }
}

/// Who decides about slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CounterPart {
    /// Each slot has an owner; the service nodes share the slots.
    #[default]
    Sharded,
    /// One service node owns all slots, and another one when it is gone.
    Singleton,
    /// Whoever is asked, on condition that nothing came between: the store's compare and set.
    CompareAndSet,
    /// Every service node alike: questions take their places in the journal, and are decided there.
    Stream,
}

impl CounterPart {
    /// What the model makes of it.
    #[must_use]
    pub const fn deciding(self) -> Deciding {
        match self {
            Self::Sharded => Deciding::Owned(Placing::Sharded),
            Self::Singleton => Deciding::Owned(Placing::Singleton),
            Self::CompareAndSet => Deciding::CompareAndSet,
            Self::Stream => Deciding::Stream,
        }
    }

    /// Who owns a slot while everybody is alive, if anybody does.
    #[must_use]
    pub fn owner(self, services: &[NodeId], slot: SlotId) -> Option<NodeId> {
        match self {
            Self::Sharded => owner_among(services, slot),
            Self::Singleton => services.first().copied(),
            Self::CompareAndSet | Self::Stream => None,
        }
    }
}

/// What the journal stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogPart {
    /// One durable node.
    #[default]
    Single,
    /// Several that decide by majority.
    Consensus,
}

impl LogPart {
    /// How many nodes it stands on, if there are so many where there are several.
    #[must_use]
    pub const fn count(self, several: u32) -> u32 {
        match self {
            Self::Single => 1,
            Self::Consensus => several,
        }
    }
}
