//! Counters that are summed up as scenarios know them: linearizable, or exact in the end, by what is read.

use model::counting::rollup::Rules;
use model::counting::{Build, Member as Node, Request};
use sim::chance::Seed;

use super::{Counting, Reads, Shape, Workload, counters, rows};
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};

/// Counters that are summed up from time to time.
#[derive(Debug)]
pub struct CounterRollup;

impl Counting for CounterRollup {
    fn build(rules: Rules) -> Build {
        Build::Rollup(rules)
    }
}

impl System for CounterRollup {
    const NAME: &'static str = "counter-rollup";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("rollup-retry-counts", "counter-rollup", "linearizable"),
        Mutant::new("rollup-id-after-last", "counter-rollup", "no-loss"),
        Mutant::new("rollup-claim-apart", "counter-rollup", "no-loss"),
        Mutant::new("rollup-two-snapshots", "counter-rollup", "linearizable"),
    ];
    type Rules = Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = Node;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        super::check(parameters)
    }

    fn members(parameters: &Parameters<Self>, rules: Rules) -> Vec<Member<Node>> {
        super::members(parameters, rules)
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        super::requests(parameters, seed)
    }

    fn accept(_: &Parameters<Self>, label: &str, request: &Request) -> Result<(), ForeignRequest> {
        super::accept(label, request)
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let families = vec![
            counters(setting.clients, seen),
            rows(setting.clients, seen, Reads::Rows, &setting.parameters.timing),
        ];
        super::recorded(setting, seen, families)
    }
}
