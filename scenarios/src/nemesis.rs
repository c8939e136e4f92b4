//! From a seed to the fault plan of one run: every fault with its instant, before the first event.
//!
//! ```text
//!   scenario ──► nemeses ──swarm──► those that are on ──► occasions (when) ──► victims (on whom) ──► faults
//!   requests ──► hot key, switches ──────────────────────────┴───────────────────┘          calendar ┘
//! ```
//!
//! Each nemesis draws from a stream of its own. A plan never contradicts itself: what would is left out.

use sim::chance::{Seed, Stream};
use sim::clock_faults;
use sim::clock_profile::ClockProfile;
use sim::fault::{Family, Fault, FaultPlan, PlannedFault};
use sim::limits::FAULTS_MAX;
use sim::node::NodeId;
use sim::substrate::Substrate;
use sim::time::{Span, TrueTime};

use self::aim::{Aim, Victims};
use self::calendar::{Busy, Calendar};
use self::links::Ground;
use crate::grammar::validity::CALM_MS;
use crate::grammar::{Nemesis, NemesisKind, Range, Role};
use crate::scenario::Scenario;
use crate::swarm;
use crate::system::Work;

mod aim;
mod calendar;
mod links;
mod machines;
mod single;
#[cfg(test)]
mod tests;

/// Nothing goes wrong before everybody has begun.
const CALM: Span = Span::from_ms(CALM_MS);

/// The fault plan of `seed`, without the families that the substrate lacks.
#[must_use]
pub fn plan(scenario: &Scenario, work: &dyn Work, seed: Seed, substrate: Substrate) -> FaultPlan {
    let (faces, aims) = (work.faces(), work.aims());
    let targets = Targets {
        roles: faces.iter().map(|face| face.role).collect(),
        clocks: faces.iter().map(|_| &scenario.clock).collect(),
        end: TrueTime::ZERO + scenario.timing.chaos(),
        hot_key_owner: aims.hot_key_owner,
        switches: aims.switches,
    };
    drawn(&scenario.faults, &targets, seed, substrate)
}

/// Whom faults may meet, and when it matters.
#[derive(Clone, Debug)]
pub struct Targets<'a> {
    /// What each node is, by its number.
    pub roles: Vec<Role>,
    /// The clock of each, by its number.
    pub clocks: Vec<&'a ClockProfile>,
    /// When no fault begins any more.
    pub end: TrueTime,
    /// Who owns the key most often asked for, if anybody does.
    pub hot_key_owner: Option<NodeId>,
    /// When the configuration is to be switched, earliest first.
    pub switches: Vec<TrueTime>,
}

/// The faults of those nemeses that are on for `seed` and known to the substrate, and of the clocks' profiles.
#[must_use]
pub fn drawn(nemeses: &[Nemesis], targets: &Targets<'_>, seed: Seed, substrate: Substrate) -> FaultPlan {
    let aim = Aim { seed, targets };
    let mut planner = Planner {
        end: targets.end,
        roles: targets.roles.clone(),
        calendar: Calendar::new(targets.roles.len()),
        faults: Vec::new(),
    };
    for (index, nemesis) in swarm::switched_on(nemeses, seed, substrate) {
        planner.add(nemesis, &aim, &mut seed.stream("nemesis", index as u64));
    }
    for PlannedFault { at, fault } in clock_faults::planned(seed, targets.clocks.iter().copied(), planner.end)
    {
        planner.push_if_free(at, fault);
    }
    FaultPlan::of(planner.faults)
}

/// The families that the scenario has and the substrate lacks, in the order of families.
#[must_use]
pub fn left_out(scenario: &Scenario, substrate: Substrate) -> Vec<Family> {
    let families = scenario.faults.iter().flat_map(|nemesis| nemesis.kind.families());
    let mut families: Vec<_> =
        families.copied().filter(|family| substrate.lacks(*family).is_some()).collect();
    families.sort_unstable();
    families.dedup();
    families
}

struct Planner {
    end: TrueTime,
    roles: Vec<Role>,
    calendar: Calendar,
    faults: Vec<PlannedFault>,
}

