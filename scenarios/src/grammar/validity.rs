//! Whether a nemesis can do anything in its scenario, and what its figures may be.

use std::collections::BTreeMap;

use sim::chance::Ratio;

use super::{Nemesis, Range, Role, Whom};
use crate::scenario::Scenario;

/// Nothing goes wrong before everybody has begun. Unit: ms.
pub(crate) const CALM_MS: u64 = 1_000;

/// Why a nemesis is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NemesisError {
    /// Its roles have no nodes, or too few.
    #[error("the roles have {found} nodes here, expected {expected} or more")]
    TooFewNodes {
        /// How many there are.
        found: u64,
        /// How many it needs.
        expected: u64,
    },
    /// It would take clients down.
    #[error("a client that goes down forgets which operations were its own, expected roles without `client`")]
    ClientDown,
    /// Nobody or everybody says when.
    #[error("expected one of `every-ms` and `around-switches-ms`, found {found}")]
    When {
        /// How many of them are given.
        found: &'static str,
    },
    /// It is to happen around switches, and no version is ever published.
    #[error("no version is published here, expected `workload.publish-every-ms` above 0")]
    NoSwitches,
    /// It ends before it begins.
    #[error("none can begin: the earliest instant is {from_ms} ms, the faults end at {until_ms} ms")]
    Window {
        /// From when on.
        from_ms: u64,
        /// Until when.
        until_ms: u64,
    },
    /// An amount is out of range.
    #[error("expected {} to {} ({meaning}), found [{}, {}]", .bounds.min, .bounds.max, .found.min, .found.max)]
    Amount {
        /// What it means.
        meaning: &'static str,
        /// What it may be.
        bounds: Range,
        /// What it is.
        found: Range,
    },
    /// A chance is zero.
    #[error("a chance of zero would do nothing")]
    NoChance,
    /// It is about all nodes of its roles, and some are to be chosen.
    #[error("each of these faults is about all nodes of its roles, expected `random`")]
    AboutAll,
    /// Fewer than half of one or two nodes are nobody.
    #[error("a minority of {found} nodes is nobody, expected roles with 3 or more")]
    NoMinority {
        /// How many nodes the roles have.
        found: u64,
    },
    /// There is no hot key, or its owner is not among those it may meet.
    #[error(
        "no service node owns a hot key here, expected `on` to name `service`, and a workload of operations"
    )]
    NoHotKey,
}

impl NemesisError {
    /// The key of the nemesis that is to blame.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::TooFewNodes { .. } | Self::ClientDown => "on",
            Self::When { .. } => "every-ms",
            Self::NoSwitches => "around-switches-ms",
            Self::Window { .. } => "until-ms",
            Self::Amount { .. } => "amount",
            Self::NoChance => "chance",
            Self::AboutAll | Self::NoMinority { .. } | Self::NoHotKey => "whom",
        }
    }
}

/// What a system has that faults can be aimed at.
#[derive(Clone, Debug)]
pub struct Ground {
    /// How many nodes have each role.
    pub counts: BTreeMap<Role, u64>,
    /// Whether a client may go down: not if it would forget which operations were its own.
    pub may_take_clients_down: bool,
    /// When all faults end, from the start. Unit: ms.
    pub faults_end_ms: u64,
    /// Whether versions of a configuration are published.
    pub has_switches: bool,
    /// Whether service nodes own keys that are asked for.
    pub has_hot_key: bool,
}

impl From<&Scenario> for Ground {
    fn from(scenario: &Scenario) -> Self {
        let mut counts = BTreeMap::new();
        for face in scenario.system.faces() {
            *counts.entry(face.role).or_insert(0) += 1;
        }
        let aimable = scenario.system.aimable();
        Self {
            counts,
            may_take_clients_down: false,
            faults_end_ms: scenario.timing.chaos_s.get() * 1_000,
            has_switches: aimable.switches,
            has_hot_key: aimable.hot_key,
        }
    }
}

impl Nemesis {
    /// Whether it can do anything on that ground, with figures in range.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn validate(&self, ground: &Ground) -> Result<(), NemesisError> {
        let found = self.node_count(ground);
        let expected = self.kind.nodes_min();
        if found < expected {
            return Err(NemesisError::TooFewNodes { found, expected });
        }
        if !ground.may_take_clients_down && self.kind.takes_down() && self.on.contains(&Role::Client) {
            return Err(NemesisError::ClientDown);
        }
        self.validate_when(ground)?;
        self.validate_whom(ground, found)?;
        if let (Some(amount), Some(found)) = (self.kind.amount(), self.amount) {
            let bounds = amount.bounds;
            if found.min < bounds.min || found.max > bounds.max {
                return Err(NemesisError::Amount { meaning: amount.meaning, bounds, found });
            }
        }
        if self.chance == Ratio::NEVER && self.kind.needs_chance() {
            return Err(NemesisError::NoChance);
        }
        Ok(())
    }

    fn validate_when(&self, ground: &Ground) -> Result<(), NemesisError> {
        match (self.every_ms, self.around_switches_ms) {
            (None, None) => return Err(NemesisError::When { found: "neither" }),
            (Some(_), Some(_)) => return Err(NemesisError::When { found: "both" }),
            (None, Some(_)) if !ground.has_switches => return Err(NemesisError::NoSwitches),
            (None, Some(_)) | (Some(_), None) => {}
        }
        let from_ms = self.from_ms.map_or(0, |from| from.get()).max(CALM_MS);
        let until_ms = self.until_ms.map_or(ground.faults_end_ms, |until| until.get());
        let until_ms = until_ms.min(ground.faults_end_ms);
        if until_ms <= from_ms { Err(NemesisError::Window { from_ms, until_ms }) } else { Ok(()) }
    }

    fn validate_whom(&self, ground: &Ground, node_count: u64) -> Result<(), NemesisError> {
        let has_hot_key = self.on.contains(&Role::Service) && ground.has_hot_key;
        if self.whom != Whom::Random && self.kind.is_about_all() {
            return Err(NemesisError::AboutAll);
        }
        match self.whom {
            Whom::Minority if node_count < 3 => Err(NemesisError::NoMinority { found: node_count }),
            Whom::HotKeyOwner if !has_hot_key => Err(NemesisError::NoHotKey),
            Whom::Random | Whom::Minority | Whom::HotKeyOwner | Whom::ClockLeader => Ok(()),
        }
    }

    /// How many nodes its roles have.
    fn node_count(&self, ground: &Ground) -> u64 {
        let mut roles = self.on.clone();
        roles.sort_unstable();
        roles.dedup();
        roles.iter().filter_map(|role| ground.counts.get(role)).sum()
    }
}
