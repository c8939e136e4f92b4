//! Each ruling of a switch, and the marks that it leaves.

use sim::time::Span;

use super::*;
use crate::config::Member;
use crate::config::message::Payload;
use crate::probe::Probe;
use crate::rules::Decisions as _;

const LEAD: Span = Span::from_seconds(5);
const BOUND: Span = Span::from_ms(10);

fn version(number: u32, start_at: Span) -> ConfigVersion {
    let payload = Payload { limit: 10 * number, delay: Span::ZERO, include_mood: false };
    ConfigVersion { version: Version(number), start_at: LocalTime::ZERO + start_at, payload }
}

fn two_versions() -> [ConfigVersion; 2] {
    [version(1, Span::ZERO), version(2, Span::from_seconds(3))]
}

/// A process at 1 s that has read two versions: one started, one starts at 3 s.
fn process(rules: Rules) -> (Switch, Probe<Member>) {
    let (mut switch, mut probe) = (Switch::new(rules), Probe::new(BOUND));
    probe.wait(Span::from_seconds(1));
    let stamp = probe.ask(|context, _| context.interval().earliest);
    switch.learn(&two_versions());
    switch.verify_until(stamp + LEAD);
    (switch, probe)
}

/// The ruling now, once every mark on its way is durable.
fn rule(switch: &mut Switch, probe: &mut Probe<Member>) -> Ruling {
    let first = probe.ask(|context, fx| switch.rule(context, fx));
    for token in probe.done().synced {
        assert!(switch.synced(token));
    }
    if first == Ruling::Switching { probe.ask(|context, fx| switch.rule(context, fx)) } else { first }
}

#[test]
fn inside_its_uncertainty_a_process_has_two_versions_and_after_it_the_newer() {
    let (mut switch, mut probe) = process(Rules::hardened());
    let [older, newer] = two_versions();
    assert_eq!(rule(&mut switch, &mut probe), Ruling::Use(older));
    probe.wait(Span::from_ms(1_989));
    assert_eq!(rule(&mut switch, &mut probe), Ruling::Use(older));
    probe.wait(Span::from_ms(1));
    assert_eq!(rule(&mut switch, &mut probe), Ruling::Stricter { older, newer });
    probe.wait(Span::from_ms(20));
    assert_eq!(rule(&mut switch, &mut probe), Ruling::Use(newer));
}

#[test]
fn a_lease_ends_the_lead_time_after_the_earliest_sending_of_the_read() {
    let (mut switch, mut probe) = process(Rules::hardened());
    probe.wait(LEAD.saturating_sub(Span::from_ms(21)));
    assert_ne!(rule(&mut switch, &mut probe), Ruling::Unverified);
    probe.wait(Span::from_ms(1));
    assert_eq!(rule(&mut switch, &mut probe), Ruling::Unverified);
}

#[test]
fn a_switch_is_used_only_once_its_mark_is_durable() {
    let (mut switch, mut probe) = process(Rules::hardened());
    assert_eq!(probe.ask(|context, fx| switch.rule(context, fx)), Ruling::Switching);
    assert_eq!(probe.ask(|context, fx| switch.rule(context, fx)), Ruling::Switching);
    let done = probe.done();
    assert_eq!(done.written, [Record::Mark(Version(1))]);
    assert_eq!(done.synced.len(), 1, "one mark is written once");
}

#[test]
fn a_step_back_behind_a_switch_stops_a_process_and_undoes_a_markless_one() {
    let [older, newer] = two_versions();
    for (rules, want) in
        [(Rules::hardened(), Ruling::Undone), (Rules::mutant("switch-undone"), Ruling::Use(older))]
    {
        let (mut switch, mut probe) = process(rules);
        probe.wait(Span::from_ms(2_100));
        assert_eq!(rule(&mut switch, &mut probe), Ruling::Use(newer));
        probe.step(-500_000_000);
        assert_eq!(rule(&mut switch, &mut probe), want);
    }
}

