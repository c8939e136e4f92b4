//! Sharded capacity counters as scenarios know them: the capacity service under one limit that never changes.

use model::capacity;
use model::message::Request;
use sim::chance::Seed;

use super::capacity::{
    CapacityService, Shape, Workload, accept, aimable, check_common, choices, config, entries, first_version,
    hot_key_aim, members, operation, overview, slots, topology, workload,
};
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{
    Aimable, Aims, ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System,
};

/// One entity a slot, owned by one node at a time, journalled before it answers.
#[derive(Debug)]
pub struct CounterSharded;

impl System for CounterSharded {
    const NAME: &'static str = "counter-sharded";
    const MUTANTS: &'static [Mutant] = &[];
    type Rules = capacity::rules::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = capacity::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { shape, workload, .. } = parameters;
        if shape.services.get() < 3 || shape.slots.get() == 0 || shape.initial_limit.get() == 0 {
            return Err(
                "`shape`: expected at least 3 `services`, 1 of `slots` and an `initial-limit`".to_owned()
            );
        }
        if workload.publish_every_ms.get() > 0 {
            let found = "`workload.publish-every-ms`: expected 0, the limit never changes here";
            return Err(found.to_owned());
        }
        check_common(parameters)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        members(parameters, rules)
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        workload::requests(parameters, seed)
    }

    fn first_version(parameters: &Parameters<Self>, role: Role) -> u32 {
        first_version(parameters, role)
    }

    fn accept(parameters: &Parameters<Self>, label: &str, request: &Request) -> Result<(), ForeignRequest> {
        accept(parameters, label, request)
    }

    fn aims(parameters: &Parameters<Self>, requests: &[Planned<Self>]) -> Aims {
        hot_key_aim(parameters, requests)
    }

    fn aimable(parameters: &Parameters<Self>) -> Aimable {
        aimable(parameters)
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<CapacityService>]) -> Recorded {
        let parameters = setting.parameters;
        let topology = topology(parameters);
        let config = config(parameters, seen);
        let mut families = vec![
            slots::record(&parameters.shape, setting.clients, seen, &config),
            entries::record(&topology, parameters.shape.counter, seen),
            overview::record(setting.clients, seen),
        ];
        families.extend(choices::record(&parameters.shape, setting.clients, seen));
        Recorded { families, progress: Progress::of(seen, parameters.timing.late_from(), operation) }
    }
}
