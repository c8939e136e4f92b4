//! The parts that the capacity service can be put together from, as scenario files name them.
//!
//! | key of `[shape]` | choices, the default first |
//! |---|---|
//! | `config` | `pull`, `cached`, `push`, `two-phase`: how limits come to the service nodes |
//! | `log` | `single`: what the journal stands on |

use model::config::distribution::Mode;
use serde::{Deserialize, Serialize};
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

/// What the journal stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogPart {
    /// One durable node.
    #[default]
    Single,
}
