//! What nodes can run on: the same state machines, under another scheduler and another network.
//!
//! ```text
//!                  ┌► kernel     our event queue; every fault, every clock
//!   WorldSetup ────┼► turmoil    a host a node, bytes over its TCP, in ticks ──► Evidence
//!   until when     └► madsim     a madsim node a node, bytes over its TCP, from timer to timer
//! ```
//!
//! A substrate says which families of faults it can express; a plan with another is refused before the run. Each
//! machine (clocks, timers, disk, service time, the node's own chance) is the kernel's everywhere; scheduler and
//! network are the substrate's own.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::checkpoints::Checkpoints;
use crate::digest::DigestValue;
use crate::fault::{Family, FaultPlan};
use crate::kernel::{ClockSample, MessageCounts, Observed};
use crate::ledger::Ledger;
use crate::network_profile::NetworkProfile;
use crate::setup::SetupError;
use crate::time::TrueTime;
use crate::trace::TraceEvent;

#[cfg(feature = "substrates")]
mod conductor;
#[cfg(feature = "substrates")]
mod driver;
#[cfg(feature = "substrates")]
mod erased;
#[cfg(feature = "substrates")]
pub mod frame;
#[cfg(feature = "substrates")]
pub mod guest;
pub mod kernel;
#[cfg(feature = "substrates")]
mod links;
#[cfg(feature = "substrates")]
mod machine;
#[cfg(all(feature = "substrates", madsim))]
pub mod madsim;
#[cfg(feature = "substrates")]
mod outlet;
#[cfg(feature = "substrates")]
mod room;
#[cfg(feature = "substrates")]
mod run;
#[cfg(feature = "substrates")]
mod traffic;
#[cfg(feature = "substrates")]
pub mod turmoil;

#[cfg(feature = "substrates")]
pub use run::run;

/// What nodes run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Substrate {
    /// Our own event queue.
    #[default]
    Kernel,
    /// turmoil's hosts and TCP.
    Turmoil,
    /// madsim's nodes and TCP; only in a build with `--cfg madsim`.
    Madsim,
}

/// The longest a run goes, and when its faults are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// From then on, no fault happens any more, and the nodes that are down start again; none if faults go on.
    pub faults_end: Option<TrueTime>,
    /// When the run ends.
    pub end: TrueTime,
}

/// What a run leaves, whatever it ran on.
#[derive(Clone, Debug)]
pub struct Evidence<O> {
    /// What the nodes told the recorder, in the order in which it left them.
    pub observations: Vec<Observed<O>>,
    /// Everything that happened, in 128 bits. Digests of different substrates have nothing to do with one another.
    pub digest: DigestValue,
    /// Digests on the way; only the kernel keeps any.
    pub checkpoints: Checkpoints,
    /// How many events were processed.
    pub events: u64,
    /// What became of messages.
    pub messages: MessageCounts,
    /// When the run ended.
    pub now: TrueTime,
    /// The readable trace, if it was asked for.
    pub trace: Vec<TraceEvent>,
    /// The clocks, if they were to be sampled.
    pub clock_samples: Vec<ClockSample>,
    /// What became of the planned faults.
    pub ledger: Ledger,
}

impl<O> Evidence<O> {
    /// The observations, and all the rest.
    #[must_use]
    pub fn split(self) -> (Vec<Observed<O>>, Evidence<()>) {
        let Self { observations, digest, checkpoints, events, messages, now, trace, clock_samples, ledger } =
            self;
        let none = Vec::new();
        let rest = Evidence {
            observations: none,
            digest,
            checkpoints,
            events,
            messages,
            now,
            trace,
            clock_samples,
            ledger,
        };
        (observations, rest)
    }
}

impl Evidence<()> {
    /// The same with those observations.
    #[cfg(feature = "substrates")]
    fn with<O>(self, observations: Vec<Observed<O>>) -> Evidence<O> {
        let Self {
            observations: _,
            digest,
            checkpoints,
            events,
            messages,
            now,
            trace,
            clock_samples,
            ledger,
        } = self;
        Evidence { observations, digest, checkpoints, events, messages, now, trace, clock_samples, ledger }
    }
}

