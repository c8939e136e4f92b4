//! The faults that belong to a clock profile, drawn from a seed as part of a plan: data before the first event.
//!
//! Each node draws from a stream of its own, so that the faults of one are the same whatever clocks the others have.

use crate::chance::{Seed, Stream};
use crate::clock_profile::{ClockFaults, ClockProfile};
use crate::compound::MachineFreeze;
use crate::fault::{Fault, PlannedFault};
use crate::node::NodeId;
use crate::time::{Span, TrueTime};

/// From the end of one fault of a node to its next, at least and at most.
const GAP: (Span, Span) = (Span::from_seconds(2), Span::from_seconds(20));
/// How long a virtual machine stands still while it is moved, as a rule. Source: RHEL's documentation.
const VM_PAUSE: Span = Span::from_ms(30);
/// How long it stands still at most when things go badly, one time in [`VM_PAUSES_PER_BAD_ONE`].
const VM_PAUSE_BAD: Span = Span::from_seconds(60);
const VM_PAUSES_PER_BAD_ONE: u64 = 8;
/// For how long the wall clock is stale, at most, after the process goes on.
const STALE_MAX: Span = Span::from_ms(500);
/// Jepsen's steps are `1.5^exponent` ms: 11 ms to 288 s.
const STEP_EXPONENTS: (u64, u64) = (6, 31);
/// Jepsen's strobes jump by `2^exponent` ms: 4 ms to 262 s.
const STROBE_EXPONENTS: (u64, u64) = (2, 18);
/// From one jump of a strobe to the next, `2^exponent` ms: 1 ms to 1,024 ms.
const STROBE_PERIOD_EXPONENTS: (u64, u64) = (0, 10);
/// Length of a strobe at most.
const STROBE_MAX: Span = Span::from_seconds(32);

/// The faults that belong to the clocks of a world with these profiles, by node, until `end`; earliest first.
#[must_use]
pub fn planned<'a>(
    seed: Seed,
    profiles: impl IntoIterator<Item = &'a ClockProfile>,
    end: TrueTime,
) -> Vec<PlannedFault> {
    let mut faults = Vec::new();
    for (profile, node) in profiles.into_iter().zip((0..).map(NodeId)) {
        let mut chance = seed.stream("clock-faults", u64::from(node.0));
        match profile.faults {
            ClockFaults::None => {}
            ClockFaults::VmPause => {
                draw(&mut faults, end, &mut chance, |at, chance| vm_pause(node, at, chance));
            }
            ClockFaults::Hostile => {
                draw(&mut faults, end, &mut chance, |at, chance| hostile(node, at, chance));
            }
        }
    }
    faults.sort_by_key(|fault| fault.at);
    faults
}

/// Draws occasions one after the other, each with the faults that begin then; those that would last beyond the end do
/// not happen.
fn draw<const COUNT: usize>(
    faults: &mut Vec<PlannedFault>,
    end: TrueTime,
    chance: &mut Stream,
    mut occasion: impl FnMut(TrueTime, &mut Stream) -> [Option<PlannedFault>; COUNT],
) {
    let mut at = TrueTime::ZERO;
    loop {
        at += chance.span_between(GAP.0, GAP.1);
        if at >= end {
            break;
        }
        let drawn = occasion(at, chance);
        let until = |fault: &PlannedFault| fault.at + fault.fault.length().unwrap_or(Span::ZERO);
        let over_at = drawn.iter().flatten().map(until).max().unwrap_or(at);
        if over_at <= end {
            faults.extend(drawn.into_iter().flatten());
            at = over_at;
        }
    }
}

/// The process stands still, and its wall clock stands still a little longer: stale, then a jump.
fn vm_pause(node: NodeId, at: TrueTime, chance: &mut Stream) -> [Option<PlannedFault>; 2] {
    let is_bad = chance.below(VM_PAUSES_PER_BAD_ONE) == 0;
    let bad = chance.span_between(VM_PAUSE, VM_PAUSE_BAD);
    let length = if is_bad { bad } else { VM_PAUSE };
    let stale = chance.span_between(Span::from_ns(1), STALE_MAX);
    MachineFreeze { at, length, stale }.faults(node).map(Some)
}

/// A step or a strobe, one as likely as the other.
fn hostile(node: NodeId, at: TrueTime, chance: &mut Stream) -> [Option<PlannedFault>; 1] {
    let is_step = chance.below(2) == 0;
    let sign = if chance.below(2) == 0 { 1 } else { -1 };
    let step_exponent = chance.between(STEP_EXPONENTS.0, STEP_EXPONENTS.1);
    let strobe_exponent = chance.between(STROBE_EXPONENTS.0, STROBE_EXPONENTS.1);
    let period_exponent = chance.between(STROBE_PERIOD_EXPONENTS.0, STROBE_PERIOD_EXPONENTS.1);
    let length = chance.span_between(Span::from_ms(1), STROBE_MAX);
    let fault = if is_step {
        Fault::ClockStep { node, by_ns: sign * step_ns(step_exponent) }
    } else {
        let period = Span::from_ms(1 << period_exponent);
        Fault::ClockStrobe { node, by_ns: sign * (1_000_000 << strobe_exponent), period, length }
    };
    [Some(PlannedFault { at, fault })]
}

