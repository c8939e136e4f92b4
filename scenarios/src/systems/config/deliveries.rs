//! The ways of delivering a configuration: their figures in scenario files, and the planted defects that each shows.

use core::fmt::Debug;

use model::config::distribution::Mode;
use serde::{Deserialize, Serialize};
use sim::time::Span;

use crate::bounded::Bounded;
use crate::system::{Mutant, Section};

/// A way of delivering versions.
pub trait Delivery: Debug + Send + Sync + 'static {
    /// The system's name.
    const NAME: &'static str;
    /// The planted defects that it shows.
    const MUTANTS: &'static [Mutant];
    /// Its own figures: `shape.delivery` of a scenario file.
    type Own: Section;

    /// What the model makes of them.
    fn mode(own: &Self::Own) -> Mode;
}

/// Each process reads the store.
#[derive(Debug)]
pub struct Pull;

/// Each process reads a cache.
#[derive(Debug)]
pub struct Cached;

/// The store tells those that watch.
#[derive(Debug)]
pub struct Push;

/// All processes agree before a version counts.
#[derive(Debug)]
pub struct TwoPhase;

/// No figures of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The figures of a cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CachedFigures {
    /// How long the cache keeps an answer.
    pub ttl_ms: Bounded<1, 3_600_000>,
    /// How far the replica lags that is read; without it the cache itself is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_lag_ms: Option<Bounded<1, 3_600_000>>,
}

/// The figures of a watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PushFigures {
    /// How many versions a watch can go back; older ones are compacted away.
    pub kept_versions: Bounded<1, 10_000>,
}

/// The figures of two phases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TwoPhaseFigures {
    /// How long agreeing may take; then the version is aborted.
    pub prepare_within_ms: Bounded<1, 3_600_000>,
}

impl Delivery for Pull {
    const NAME: &'static str = "config-pull";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("no-clock-margin", "clock-steps", "switch-a"),
        Mutant::new("lease-ignored", "config-switch", "switch-c"),
        Mutant::new("switch-undone", "clock-steps", "switch-b"),
        Mutant::new("batch-keeps-version", "config-switch", "switch-f"),
        Mutant::new("default-configuration", "config-switch", "switch-d"),
        Mutant::new("late-publication", "config-switch", "switch-a"),
        Mutant::new("checked-before-stall", "config-switch", "switch-a"),
        Mutant::new("failover-forgets", "config-switch", "switch-a"),
    ];
    type Own = Nothing;

    fn mode(Nothing {}: &Nothing) -> Mode {
        Mode::Pull
    }
}

impl Delivery for Cached {
    const NAME: &'static str = "config-cached";
    const MUTANTS: &'static [Mutant] = &[Mutant::new("cache-renews-lease", "config-cached", "switch-c")];
    type Own = CachedFigures;

    fn mode(own: &CachedFigures) -> Mode {
        let ttl = Span::from_ms(own.ttl_ms.get());
        Mode::Cached { ttl, replica_lag: own.replica_lag_ms.as_ref().map(|lag| Span::from_ms(lag.get())) }
    }
}

impl Delivery for Push {
    const NAME: &'static str = "config-push";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("watch-skips-revision", "config-push", "switch-a"),
        Mutant::new("heartbeat-unread", "config-push", "switch-a"),
        Mutant::new("silence-extends", "config-push", "switch-c"),
        Mutant::new("compaction-ignored", "config-push", "switch-a"),
    ];
    type Own = PushFigures;

    fn mode(own: &PushFigures) -> Mode {
        Mode::Push { kept_count: own.kept_versions.get() as usize }
    }
}

impl Delivery for TwoPhase {
    const NAME: &'static str = "config-two-phase";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("decision-guessed", "config-two-phase", "switch-a"),
        Mutant::new("absent-ignored", "config-two-phase", "switch-a"),
        Mutant::new("joiner-waits", "config-two-phase", "switch-e"),
    ];
    type Own = TwoPhaseFigures;

    fn mode(own: &TwoPhaseFigures) -> Mode {
        Mode::TwoPhase { prepare_within: Span::from_ms(own.prepare_within_ms.get()) }
    }
}