impl Planner {
    /// Every fault of a nemesis. One that would be more than a plan may have is the last: the plan is refused.
    fn add(&mut self, nemesis: &Nemesis, aim: &Aim<'_>, chance: &mut Stream) {
        let targets = self.nodes(|role| nemesis.on.contains(&role));
        if targets.is_empty() {
            return;
        }
        let mut victims = aim.victims(nemesis);
        let from = TrueTime::ZERO + Span::from_ms(nemesis.from_ms.map_or(0, |from| from.get())).max(CALM);
        let until = nemesis.until_ms.map(|until| TrueTime::ZERO + Span::from_ms(until.get()));
        let until = until.map_or(self.end, |until| until.min(self.end));
        let Some(every) = nemesis.every_ms else {
            let reach = nemesis.around_switches_ms.map_or(Span::ZERO, |reach| Span::from_ms(reach.get()));
            let instants = aim.around_switches(reach, chance).into_iter();
            for at in instants.filter(|at| (from..until).contains(at)) {
                self.add_at(at, (nemesis, &targets), &mut victims, chance);
            }
            return;
        };
        let every = every.get();
        let mut at = from + Span::from_ms(chance.below(every));
        while at < until && self.faults.len() <= FAULTS_MAX {
            self.add_at(at, (nemesis, &targets), &mut victims, chance);
            at += Span::from_ms(every / 2 + 1 + chance.below(every));
        }
    }

    /// What goes wrong on one occasion.
    fn add_at(
        &mut self,
        at: TrueTime,
        (nemesis, targets): (&Nemesis, &[NodeId]),
        victims: &mut Victims<'_>,
        chance: &mut Stream,
    ) {
        let length = draw_ms(nemesis.length_ms, chance).max(Span::from_ms(1)).min(self.end.since(at));
        let victims = victims.at(at, nemesis, targets, chance);
        let range = nemesis.strength();
        let amount = chance.between(u64::from(range.min), u64::from(range.max));
        let sign = if chance.below(2) == 0 { 1 } else { -1 };
        let occasion = Occasion { at, length, end: self.end, victims, amount, sign };
        if !occasion.victims.is_empty() {
            self.add_one((nemesis, targets), &occasion, chance);
        }
    }

    fn add_one(
        &mut self,
        (nemesis, targets): (&Nemesis, &[NodeId]),
        occasion: &Occasion,
        chance: &mut Stream,
    ) {
        let all = self.nodes(|_| true);
        let peers = self.nodes(|role| role == Role::Service);
        let ground = Ground { all: &all, peers: &peers, targets };
        if let Some(fault) = links::disturbance(nemesis, occasion, &all) {
            self.push(occasion.at, fault);
        } else if let Some(links) = links::cut(nemesis, occasion, ground, chance) {
            match nemesis.kind {
                _ if links.is_empty() => {}
                NemesisKind::Flapping => self.faults.extend(occasion.flapping().cuts(&links)),
                _ => self.push(occasion.at, Fault::Cut { links, length: occasion.length }),
            }
        } else if let Some(outage) = machines::outage(nemesis, occasion) {
            self.add_outage(outage, occasion, targets);
        } else {
            for &node in &occasion.victims {
                for fault in single::faults(nemesis.kind, node, occasion, &all, chance) {
                    self.push_if_free(occasion.at, fault);
                }
            }
        }
    }

    fn nodes(&self, is_wanted: impl Fn(Role) -> bool) -> Vec<NodeId> {
        let wanted = self.roles.iter().zip(0..).filter(|(role, _)| is_wanted(**role));
        wanted.map(|(_, index)| NodeId(index)).collect()
    }

    fn push(&mut self, at: TrueTime, fault: Fault) {
        self.faults.push(PlannedFault { at, fault });
    }

    /// Adds the fault, unless it would pause, freeze or strobe what is paused, frozen or strobed then anyway.
    fn push_if_free(&mut self, at: TrueTime, fault: Fault) {
        let busy = match fault {
            Fault::Pause { node, length } | Fault::PauseMidway { node, length } => {
                Some((node, Busy::Paused, length))
            }
            Fault::ClockFreeze { node, length, .. } => Some((node, Busy::Frozen, length)),
            Fault::ClockStrobe { node, length, .. } => Some((node, Busy::Strobed, length)),
            _ => None,
        };
        if busy.is_none_or(|(node, busy, length)| self.calendar.take(node, busy, (at, at + length))) {
            self.push(at, fault);
        }
    }
}

/// One occasion: when, how long, on whom, how hard.
struct Occasion {
    at: TrueTime,
    length: Span,
    /// When all faults end.
    end: TrueTime,
    victims: Vec<NodeId>,
    /// In the unit of the kind.
    amount: u64,
    sign: i64,
}

fn draw_ms(range: Range, chance: &mut Stream) -> Span {
    Span::from_ms(chance.between(u64::from(range.min), u64::from(range.max)))
}