/// `1.5^exponent` ms, rounded down to the ns: `10^6 * 3^exponent / 2^exponent`.
fn step_ns(exponent: u64) -> i64 {
    let exponent = u32::try_from(exponent).expect("exponents are small");
    i64::try_from((1_000_000 * 3_u128.pow(exponent)) >> exponent).expect("a step of less than five minutes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Family, FaultPlan, Thaw};
    use crate::limits::RUN_NS_MAX;

    const HOUR: TrueTime = TrueTime::from_ns(3_600_000_000_000);

    /// Every fault of that kind of profile over many seeds, an hour each, two nodes.
    #[track_caller]
    fn check(profile: &ClockProfile) -> Vec<PlannedFault> {
        let mut all = Vec::new();
        for seed in Seed::range(0..100) {
            let faults = planned(seed, [profile, profile], HOUR);
            assert!(faults.len() > 100, "seed {seed}: {} faults", faults.len());
            assert_eq!(FaultPlan { faults: faults.clone() }.validate(2), Ok(()), "seed {seed}");
            all.extend(faults);
        }
        all
    }

    #[test]
    fn hostile_steps_are_powers_of_one_and_a_half_from_11_ms_to_288_s() {
        assert_eq!((step_ns(6), step_ns(31)), (11_390_625, 287_626_588_849));
        let mut sizes: Vec<i64> = Vec::new();
        for planned in check(&ClockProfile::hostile()) {
            if let Fault::ClockStep { by_ns, .. } = planned.fault {
                sizes.push(by_ns);
            }
        }
        sizes.sort_unstable();
        sizes.dedup();
        let mut want: Vec<i64> =
            (6..=31).flat_map(|exponent| [-step_ns(exponent), step_ns(exponent)]).collect();
        want.sort_unstable();
        assert_eq!(sizes, want);
    }

    #[test]
    fn hostile_strobes_jump_by_4_ms_to_262_s_every_1_to_1024_ms_for_up_to_32_s() {
        let (mut jumps, mut periods, mut length_max) = (Vec::new(), Vec::new(), Span::ZERO);
        for planned in check(&ClockProfile::hostile()) {
            if let Fault::ClockStrobe { by_ns, period, length, .. } = planned.fault {
                jumps.push(by_ns.abs() / 1_000_000);
                periods.push(period.as_ns() / 1_000_000);
                length_max = length_max.max(length);
            }
        }
        jumps.sort_unstable();
        jumps.dedup();
        periods.sort_unstable();
        periods.dedup();
        assert_eq!(jumps, (2..=18).map(|exponent| 1 << exponent).collect::<Vec<i64>>());
        assert_eq!(periods, (0..=10).map(|exponent| 1 << exponent).collect::<Vec<u64>>());
        assert!(length_max > Span::from_seconds(31) && length_max <= STROBE_MAX, "{length_max}");
    }

    #[test]
    fn a_virtual_machine_stands_still_for_30_ms_as_a_rule_and_for_a_minute_at_most() {
        let mut pauses = Vec::new();
        for pair in check(&ClockProfile::vm_pause()).chunks(2) {
            let [freeze, pause] = pair else { panic!("they come in pairs") };
            let (Fault::ClockFreeze { node, length: frozen, thaw }, Fault::Pause { node: paused, length }) =
                (&freeze.fault, &pause.fault)
            else {
                panic!("{pair:?}")
            };
            assert_eq!((node, freeze.at, *thaw), (paused, pause.at, Thaw::Jumps));
            assert!(length < frozen && *frozen <= *length + STALE_MAX);
            pauses.push(*length);
        }
        pauses.sort_unstable();
        assert_eq!(pauses[pauses.len() / 2], VM_PAUSE);
        let longest = pauses[pauses.len() - 1];
        assert!(longest > Span::from_seconds(55) && longest <= VM_PAUSE_BAD, "{longest}");
    }

    #[test]
    fn the_faults_of_one_node_are_its_own() {
        let (calm, hostile) = (ClockProfile::ptp(), ClockProfile::hostile());
        let of_b = |profiles: [&ClockProfile; 2]| {
            let faults = planned(Seed(1), profiles, HOUR).into_iter();
            faults.filter(|planned| planned.fault.node() == Some(NodeId(1))).collect::<Vec<_>>()
        };
        assert_eq!(of_b([&calm, &hostile]), of_b([&hostile, &hostile]));
        assert_eq!(planned(Seed(1), [&calm], HOUR), []);
        assert!(
            planned(Seed(1), [&hostile], HOUR)
                .iter()
                .all(|planned| { matches!(planned.fault.family(), Family::ClockStep | Family::ClockStrobe) })
        );
    }

    #[test]
    fn no_fault_is_planned_beyond_the_end() {
        let year = TrueTime::from_ns(RUN_NS_MAX);
        assert_eq!(planned(Seed(1), [&ClockProfile::vm_pause()], TrueTime::from_ns(1)), []);
        assert!(HOUR < year);
    }
}
