//! Counters in the nodes' logs as scenarios know them: exact in the end.

use model::counting::dist::Rules;
use model::counting::{Build, Member as Node, Request};
use sim::chance::Seed;

use super::{Counting, Reads, Shape, Workload, rows};
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};

/// Counters in the nodes' logs.
#[derive(Debug)]
pub struct CounterDist;

impl Counting for CounterDist {
    fn build(rules: Rules) -> Build {
        Build::Dist(rules)
    }
}

impl System for CounterDist {
    const NAME: &'static str = "counter-dist";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("dist-log-in-memory", "counter-dist", "no-loss"),
        Mutant::new("dist-flush-without-keys", "counter-dist", "exactly-once"),
        Mutant::new("dist-range-apart", "counter-dist", "no-loss"),
        Mutant::new("dist-flush-before-sync", "counter-dist-disks", "no-loss"),
        Mutant::new("dist-failed-flush-dropped", "counter-dist-disks", "no-loss"),
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
        let families = vec![rows(setting.clients, seen, Reads::Whole, &setting.parameters.timing)];
        super::recorded(setting, seen, families)
    }
}
