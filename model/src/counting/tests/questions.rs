//! What every kind of node does with bad, unknown and repeated questions.

use super::*;

fn every_kind() -> [Bench; 3] {
    [
        Bench::sync(sync::Rules::hardened()),
        Bench::dist(dist::Rules::hardened()),
        Bench::rollup(rollup::Rules::hardened()),
    ]
}

#[test]
fn a_bad_question_is_answered_and_changes_nothing() {
    for mut bench in every_kind() {
        let long = "k".repeat(KEY_BYTES_MAX + 1);
        let bad = [
            (add("", 1), BadRequest::EmptyKey),
            (Call::Read("".into()), BadRequest::EmptyKey),
            (add("a", -1), BadRequest::NegativeIncrement),
            (add("a", DELTA_MAX + 1), BadRequest::LargeIncrement),
            (add(&long, 1), BadRequest::LongKey),
        ];
        for (number, (call, fault)) in (1..).zip(bad) {
            assert_eq!(bench.ask(number, call), [Answer::BadRequest(fault)]);
        }
        assert_eq!(bench.read(9, "a"), Answer::NotFound);
    }
}

#[test]
fn an_unknown_key_is_not_found_and_an_increment_by_nothing_makes_it_known() {
    for mut bench in every_kind() {
        assert_eq!(bench.read(1, "a"), Answer::NotFound);
        assert_eq!(bench.ask(2, add("a", 0)), DONE);
        bench.timer(2);
        assert_eq!(bench.read(3, "a"), Answer::Value(0));
    }
}

#[test]
fn one_request_too_many_is_refused_and_does_nothing() {
    for mut bench in every_kind() {
        for request in 0..50 {
            assert_eq!(bench.ask(request, add("a", 1)), DONE);
        }
        assert_eq!(bench.ask(50, add("a", 1)), [Answer::TooMany]);
        bench.service_probe.wait(RATE_WINDOW);
        bench.timer(2);
        bench.timer(1);
        assert_eq!(bench.read(51, "a"), Answer::Value(50));
    }
}

#[test]
fn a_request_key_with_other_arguments_is_refused() {
    for mut bench in every_kind() {
        assert_eq!(bench.ask(1, add("a", 1)), DONE);
        assert_eq!(bench.ask(1, add("a", 2)), [Answer::Incremented, Answer::KeyReused]);
        assert_eq!(bench.ask(1, add("a", 1)).last(), Some(&Answer::Incremented));
        bench.timer(2);
        assert_eq!(bench.read(2, "a"), Answer::Value(1));
    }
}

#[test]
fn too_many_ends_an_operation_that_was_asked_once_and_no_other() {
    let call = add("a", 1);
    assert!(call.is_settled_at_once_by(&Answer::TooMany) && !call.is_settled_by(&Answer::TooMany));
    assert!(!call.is_settled_at_once_by(&Answer::Unavailable));
}
