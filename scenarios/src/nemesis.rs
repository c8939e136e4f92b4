//! From a seed to the fault plan of one run: every fault with its instant, before the first event.

use model::capacity::{Member, Topology};
use sim::chance::{Seed, Stream};
use sim::clock_faults;
use sim::clock_profile::ClockProfile;
use sim::fault::{Family, Fault, FaultPlan, PlannedFault};
use sim::node::NodeId;
use sim::substrate::Substrate;
use sim::time::{Span, TrueTime};

use crate::scenario::{Nemesis, NemesisKind, Range, Role, Scenario};
use crate::swarm;

/// Nothing goes wrong before everybody has begun.
const CALM: Span = Span::from_ms(1_000);
/// Between two times down, a node is up at least that long.
const UP_MIN: Span = Span::from_ms(500);

/// The fault plan of `seed`, without the families that the substrate lacks.
#[must_use]
pub fn plan(scenario: &Scenario, topology: &Topology, seed: Seed, substrate: Substrate) -> FaultPlan {
    let targets = Targets {
        roles: topology.members.iter().map(role).collect(),
        clocks: topology.members.iter().map(|_| &scenario.clock).collect(),
        end: TrueTime::ZERO + scenario.timing.chaos(),
    };
    drawn(&scenario.faults, targets, seed, substrate)
}

/// Whom faults may meet.
#[derive(Clone, Debug)]
pub struct Targets<'a> {
    /// What each node is, by its number.
    pub roles: Vec<Role>,
    /// The clock of each, by its number.
    pub clocks: Vec<&'a ClockProfile>,
    /// When no fault begins any more.
    pub end: TrueTime,
}

/// The faults of those nemeses that are on for `seed` and known to the substrate, and of the clocks' profiles.
#[must_use]
pub fn drawn(nemeses: &[Nemesis], targets: Targets<'_>, seed: Seed, substrate: Substrate) -> FaultPlan {
    let Targets { roles, clocks, end } = targets;
    let (down, paused) = (vec![Vec::new(); roles.len()], vec![Vec::new(); roles.len()]);
    let mut planner = Planner { end, roles, down, paused, faults: Vec::new() };
    for (index, nemesis) in swarm::switched_on(nemeses, seed, substrate) {
        planner.add(nemesis, &mut seed.stream("nemesis", index as u64));
    }
    for planned in clock_faults::planned(seed, clocks, planner.end) {
        planner.add_of_clock(planned);
    }
    planner.faults.sort_by_key(|planned| planned.at);
    FaultPlan { faults: planner.faults }
}

/// The families that the scenario has and the substrate lacks, in the order of families.
#[must_use]
pub fn left_out(scenario: &Scenario, substrate: Substrate) -> Vec<Family> {
    let families = scenario.faults.iter().map(|nemesis| nemesis.kind.family());
    let mut families: Vec<_> = families.filter(|family| substrate.lacks(*family).is_some()).collect();
    families.sort_unstable();
    families.dedup();
    families
}

/// A node's role in scenario files.
#[must_use]
pub const fn role(member: &Member) -> Role {
    match member {
        Member::Store(_) => Role::Store,
        Member::Log(_) => Role::Log,
        Member::Service(_) => Role::Service,
        Member::Client(_) => Role::Client,
        Member::Publisher(_) => Role::Publisher,
        Member::Worker(_) => Role::Worker,
    }
}

/// From one instant to another.
type Interval = (TrueTime, TrueTime);

struct Planner {
    end: TrueTime,
    roles: Vec<Role>,
    /// When each node is down.
    down: Vec<Vec<Interval>>,
    /// When each node is paused.
    paused: Vec<Vec<Interval>>,
    faults: Vec<PlannedFault>,
}