/// Why nothing can be run on a substrate, or a run on it came to no end.
#[derive(Debug, thiserror::Error)]
pub enum SubstrateError {
    /// The setup.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A planned fault.
    #[error("fault {index} of the plan ({family} at {at}): {substrate} cannot do this: {reason}")]
    Family {
        /// Its place in the plan, from 0.
        index: usize,
        /// Its family.
        family: Family,
        /// When it would begin.
        at: crate::time::Span,
        /// On what.
        substrate: Substrate,
        /// Why it cannot be expressed.
        reason: &'static str,
    },
    /// It is not in this build.
    #[error(
        "{substrate} is not in this build, which was made without `--cfg madsim`: an exported RUSTFLAGS takes the place \
         of the one in .cargo/config.toml; unset RUSTFLAGS, or add `--cfg madsim` to it, and build again"
    )]
    NotBuilt {
        /// What was asked for.
        substrate: Substrate,
    },
    /// There are too many nodes for it.
    #[error("{count} nodes are too many for {substrate}, which takes {most}")]
    NodeCount {
        /// How many there are.
        count: usize,
        /// On what.
        substrate: Substrate,
        /// How many it takes.
        most: usize,
    },
    /// A message could not be written or read as bytes.
    #[cfg(feature = "substrates")]
    #[error("{node}: {error}")]
    Frame {
        /// At which node.
        node: crate::node::NodeId,
        /// What is wrong.
        error: frame::FrameError,
    },
    /// A service of others cannot be called that.
    #[cfg(feature = "substrates")]
    #[error(
        "host {index} cannot be called {name:?}: expected a letter, then letters, digits and hyphens, and no name twice"
    )]
    HostName {
        /// Its place in the setup, from 0.
        index: usize,
        /// What it was to be called.
        name: String,
    },
    /// The simulator itself gave up.
    #[error("{substrate} gave up: {found}")]
    GaveUp {
        /// Which.
        substrate: Substrate,
        /// What it said.
        found: String,
    },
}

impl Substrate {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kernel, Self::Turmoil, Self::Madsim];

    /// Its name in commands and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Turmoil => "turmoil",
            Self::Madsim => "madsim",
        }
    }

    /// The substrate of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|substrate| substrate.name() == name)
    }

    /// Whether this build can run it: madsim only where the compiler was told `--cfg madsim`.
    #[must_use]
    pub const fn is_built(self) -> bool {
        match self {
            Self::Kernel => true,
            Self::Turmoil => cfg!(feature = "substrates"),
            Self::Madsim => cfg!(all(feature = "substrates", madsim)),
        }
    }

    /// Why it cannot express faults of a family; none if it can.
    ///
    /// Faults of a node and its machine are the kernel's own everywhere. Of the faults of links, a network that is
    /// not ours can do what it can do.
    #[must_use]
    pub const fn lacks(self, family: Family) -> Option<&'static str> {
        match self {
            Self::Kernel => None,
            Self::Turmoil | Self::Madsim => lacking_on_streams(family),
        }
    }

    /// Whether the losses, doubles and reorderings of a network profile happen on it.
    #[must_use]
    pub const fn has_lossy_links(self) -> bool {
        matches!(self, Self::Kernel)
    }

    /// What of a network profile it leaves out, by the names of the profile's keys.
    #[must_use]
    pub fn left_out_of(self, network: &NetworkProfile) -> Vec<&'static str> {
        if self.has_lossy_links() {
            return Vec::new();
        }
        let never = crate::chance::Ratio::NEVER;
        let figures = [
            ("loss", network.loss != never),
            ("duplication", network.duplication != never),
            ("reorder", network.reorder != never),
            ("burst", network.burst.is_some()),
            ("corruption", network.corruption != never),
            ("bandwidth", network.bandwidth.is_some()),
        ];
        figures.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
    }

    /// Whether it can express every fault of a plan.
    ///
    /// # Errors
    /// Names the first that it cannot, and why.
    pub fn accept(self, plan: &FaultPlan) -> Result<(), SubstrateError> {
        self.accept_but_for(plan, |family| self.lacks(family))
    }

    /// Whether every fault of a plan can happen where those families are lacking.
    fn accept_but_for(
        self,
        plan: &FaultPlan,
        lacks: impl Fn(Family) -> Option<&'static str>,
    ) -> Result<(), SubstrateError> {
        for (index, planned) in plan.faults.iter().enumerate() {
            let family = planned.fault.family();
            if let Some(reason) = lacks(family) {
                let at = planned.at.since(TrueTime::ZERO);
                return Err(SubstrateError::Family { index, family, at, substrate: self, reason });
            }
        }
        Ok(())
    }
}

/// What a network of streams cannot do.
const fn lacking_on_streams(family: Family) -> Option<&'static str> {
    match family {
        Family::Noise | Family::Burst | Family::Corruption | Family::Reordering => {
            Some("a stream neither loses nor doubles messages, and delays none alone")
        }
        Family::SlowLink | Family::Throttle => Some("its links have one latency, and no bandwidth"),
        Family::Crash
        | Family::PowerLoss
        | Family::Stop
        | Family::Restart
        | Family::Pause
        | Family::PauseMidway
        | Family::Slow
        | Family::Cut
        | Family::Reset
        | Family::ClockStep
        | Family::ClockDrift
        | Family::ClockLie
        | Family::ClockFreeze
        | Family::ClockStrobe
        | Family::ClockSyncLoss
        | Family::DiskStall
        | Family::DiskError
        | Family::DiskLie
        | Family::RestartAs
        | Family::TornWrite
        | Family::DiskSlow
        | Family::DiskFull
        | Family::BitRot => None,
    }
}

impl fmt::Display for Substrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
