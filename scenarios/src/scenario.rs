//! A scenario: a world, a workload, what goes wrong and what is promised, as data.
//!
//! The types here and the sections of its system are the schema of a scenario file: a wrong key, type or range is refused
//! with line and column.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::clock_profile::ClockProfile;
use sim::disk_profile::DiskProfile;
use sim::network_profile::NetworkProfile;
use sim::time::{Span, TrueTime};

use crate::bounded::Bounded;
use crate::grammar::column::Column;
use crate::system::Configured;

pub use crate::grammar::{Nemesis, NemesisKind, Range, Role, Whom};
pub use crate::scenario_file::{ScenarioError, accept_defect, accept_settings, load};

/// A scenario, resolved: nothing left to look up.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name; safe as a folder name.
    pub name: String,
    /// Which system it runs, and with which parameters.
    pub system: Arc<dyn Configured>,
    /// One sentence.
    pub summary: String,
    /// Names of the checks that must hold.
    pub checks: Vec<String>,
    /// How long its phases are.
    pub timing: Timing,
    /// How good its clocks are.
    pub clock: ClockProfile,
    /// How good its network is.
    pub network: NetworkProfile,
    /// How fast its disks are.
    pub disk: DiskProfile,
    /// What goes wrong.
    pub faults: Vec<Nemesis>,
    /// How long the phases are in the runs of a matrix, if it takes part in one.
    pub matrix: Option<MatrixTiming>,
}

impl Scenario {
    /// The scenario with only the faults of that column, and the timing of a matrix; none if it declares no such fault.
    ///
    /// Where the phase of faults is shorter, they come as much more often.
    #[must_use]
    pub fn for_cell(&self, column: Column) -> Option<Self> {
        let mut scenario = self.clone();
        scenario.faults.retain(|nemesis| nemesis.kind.column() == column);
        if scenario.faults.is_empty() && column != Column::Calm {
            return None;
        }
        let Some(matrix) = scenario.matrix.take() else { return Some(scenario) };
        let before_s = self.timing.chaos_s.get();
        for nemesis in &mut scenario.faults {
            nemesis.every_ms = nemesis.every_ms.map(|every| every.scaled(matrix.chaos_s.get(), before_s));
            let is_within = |at_ms: u64| at_ms < matrix.chaos_s.get() * 1_000;
            nemesis.from_ms = nemesis.from_ms.filter(|from| is_within(from.get()));
            nemesis.until_ms = nemesis.until_ms.filter(|until| is_within(until.get()));
        }
        let MatrixTiming { chaos_s, heal_s, quiet_s, recover_s } = matrix;
        scenario.timing = Timing { chaos_s, heal_s, quiet_s, recover_s, ..scenario.timing };
        scenario.system = scenario.system.with_timing(&scenario.timing);
        Some(scenario)
    }
}

/// How long the phases are in the runs of a matrix: as short as the system's own timers allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MatrixTiming {
    /// As in [`Timing`].
    pub chaos_s: Bounded<1, 86_400>,
    /// As in [`Timing`].
    pub heal_s: Bounded<1, 86_400>,
    /// As in [`Timing`].
    pub quiet_s: Bounded<1, 86_400>,
    /// As in [`Timing`].
    pub recover_s: Bounded<1, 86_400>,
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

    /// From when on every operation must be answered: the system has had its time to recover.
    #[must_use]
    pub fn late_from(&self) -> TrueTime {
        TrueTime::ZERO + self.chaos() + Span::from_seconds(self.recover_s.get())
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
