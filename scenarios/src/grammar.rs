//! The fault grammar of scenario files: which kinds of faults, when, on whom, how hard.
//!
//! ```text
//!   [[faults]]
//!   kind = "pause"               which kind
//!   on = ["service"]             on whom: the roles, and
//!   whom = "hot-key-owner"       which of their nodes
//!   around-switches-ms = 500     when: or every-ms, from-ms, until-ms
//!   length-ms = [100, 2_000]     how hard: length, amount, chance
//! ```
//!
//! What each kind makes of `amount` and `chance`, and within which bounds, stands in [`strength`].

use serde::{Deserialize, Serialize};
use sim::chance::Ratio;
use sim::fault::Family;

use crate::bounded::Bounded;

pub mod column;
pub mod strength;
pub mod validity;

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
    /// A cache between a store and those who read it.
    Cache,
    /// Who passes messages on to those who are connected.
    Broker,
    /// What is protected by a lock or an epoch.
    Resource,
    /// Who leads others through a protocol.
    Coordinator,
}

/// Which nodes of its roles one fault meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whom {
    /// One of them, each as likely as the others; all of them, for the kinds that are about all.
    #[default]
    Random,
    /// The service node that owns the slot most often asked for in the planned requests while all service nodes are
    /// alive. Of several such slots the first.
    HotKeyOwner,
    /// Fewer than half of them, drawn each time, all at once.
    Minority,
    /// The one whose wall clock would be furthest ahead at that instant if nothing had happened to the clocks.
    ClockLeader,
}

/// A kind of fault: when, on whom, how hard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Nemesis {
    /// What goes wrong.
    pub kind: NemesisKind,
    /// To whom.
    pub on: Vec<Role>,
    /// To which of them.
    #[serde(default)]
    pub whom: Whom,
    /// Mean distance of two such faults. Either this or `around-switches-ms` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<Bounded<1, 3_600_000>>,
    /// One such fault for each planned switch of the configuration, up to so long before or after its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around_switches_ms: Option<Bounded<0, 3_600_000>>,
    /// None begins before; one second after the run's start, if it is not given or earlier than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<Bounded<0, 86_400_000>>,
    /// None begins at that instant or later; the end of the faults, if it is not given or later than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Bounded<0, 86_400_000>>,
    /// How long each lasts, or the node stays down.
    #[serde(default = "default_length")]
    pub length_ms: Range,
    /// How hard, in the unit of the kind; without it, the kind's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Range>,
    /// How likely each message is met, for the kinds that meet some messages.
    #[serde(default = "default_chance")]
    pub chance: Ratio,
}