#[test]
fn a_process_without_any_version_says_so() {
    let coming = version(1, Span::from_seconds(3));
    for (rules, want) in
        [(Rules::hardened(), Ruling::Missing), (Rules::mutant("default-configuration"), Ruling::Use(coming))]
    {
        let (mut switch, mut probe) = (Switch::new(rules), Probe::<Member>::new(BOUND));
        assert_eq!(rule(&mut switch, &mut probe), Ruling::Unverified);
        switch.verify_until(LocalTime::ZERO + LEAD);
        assert_eq!(rule(&mut switch, &mut probe), Ruling::Missing);
        switch.learn(&[coming]);
        assert_eq!(rule(&mut switch, &mut probe), want, "one that has not started is none");
    }
}

#[test]
fn what_cannot_be_verified_is_not_used_unless_nobody_cares() {
    let [_, newer] = two_versions();
    for (rules, want) in
        [(Rules::hardened(), Ruling::Unverified), (Rules::mutant("lease-ignored"), Ruling::Use(newer))]
    {
        let (mut switch, mut probe) = process(rules);
        probe.wait(LEAD);
        assert_eq!(rule(&mut switch, &mut probe), want);
    }
}

#[test]
fn a_version_that_was_never_committed_is_forgotten_and_another_of_its_number_is_not() {
    let (mut switch, mut probe) = process(Rules::hardened());
    let [older, newer] = two_versions();
    switch.forget(&version(2, Span::from_seconds(4)));
    probe.wait(Span::from_ms(2_500));
    assert_eq!(rule(&mut switch, &mut probe), Ruling::Use(newer));
    let (mut switch, mut probe) = process(Rules::hardened());
    switch.forget(&newer);
    probe.wait(Span::from_ms(2_500));
    assert_eq!(rule(&mut switch, &mut probe), Ruling::Use(older));
}

/// The ruling of a restarted process that found these marks and cannot tell which of two versions applies.
#[track_caller]
fn check_unsure(found: &[Record], program: u32, damaged: &[usize], want: Ruling) {
    let (mut switch, probe) = process(Rules::hardened());
    let mut probe = probe.booted(program, damaged.to_vec());
    probe.ask(|context, fx| switch.start(found, context, fx));
    for token in probe.done().synced {
        switch.synced(token);
    }
    probe.wait(Span::from_seconds(2));
    assert_eq!(rule(&mut switch, &mut probe), want, "{found:?} read by {program}");
    let [_, newer] = two_versions();
    probe.wait(BOUND).wait(BOUND);
    assert_eq!(rule(&mut switch, &mut probe), Ruling::Use(newer), "once it is sure, it goes on");
}

#[test]
fn a_process_whose_mark_cannot_be_read_waits_until_its_clock_is_sure() {
    let [older, newer] = two_versions();
    let unsure = Ruling::Stricter { older, newer };
    let (first, second) = (Record::Mark(Version(1)), Record::Mark(Version(2)));
    check_unsure(&[first], 0, &[], unsure);
    check_unsure(&[first, second], 0, &[], Ruling::Undone);
    check_unsure(&[first], 0, &[1], Ruling::Undone);
    check_unsure(&[first, Record::Format(1), second], 0, &[], Ruling::Undone);
    check_unsure(&[first, Record::Format(1), second], 1, &[], Ruling::Undone);
    check_unsure(&[Record::Format(1), first], 2, &[], unsure);
}

#[test]
fn a_mark_says_which_format_it_is_in_if_that_is_another_than_before() {
    for (found, program, want) in [
        (vec![], 0, vec![Record::Mark(Version(1))]),
        (vec![], 2, vec![Record::Format(2), Record::Mark(Version(1))]),
        (vec![Record::Format(2)], 2, vec![Record::Mark(Version(1))]),
        (vec![Record::Format(2)], 0, vec![Record::Format(0), Record::Mark(Version(1))]),
    ] {
        let (mut switch, probe) = process(Rules::hardened());
        let mut probe = probe.booted(program, vec![]);
        probe.ask(|context, fx| switch.start(&found, context, fx));
        probe.ask(|context, fx| switch.rule(context, fx));
        assert_eq!(probe.done().written, want, "{found:?} by {program}");
    }
}
