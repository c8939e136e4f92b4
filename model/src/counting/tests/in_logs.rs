//! Counters in logs: each decision of `dist`, taken and skipped.

use super::*;

const TICK: u32 = 1;
const FLUSH: u32 = 2;

#[test]
fn an_increment_is_acknowledged_once_durable_and_read_after_the_flush() {
    let mut bench = Bench::dist(dist::Rules::hardened());
    bench.is_syncing = false;
    assert!(bench.ask(1, add("a", 2)).is_empty());
    bench.timer(FLUSH);
    assert_eq!(bench.read(2, "a"), Answer::NotFound, "what is not durable is not flushed");
    for token in core::mem::take(&mut bench.unsynced) {
        bench.tell_service(Input::Synced(token));
    }
    for token in core::mem::take(&mut bench.unsynced) {
        bench.tell_service(Input::Synced(token));
    }
    assert_eq!(bench.answers_of(1), DONE);
    bench.timer(FLUSH);
    assert_eq!(bench.read(3, "a"), Answer::Value(2));
}

#[test]
fn a_crash_loses_what_was_acknowledged_from_memory() {
    for (rules, want) in [
        (dist::Rules::hardened(), Answer::Value(2)),
        (dist::Rules::mutant("dist-log-in-memory"), Answer::NotFound),
    ] {
        let mut bench = Bench::dist(rules);
        assert_eq!(bench.ask(1, add("a", 2)), DONE);
        bench.restart(bench.written.clone());
        bench.timer(FLUSH);
        assert_eq!(bench.read(2, "a"), want);
    }
}

#[test]
fn a_flush_whose_answer_is_lost_is_made_again_and_counts_once() {
    for (rules, want) in [
        (dist::Rules::hardened(), Answer::Value(2)),
        (dist::Rules::of(crate::rules::Variant::Naive), Answer::Value(4)),
    ] {
        let mut bench = Bench::dist(rules);
        bench.ask(1, add("a", 2));
        bench.line = Line::Deaf;
        bench.timer(FLUSH);
        bench.line = Line::Whole;
        bench.give_up(TICK);
        bench.timer(FLUSH);
        assert_eq!(bench.read(2, "a"), want);
    }
}

#[test]
fn what_a_restart_flushes_again_counts_once() {
    let mut bench = Bench::dist(dist::Rules::hardened());
    bench.ask(1, add("a", 2));
    let disk = bench.written.clone();
    bench.timer(FLUSH);
    bench.restart(disk.clone());
    bench.ask(2, add("a", 3));
    bench.timer(FLUSH);
    assert_eq!(bench.read(3, "a"), Answer::Value(5));
    // A log that was cut is a new one: only the request keys tell.
    bench.service_probe = Probe::new(Span::ZERO).booted(0, vec![disk.len()]);
    bench.restart(disk);
    bench.timer(FLUSH);
    assert_eq!(bench.read(4, "a"), Answer::Value(5));
}

#[test]
fn the_same_request_in_two_logs_counts_once() {
    for (rules, want) in [
        (dist::Rules::hardened(), Answer::Value(2)),
        (dist::Rules::mutant("dist-flush-without-keys"), Answer::Value(4)),
    ] {
        let mut bench = Bench::dist(rules);
        bench.ask(1, add("a", 2));
        bench.timer(FLUSH);
        bench.restart(Vec::new());
        bench.ask(1, add("a", 2));
        bench.timer(FLUSH);
        assert_eq!(bench.read(2, "a"), want);
    }
}

#[test]
fn a_failed_flush_is_made_again() {
    for (rules, want) in [
        (dist::Rules::hardened(), Answer::Value(2)),
        (dist::Rules::mutant("dist-failed-flush-dropped"), Answer::NotFound),
    ] {
        let mut bench = Bench::dist(rules);
        bench.ask(1, add("a", 2));
        let database = bench.database.clone();
        bench.database = build(&SHAPE, Build::Dist(rules)).members[0].clone();
        bench.timer(FLUSH);
        bench.database = database;
        bench.timer(FLUSH);
        assert_eq!(bench.read(2, "a"), want);
    }
}

#[test]
fn a_range_noted_apart_from_its_sums_is_lost_with_one_answer() {
    for (rules, want) in [
        (dist::Rules::hardened(), Answer::Value(2)),
        (dist::Rules::mutant("dist-range-apart"), Answer::NotFound),
    ] {
        let mut bench = Bench::dist(rules);
        bench.ask(1, add("a", 2));
        bench.line = Line::Deaf;
        bench.timer(FLUSH);
        bench.line = Line::Whole;
        bench.give_up(TICK);
        bench.timer(FLUSH);
        assert_eq!(bench.read(2, "a"), want);
    }
}

#[test]
fn a_number_of_the_log_never_means_two_entries() {
    for (rules, want) in [
        (dist::Rules::hardened(), Answer::Value(3)),
        (dist::Rules::mutant("dist-flush-before-sync"), Answer::NotFound),
    ] {
        let mut bench = Bench::dist(rules);
        let disk = bench.written.clone();
        bench.is_syncing = false;
        bench.ask(1, add("a", 2));
        bench.line = Line::Deaf;
        bench.timer(FLUSH);
        bench.line = Line::Whole;
        bench.is_syncing = true;
        bench.restart(disk);
        assert_eq!(bench.ask(2, add("b", 3)), DONE);
        bench.timer(FLUSH);
        assert_eq!(bench.read(3, "b"), want);
    }
}

#[test]
fn a_node_holds_the_keys_that_it_owns_among_those_that_are_there() {
    for (rules, share) in
        [(dist::Rules::hardened(), 2..19), (dist::Rules::of(crate::rules::Variant::Naive), 20..21)]
    {
        let mut bench = Bench::dist(rules);
        let kept = |requests: core::ops::Range<u64>, bench: &mut Bench| {
            requests
                .filter(|request| !bench.ask(*request, add(&format!("key-{request}"), 1)).is_empty())
                .count()
        };
        assert_eq!(kept(0..20, &mut bench), 20, "nobody else is there");
        bench.tell_service(Input::Message { from: NodeId(2), message: Message::Beat });
        assert!(share.contains(&kept(20..40, &mut bench)), "some keys are the other's");
    }
}

#[test]
fn applied_entries_leave_the_disk_and_a_request_is_known_as_long_as_its_entry() {
    let mut bench = Bench::dist(dist::Rules::hardened());
    let mut most = 0;
    for request in 0..1_000 {
        bench.service_probe.wait(SECOND);
        bench.ask(request, add("a", 1));
        bench.timer(FLUSH);
        most = most.max(bench.written.len());
    }
    assert!(most < 300, "{most} records");
    bench.restart(bench.written.clone());
    bench.timer(FLUSH);
    assert_eq!(bench.read(2_000, "a"), Answer::Value(1_000));
}
