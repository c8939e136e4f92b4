//! Counters in the store as scenarios know them: linearizable.

use model::counting::sync::Rules;
use model::counting::{Build, Member as Node, Request};
use sim::chance::Seed;

use super::{Counting, Shape, Workload, counters};
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};

/// Counters in the store.
#[derive(Debug)]
pub struct CounterSync;

impl Counting for CounterSync {
    fn build(rules: Rules) -> Build {
        Build::Sync(rules)
    }
}

impl System for CounterSync {
    const NAME: &'static str = "counter-sync";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("sync-retry-counts", "counter-sync", "linearizable"),
        Mutant::new("sync-key-apart", "counter-sync", "linearizable"),
        Mutant::new("sync-cached-read", "counter-sync", "linearizable"),
        Mutant::new("sync-early-answer", "counter-sync", "linearizable"),
        Mutant::new("sync-failover-forgets", "counter-failover", "linearizable"),
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
        let families = vec![counters(setting.clients, seen)];
        super::recorded(setting, seen, families)
    }
}
