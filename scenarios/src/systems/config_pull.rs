//! Processes that pull a scheduled configuration, as scenarios know them: the nodes of the capacity service without its service.

use model::capacity;
use model::message::Request;
use sim::chance::Seed;

use super::capacity::{
    CapacityService, Shape, Workload, accept, aimable, check_common, members, progress, switches, workload,
};
use crate::system::{
    Aimable, Aims, ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System,
};

/// Processes that pull a scheduled configuration and run tasks under it.
#[derive(Debug)]
pub struct ConfigPull;

impl System for ConfigPull {
    const NAME: &'static str = "config-pull";
    const MUTANTS: &'static [Mutant] = &[];
    type Rules = capacity::rules::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = capacity::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        check_common(parameters)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        members(parameters, rules)
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        workload::requests(parameters, seed)
    }

    fn accept(parameters: &Parameters<Self>, label: &str, request: &Request) -> Result<(), ForeignRequest> {
        accept(parameters, label, request)
    }

    fn aims(parameters: &Parameters<Self>, requests: &[Planned<Self>]) -> Aims {
        Aims { hot_key_owner: None, switches: workload::switches(&parameters.shape, requests) }
    }

    fn aimable(parameters: &Parameters<Self>) -> Aimable {
        aimable(parameters)
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<CapacityService>]) -> Recorded {
        let parameters = setting.parameters;
        let config = switches::record(parameters, parameters.timing.whole(), seen);
        Recorded { families: vec![config.family], progress: progress(parameters, seen) }
    }
}
