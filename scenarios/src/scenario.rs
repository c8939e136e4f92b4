//! A scenario: a world, a workload, what goes wrong and what is promised, as data.
//!
//! The types here are the schema of a scenario file: a wrong key, type or range is refused with line and column.

use serde::{Deserialize, Serialize};
use sim::chance::Ratio;
use sim::clock_profile::ClockProfile;
use sim::disk_profile::DiskProfile;
use sim::fault::Family;
use sim::network_profile::NetworkProfile;
use sim::time::Span;

use crate::bounded::Bounded;

pub use crate::scenario_file::{ScenarioError, accept_settings, load};

/// Which systems there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// Capacity counters under scheduled limits, journalled on the log, read through replicas.
    Capacity,
    /// Processes that pull a scheduled configuration and run tasks under it.
    ConfigPull,
}

impl System {
    /// Its name in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::ConfigPull => "config-pull",
        }
    }
}

/// A scenario, resolved: nothing left to look up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// Its name; safe as a folder name.
    pub name: String,
    /// Which system it runs.
    pub system: System,
    /// One sentence.
    pub summary: String,
    /// Names of the checks that must hold.
    pub checks: Vec<String>,
    /// How large the world is.
    pub shape: Shape,
    /// How long its phases are.
    pub timing: Timing,
    /// How good its clocks are.
    pub clock: ClockProfile,
    /// How good its network is.
    pub network: NetworkProfile,
    /// How fast its disks are.
    pub disk: DiskProfile,
    /// What is asked.
    pub workload: Workload,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Nemesis>,
}

/// How large the world is, and the system's own timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Service nodes.
    pub services: Bounded<0, 150>,
    /// Clients.
    pub clients: Bounded<0, 500>,
    /// Processes that run tasks.
    pub workers: Bounded<0, 150>,
    /// Slots of the service.
    pub slots: Bounded<0, 100_000>,
    /// Limit of the version that is there from the beginning; 0 is none.
    pub initial_limit: Bounded<0, 1_000_000>,
    /// Versions are published at least that long before their start.
    pub lead_ms: Bounded<1, 3_600_000>,
    /// How often a process reads the store.
    pub poll_ms: Bounded<1, 3_600_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a client waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long a client tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
}

/// How long the phases are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Timing {
    /// Faults and workload.
    pub chaos_s: Bounded<1, 86_400>,
    /// No faults any more; the workload goes on.
    pub heal_s: Bounded<1, 86_400>,
    /// The workload has ended, too.
    pub quiet_s: Bounded<1, 86_400>,
    /// From the end of the faults, the system has this long to work again.
    pub recover_s: Bounded<1, 86_400>,
    /// How often clocks are sampled for the report.
    pub sample_ms: Bounded<10, 60_000>,
}

impl Timing {
    /// From the start to the end of the faults.
    #[must_use]
    pub const fn chaos(&self) -> Span {
        Span::from_seconds(self.chaos_s.get())
    }

    /// From the start to the end of the workload.
    #[must_use]
    pub fn workload(&self) -> Span {
        self.chaos() + Span::from_seconds(self.heal_s.get())
    }

    /// From the start to the end.
    #[must_use]
    pub fn whole(&self) -> Span {
        self.workload() + Span::from_seconds(self.quiet_s.get())
    }
}

/// What is asked, of whom, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Requests of all clients together, each second.
    pub requests_per_s: Bounded<0, 1_000_000>,
    /// Shares of the operations; only their proportions count.
    pub mix: Mix,
    /// A reservation takes from 1 to that many units.
    pub units_max: Bounded<1, 1_000_000>,
    /// How often a version is published; 0 is never.
    pub publish_every_ms: Bounded<0, 3_600_000>,
    /// Limits of the versions, one after the other, then from the front again.
    pub limits: Vec<Bounded<1, 1_000_000>>,
    /// How long a worker's task takes, version by version.
    pub task_delays_ms: Vec<Bounded<1, 600_000>>,
    /// Published so much earlier than the lead time asks.
    pub slack_ms: Bounded<0, 600_000>,
    /// How often each worker gets a batch; 0 is never.
    pub batch_every_ms: Bounded<0, 3_600_000>,
    /// Tasks in a batch.
    pub batch_tasks: Bounded<1, 10_000>,
}

/// Shares of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mix {
    /// Take units.
    pub reserve: Bounded<0, 1_000>,
    /// Give an earlier order's units back.
    pub release: Bounded<0, 1_000>,
    /// Read one slot at its owner.
    pub read: Bounded<0, 1_000>,
    /// Read all slots at a replica.
    pub overview: Bounded<0, 1_000>,
}