impl Planner {
    fn add(&mut self, nemesis: &Nemesis, chance: &mut Stream) {
        let targets = self.nodes(|role| nemesis.on.contains(&role));
        if targets.is_empty() {
            return;
        }
        let every = nemesis.every_ms.get();
        let mut at = TrueTime::ZERO + CALM + Span::from_ms(chance.below(every));
        while at < self.end {
            let length = draw_ms(nemesis.length_ms, chance).max(Span::from_ms(1));
            let length = length.min(self.end.since(at));
            let node = *chance.pick(&targets);
            self.add_one(nemesis, Occasion { at, length, node }, chance);
            at += Span::from_ms(every / 2 + 1 + chance.below(every));
        }
    }

    fn add_one(&mut self, nemesis: &Nemesis, occasion: Occasion, chance: &mut Stream) {
        let Occasion { at, length, node } = occasion;
        let amount = chance.between(u64::from(nemesis.amount.min), u64::from(nemesis.amount.max));
        let signed =
            if chance.below(2) == 0 { 1 } else { -1 } * i64::try_from(amount).expect("amounts are small");
        match nemesis.kind {
            NemesisKind::Crash => self.take_down(Fault::Crash { node }, occasion),
            NemesisKind::PowerLoss => self.take_down(Fault::PowerLoss { node }, occasion),
            NemesisKind::Stop => self.take_down(Fault::Stop { node }, occasion),
            NemesisKind::RollingRestart => self.roll(nemesis, occasion),
            NemesisKind::Pause => self.pause(Fault::Pause { node, length }, occasion),
            NemesisKind::PauseMidway => self.pause(Fault::PauseMidway { node, length }, occasion),
            NemesisKind::Slow => {
                self.push(at, Fault::Slow { node, extra: Span::from_us(amount), length });
            }
            NemesisKind::Isolate => self.cut(isolate(node, self.roles.len(), chance), occasion),
            NemesisKind::Split => self.cut(split(&self.nodes(|_| true), chance), occasion),
            NemesisKind::SplitPeers => {
                self.cut(split(&self.nodes(|role| role == Role::Service), chance), occasion);
            }
            NemesisKind::Noise => self.push(at, noise(nemesis, Span::from_ms(amount), length)),
            NemesisKind::ClockStep => {
                if signed != 0 {
                    self.push(at, Fault::ClockStep { node, by_ns: signed * 1_000_000 });
                }
            }
            NemesisKind::ClockDrift => {
                self.push(at, Fault::ClockDrift { node, drift_ppb: signed * 1_000 });
            }
            NemesisKind::ClockLie => {
                self.push(at, Fault::ClockLie { node, bound: Span::from_us(amount), length });
            }
            NemesisKind::DiskStall => self.push(at, Fault::DiskStall { node, length }),
            NemesisKind::DiskError => self.push(at, Fault::DiskError { node, length }),
            NemesisKind::DiskLie => self.push(at, Fault::DiskLie { node, length }),
        }
    }

    /// Takes over what belongs to the clocks' profile, unless it would pause a node that is paused then anyway.
    fn add_of_clock(&mut self, planned: PlannedFault) {
        let PlannedFault { at, fault } = planned;
        match fault {
            Fault::Pause { node, length } => self.pause(fault, Occasion { at, length, node }),
            other => self.push(at, other),
        }
    }

    fn nodes(&self, is_wanted: impl Fn(Role) -> bool) -> Vec<NodeId> {
        let wanted = self.roles.iter().zip(0..).filter(|(role, _)| is_wanted(**role));
        wanted.map(|(_, index)| NodeId(index)).collect()
    }

    fn push(&mut self, at: TrueTime, fault: Fault) {
        self.faults.push(PlannedFault { at, fault });
    }

    /// Takes the node down and up again, unless it is down then anyway.
    fn take_down(&mut self, fault: Fault, occasion: Occasion) {
        let Occasion { at, length, node } = occasion;
        let until = at + length;
        let is_free = |(from, to): &Interval| until + UP_MIN < *from || *to + UP_MIN < at;
        if until >= self.end || !self.down[node.index()].iter().all(is_free) {
            return;
        }
        self.down[node.index()].push((at, until));
        self.push(at, fault);
        self.push(until, Fault::Restart { node });
    }

