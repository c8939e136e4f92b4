//! On whom and when: what a fault can be aimed at, known before the run.

use sim::chance::{Seed, Stream};
use sim::clock_forecast::ClockForecast;
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use crate::grammar::{Nemesis, Whom};
use crate::nemesis::Targets;

/// What faults are aimed at.
pub(super) struct Aim<'a> {
    pub(super) seed: Seed,
    pub(super) targets: &'a Targets<'a>,
}

impl Aim<'_> {
    /// The instants of a nemesis that happens around switches, earliest first: one for each, evenly up to `reach` before
    /// or after it. One draw for each.
    pub(super) fn around_switches(&self, reach: Span, chance: &mut Stream) -> Vec<TrueTime> {
        let mut draw = |switch: &TrueTime| {
            let earliest = switch.as_ns().saturating_sub(reach.as_ns());
            TrueTime::from_ns(chance.between(earliest, switch.as_ns() + reach.as_ns()))
        };
        let mut instants: Vec<_> = self.targets.switches.iter().map(&mut draw).collect();
        instants.sort_unstable();
        instants
    }

    /// Who is met by the faults of a nemesis, one after the other.
    pub(super) fn victims(&self, nemesis: &Nemesis) -> Victims<'_> {
        let clocks = self.targets.clocks.iter().copied();
        let is_wanted = nemesis.whom == Whom::ClockLeader;
        Victims { aim: self, forecast: is_wanted.then(|| ClockForecast::new(self.seed, clocks)) }
    }
}

/// Who is met by the faults of one nemesis.
pub(super) struct Victims<'a> {
    aim: &'a Aim<'a>,
    forecast: Option<ClockForecast>,
}

impl Victims<'_> {
    /// Whom the fault at `at` meets, of the nodes of its roles. Instants do not go back.
    pub(super) fn at(
        &mut self,
        at: TrueTime,
        nemesis: &Nemesis,
        nodes: &[NodeId],
        chance: &mut Stream,
    ) -> Vec<NodeId> {
        match nemesis.whom {
            Whom::Random => vec![*chance.pick(nodes)],
            Whom::HotKeyOwner => self.aim.targets.hot_key_owner.into_iter().collect(),
            Whom::Minority => {
                let mut nodes = nodes.to_vec();
                chance.shuffle(&mut nodes);
                let count = chance.between(1, (nodes.len() as u64 - 1) / 2);
                nodes.truncate(usize::try_from(count).expect("fewer than there are nodes"));
                nodes
            }
            Whom::ClockLeader => {
                self.forecast.as_mut().and_then(|forecast| forecast.leader(nodes, at)).into_iter().collect()
            }
        }
    }
}