/// Whom a fault may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The configuration's store.
    Store,
    /// The journal.
    Log,
    /// A service node.
    Service,
    /// A worker.
    Worker,
    /// A client.
    Client,
    /// The publisher.
    Publisher,
}

/// A family of faults, how hard, how often, on whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Nemesis {
    /// What goes wrong.
    pub kind: NemesisKind,
    /// To whom.
    pub on: Vec<Role>,
    /// Mean distance of two such faults.
    pub every_ms: Bounded<1, 3_600_000>,
    /// How long each lasts, or the node stays down.
    #[serde(default = "default_length")]
    pub length_ms: Range,
    /// How hard: the step of a clock in ms, a frequency error in ppm, an extra service time in us, an extra delay in
    /// ms, a claimed bound in us.
    #[serde(default = "default_amount")]
    pub amount: Range,
    /// Chance of a message to be lost or doubled, for noise.
    #[serde(default = "default_chance")]
    pub chance: Ratio,
}

impl Nemesis {
    /// A nemesis on nodes of these roles, one such fault every so many milliseconds on average; what a file may leave out
    /// is as there: a length of 200 to 4000 ms, an amount of 1 to 1000, a chance of 1/10.
    ///
    /// # Panics
    /// If `every_ms` is 0 or more than an hour.
    #[must_use]
    pub fn new(kind: NemesisKind, on: &[Role], every_ms: u64) -> Self {
        Self {
            kind,
            on: on.to_vec(),
            every_ms: Bounded::new(every_ms),
            length_ms: default_length(),
            amount: default_amount(),
            chance: default_chance(),
        }
    }
}

/// From one number to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "[u32; 2]", into = "[u32; 2]")]
pub struct Range {
    /// The smallest.
    pub min: u32,
    /// The largest.
    pub max: u32,
}

impl TryFrom<[u32; 2]> for Range {
    type Error = String;

    fn try_from([min, max]: [u32; 2]) -> Result<Self, String> {
        const LARGEST: u32 = 3_600_000;
        if min > max || max > LARGEST {
            return Err(format!("expected [min, max] with min <= max <= {LARGEST}, found [{min}, {max}]"));
        }
        Ok(Self { min, max })
    }
}

impl From<Range> for [u32; 2] {
    fn from(range: Range) -> Self {
        [range.min, range.max]
    }
}

const fn default_length() -> Range {
    Range { min: 200, max: 4_000 }
}

const fn default_amount() -> Range {
    Range { min: 1, max: 1_000 }
}

const fn default_chance() -> Ratio {
    Ratio::new(1, 10)
}

/// What a nemesis does; some do it with more than one kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NemesisKind {
    /// A process dies and comes back.
    Crash,
    /// A machine dies and comes back.
    PowerLoss,
    /// A process stops in order and comes back.
    Stop,
    /// Every node of the roles stops in order and comes back, one after the other.
    RollingRestart,
    /// A process stands still.
    Pause,
    /// A process stands still between an input and its effects.
    PauseMidway,
    /// A node is slow.
    Slow,
    /// One node loses the others, or they lose it, or both.
    Isolate,
    /// The nodes fall into two halves that do not hear one another.
    Split,
    /// The service nodes fall into two halves, yet both reach store and log.
    SplitPeers,
    /// Messages are lost, doubled and late.
    Noise,
    /// A wall clock jumps.
    ClockStep,
    /// An oscillator runs at another rate.
    ClockDrift,
    /// A clock claims a bound that does not hold.
    ClockLie,
    /// A disk stands still.
    DiskStall,
    /// A disk refuses.
    DiskError,
    /// A disk acknowledges what it does not do.
    DiskLie,
}

impl NemesisKind {
    /// The families of the faults it plans, besides restarts.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Crash => Family::Crash,
            Self::PowerLoss => Family::PowerLoss,
            Self::Stop | Self::RollingRestart => Family::Stop,
            Self::Pause => Family::Pause,
            Self::PauseMidway => Family::PauseMidway,
            Self::Slow => Family::Slow,
            Self::Isolate | Self::Split | Self::SplitPeers => Family::Cut,
            Self::Noise => Family::Noise,
            Self::ClockStep => Family::ClockStep,
            Self::ClockDrift => Family::ClockDrift,
            Self::ClockLie => Family::ClockLie,
            Self::DiskStall => Family::DiskStall,
            Self::DiskError => Family::DiskError,
            Self::DiskLie => Family::DiskLie,
        }
    }
}