    fn roll(&mut self, nemesis: &Nemesis, occasion: Occasion) {
        let mut at = occasion.at;
        for node in self.nodes(|role| nemesis.on.contains(&role)) {
            self.take_down(Fault::Stop { node }, Occasion { at, node, ..occasion });
            at += occasion.length + UP_MIN + UP_MIN;
        }
    }

    fn pause(&mut self, fault: Fault, occasion: Occasion) {
        let Occasion { at, length, node } = occasion;
        let until = at + length;
        let paused = &mut self.paused[node.index()];
        if paused.iter().all(|(from, to)| until < *from || *to < at) {
            paused.push((at, until));
            self.push(at, fault);
        }
    }

    fn cut(&mut self, links: Vec<(NodeId, NodeId)>, occasion: Occasion) {
        if !links.is_empty() {
            self.push(occasion.at, Fault::Cut { links, length: occasion.length });
        }
    }
}

/// When, how long, and to whom.
#[derive(Clone, Copy)]
struct Occasion {
    at: TrueTime,
    length: Span,
    node: NodeId,
}

fn draw_ms(range: Range, chance: &mut Stream) -> Span {
    Span::from_ms(chance.between(u64::from(range.min), u64::from(range.max)))
}

fn noise(nemesis: &Nemesis, delay_max: Span, length: Span) -> Fault {
    let (loss, duplication) = (nemesis.chance, nemesis.chance);
    Fault::Noise { links: Vec::new(), loss, duplication, delay_max, length }
}

/// The node's links out, in, or both.
fn isolate(node: NodeId, node_count: usize, chance: &mut Stream) -> Vec<(NodeId, NodeId)> {
    let direction = chance.below(3);
    let others = (0..u32::try_from(node_count).expect("nodes fit 32 bits")).map(NodeId);
    let mut links = Vec::new();
    for other in others.filter(|other| *other != node) {
        if direction != 0 {
            links.push((node, other));
        }
        if direction != 1 {
            links.push((other, node));
        }
    }
    links
}

/// All links between two random halves.
fn split(nodes: &[NodeId], chance: &mut Stream) -> Vec<(NodeId, NodeId)> {
    let mut nodes = nodes.to_vec();
    chance.shuffle(&mut nodes);
    let (left, right) = nodes.split_at(nodes.len() / 2);
    let pairs = left.iter().flat_map(|one| right.iter().map(move |other| (*one, *other)));
    pairs.flat_map(|(one, other)| [(one, other), (other, one)]).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::rules::Variant;
    use sim::fault::Family;

    use super::*;
    use crate::plan::{Build, Plan};

    /// How many faults of that family the plans of a few seeds contain, with clocks of that profile.
    #[track_caller]
    fn check(clock: ClockProfile, family: Family) -> usize {
        let mut scenario = crate::scenario_file::load("clock-steps", &[]).unwrap();
        scenario.clock = clock;
        let scenario = Arc::new(scenario);
        let mut count = 0;
        for seed in Seed::range(0..20) {
            let build = Build { variant: Variant::Hardened, ..Build::default() };
            let plan = Plan::new(Arc::clone(&scenario), seed, build);
            assert_eq!(plan.faults.validate(plan.topology.members.len()), Ok(()), "seed {seed}");
            count += plan.faults.faults.iter().filter(|planned| planned.fault.family() == family).count();
        }
        count
    }

    #[test]
    fn the_faults_of_a_clock_profile_stand_in_the_plan() {
        for (clock, family) in [
            (ClockProfile::hostile(), Family::ClockStrobe),
            (ClockProfile::vm_pause(), Family::ClockFreeze),
            (ClockProfile::vm_pause(), Family::Pause),
        ] {
            assert_eq!(check(ClockProfile::cloud_ntp(), family), 0, "{family}");
            assert!(check(clock, family) > 50, "{family}");
        }
    }
}