impl Nemesis {
    /// A nemesis on random nodes of these roles, one such fault every so many milliseconds on average; all else is as if a
    /// file left it out.
    ///
    /// # Panics
    /// If `every_ms` is 0 or more than an hour.
    #[must_use]
    pub fn new(kind: NemesisKind, on: &[Role], every_ms: u64) -> Self {
        Self {
            kind,
            on: on.to_vec(),
            whom: Whom::default(),
            every_ms: Some(Bounded::new(every_ms)),
            around_switches_ms: None,
            from_ms: None,
            until_ms: None,
            length_ms: default_length(),
            amount: None,
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

/// The largest number of any range: an hour in ms.
pub(crate) const RANGE_MAX: u32 = 3_600_000;

impl TryFrom<[u32; 2]> for Range {
    type Error = String;

    fn try_from([min, max]: [u32; 2]) -> Result<Self, String> {
        if min > max || max > RANGE_MAX {
            return Err(format!("expected [min, max] with min <= max <= {RANGE_MAX}, found [{min}, {max}]"));
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

const fn default_chance() -> Ratio {
    Ratio::new(1, 10)
}

/// What a nemesis does; some do it with more than one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// Links lose messages in bursts.
    Burst,
    /// Links damage messages.
    Corruption,
    /// Links hold messages back, so that later ones overtake them.
    Reordering,
    /// Links take longer.
    SlowLink,
    /// Links carry less.
    Throttle,
    /// A node's connection to a peer is reset, and only the node sees it.
    Reset,
    /// Every node of the roles, one after the other, stops in order and comes back as another version.
    RestartAs,
    /// A machine dies while it writes, and comes back.
    TornWrite,
    /// A disk is slow.
    DiskSlow,
    /// A disk has little room.
    DiskFull,
    /// A process stops in order, and durable records go bad before it comes back.
    BitRot,
    /// A wall clock stands still, and then is behind or jumps.
    ClockFreeze,
    /// A wall clock jumps to and fro.
    ClockStrobe,
    /// A clock's daemon does not hear its source.
    ClockSyncLoss,
    /// Nodes lose all others, or all others lose them, but not both.
    OneWay,
    /// Nodes and half of the others of their roles lose one another; everybody else reaches both.
    Partial,
    /// The nodes of the roles fall into two halves that only one of them reaches.
    Bridge,
    /// The nodes of the roles reach only neighbours, in a ring.
    Ring,
    /// Nodes and all others lose one another, and find one another, again and again.
    Flapping,
    /// A node goes down again before it has recovered.
    CrashDuringRecovery,
    /// A third of the nodes of the roles lose power at once, and come back one after the other.
    ZoneFailure,
    /// A virtual machine stands still; on waking its wall clock is stale for a while, then jumps.
    MachineFreeze,
}

impl NemesisKind {
    /// The families of the faults it plans, besides restarts.
    #[must_use]
    pub const fn families(self) -> &'static [Family] {
        match self {
            Self::Crash | Self::CrashDuringRecovery => &[Family::Crash],
            Self::PowerLoss | Self::ZoneFailure => &[Family::PowerLoss],
            Self::Stop | Self::RollingRestart => &[Family::Stop],
            Self::Pause => &[Family::Pause],
            Self::PauseMidway => &[Family::PauseMidway],
            Self::Slow => &[Family::Slow],
            Self::Isolate
            | Self::Split
            | Self::SplitPeers
            | Self::OneWay
            | Self::Partial
            | Self::Bridge
            | Self::Ring
            | Self::Flapping => &[Family::Cut],
            Self::Noise => &[Family::Noise],
            Self::ClockStep => &[Family::ClockStep],
            Self::ClockDrift => &[Family::ClockDrift],
            Self::ClockLie => &[Family::ClockLie],
            Self::DiskStall => &[Family::DiskStall],
            Self::DiskError => &[Family::DiskError],
            Self::DiskLie => &[Family::DiskLie],
            Self::Burst => &[Family::Burst],
            Self::Corruption => &[Family::Corruption],
            Self::Reordering => &[Family::Reordering],
            Self::SlowLink => &[Family::SlowLink],
            Self::Throttle => &[Family::Throttle],
            Self::Reset => &[Family::Reset],
            Self::RestartAs => &[Family::Stop, Family::RestartAs],
            Self::TornWrite => &[Family::TornWrite],
            Self::DiskSlow => &[Family::DiskSlow],
            Self::DiskFull => &[Family::DiskFull],
            Self::BitRot => &[Family::Stop, Family::BitRot],
            Self::ClockFreeze => &[Family::ClockFreeze],
            Self::ClockStrobe => &[Family::ClockStrobe],
            Self::ClockSyncLoss => &[Family::ClockSyncLoss],
            Self::MachineFreeze => &[Family::Pause, Family::ClockFreeze],
        }
    }

    /// Whether its nodes go down.
    #[must_use]
    pub fn takes_down(self) -> bool {
        let is_end = |family: &Family| {
            matches!(family, Family::Crash | Family::PowerLoss | Family::TornWrite | Family::Stop)
        };
        self.families().iter().any(is_end)
    }

    /// Whether each fault is about all nodes of its roles, so that nobody is to be chosen among them.
    #[must_use]
    pub const fn is_about_all(self) -> bool {
        matches!(self, Self::RollingRestart | Self::Split | Self::SplitPeers | Self::Bridge | Self::Ring)
    }

    /// How many nodes of its roles it needs to do anything.
    #[must_use]
    pub const fn nodes_min(self) -> u64 {
        if matches!(self, Self::Bridge | Self::Ring) {
            3
        } else if matches!(self, Self::Partial) {
            2
        } else {
            1
        }
    }

    /// Whether it does nothing with a `chance` of zero. Noise still delays; other kinds pass over `chance`.
    #[must_use]
    pub const fn needs_chance(self) -> bool {
        matches!(self, Self::Burst | Self::Corruption | Self::Reordering)
    }
}
