//! The clauses of admission, each kept and each broken.

use super::*;
use crate::drawing::Drawable;
use crate::history::OperationIndex;
use crate::spec::capacity::Capacity;
use crate::test_histories::draw_keyed;

mod kinds;
mod naive;

/// The verdict on a drawing: columns are ns, steps are (column, limit).
fn judged(drawing: &str, steps: &[(u64, u64)], uncertainty_ns: u64) -> Verdict {
    let history = draw_keyed::<Capacity>(drawing);
    admission(&history, &LimitSchedule { steps: steps.to_vec() }, uncertainty_ns)
}

#[track_caller]
fn holds(drawing: &str, steps: &[(u64, u64)]) {
    let verdict = judged(drawing, steps, 0);
    assert!(verdict.holds(), "{drawing}\n{verdict}");
}

#[track_caller]
fn violated(drawing: &str, steps: &[(u64, u64)], operations: &[u32]) {
    let verdict = judged(drawing, steps, 0);
    let Verdict::Violated(violation) = &verdict else { panic!("{drawing}\n{verdict}") };
    let wanted: Vec<OperationIndex> = operations.iter().copied().map(OperationIndex).collect();
    assert_eq!(violation.operations, wanted, "{drawing}\n{verdict}");
    assert_eq!(violation.key.as_deref(), Some("x"), "{verdict}");
}

#[test]
fn what_is_accepted_fits_on_top_of_what_stayed() {
    holds("a: [x.+a6 ] [x.+b4 ]", &[(0, 10)]);
    violated("a: [x.+a6 ] [x.+b5 ]", &[(0, 10)], &[0, 1]);
}

#[test]
fn the_smallest_set_leaves_out_what_is_not_needed() {
    violated("a: [x.+a1 ] [x.+b9 ] [x.+c1 ] [x.+d9 ]", &[(0, 12)], &[1, 3]);
}

#[test]
fn a_release_asked_for_in_time_may_have_made_room() {
    holds("a: [x.+a6 ]           [x.+b9    ]\nb:                [x.-a ]", &[(0, 10)]);
    holds("a: [x.+a6 ] [x.+b9    ]\nb:                   [x.-a ]", &[(0, 10)]);
    holds("a: [x.+a6 ] [x.+b9    ]\nb:                   [x.-a", &[(0, 10)]);
    violated("a: [x.+a6 ] [x.+b9 ]\nb:                         [x.-a ]", &[(0, 10)], &[0, 1]);
}

#[test]
fn a_release_refused_as_not_held_may_be_the_second_attempt_of_one_that_made_room() {
    holds("a: [x.+a6 ] [x.~a ] [x.+b5 ]", &[(0, 10)]);
    holds("a: [x.+a6 ] [x.~a ] [x.!5 ]", &[(0, 10)]);
}

#[test]
fn an_order_asked_for_again_is_one_reservation() {
    holds("a: [x.+a6 ] [x.+a6 ]", &[(0, 10)]);
    holds("a: [x.+a6\nb:         [x.+a6 ]", &[(0, 10), (8, 5)]);
    violated("a: [x.+a6 ] [x.+a6 ] [x.+b5 ]", &[(0, 10)], &[0, 2]);
}

#[test]
fn an_order_freed_twice_frees_its_units_once() {
    holds("a: [x.+a6 ] [x.-a ] [x.-a ]\nb: [x.+b6 ]                [x.!7 ]", &[(0, 12)]);
}

#[test]
fn those_left_at_once_may_have_seen_less_than_the_one_that_left() {
    let drawing = "a: [x.+a1      ]           [x.-a ]\nb:         [x.+b3 ]\nc:          [x.+c3 ]";
    assert!(judged(drawing, &[(0, 10), (9, 5)], 0).is_violated());
    assert!(judged(drawing, &[(0, 10), (9, 6)], 0).holds());
}

#[test]
fn concurrent_reservations_that_do_not_fit_together_are_too_many_at_once() {
    violated("a: [x.+a6 ]\nb:  [x.+b6 ]", &[(0, 10)], &[0, 1]);
    holds("a: [x.+a6 ]\nb:  [x.+b4 ]", &[(0, 10)]);
}

#[test]
fn the_last_decided_of_those_at_once_may_have_seen_the_larger_limit() {
    holds("a: [x.+a6    ]\nb:  [x.+b6    ]", &[(0, 10), (12, 20)]);
    holds("a: [x.+a6    ]\nb:  [x.+b6    ]", &[(0, 20), (12, 10)]);
    violated("a: [x.+a6    ]\nb:  [x.+b6    ]", &[(0, 10), (30, 20)], &[0, 1]);
}

#[test]
fn an_unknown_reservation_accuses_nobody() {
    holds("a: [x.+a6\nb:         [x.+b9 ]", &[(0, 10)]);
}

#[test]
fn a_lower_limit_revokes_nothing_but_admits_nothing() {
    holds("a: [x.+a9 ]            [x.-a ] [x.+b5 ]", &[(0, 10), (15, 5)]);
    violated("a: [x.+a9 ]            [x.+b1 ]", &[(0, 10), (15, 5)], &[0, 1]);
    holds("a: [x.+a4 ] [x.+b9     ]", &[(0, 13), (16, 5)]);
}

#[test]
fn before_the_first_step_nothing_may_be_admitted() {
    violated("a: [x.+a1 ]", &[(20, 10)], &[0]);
    holds("a: [x.+a1 ]", &[(5, 10)]);
}

#[test]
fn what_would_have_fitted_at_every_instant_is_not_rejected() {
    violated("a: [x.+a6 ] [x.!4 ]", &[(0, 10)], &[1]);
    holds("a: [x.+a6 ] [x.!5 ]", &[(0, 10)]);
}

#[test]
fn an_unknown_or_concurrent_reservation_may_have_taken_the_room() {
    holds("a: [x.+a6\nb:           [x.!5 ]", &[(0, 10)]);
    holds("a:    [x.+a6 ]\nb: [x.!5 ]", &[(0, 10)]);
    violated("a:            [x.+a6 ]\nb: [x.!5 ]", &[(0, 10)], &[0]);
}

/// Drawn with `!`, a rejected reservation has no order; so this one is written out.
#[test]
fn an_order_asked_for_again_may_be_rejected_once_more_though_there_is_room_by_then() {
    use crate::history::ClientId;
    use crate::keyed::KeyedBuilder;
    use crate::spec::capacity::{CapacityAnswer, CapacityCall, Terms};

    let judged = |again: u64| {
        let mut builder = KeyedBuilder::<Capacity>::default();
        let reserve = |order, units| CapacityCall::Reserve { order: Some(order), units };
        let release = CapacityCall::Release { order: Some(1), units: 0 };
        let (accepted, rejected) =
            (CapacityAnswer::Accepted(Terms::default()), CapacityAnswer::Rejected(Terms::default()));
        let asked = [
            (reserve(1, 6), accepted),
            (reserve(2, 5), rejected),
            (release, CapacityAnswer::Released),
            (reserve(again, 5), rejected),
        ];
        for (at_ns, (call, answer)) in (0..).step_by(10).zip(asked) {
            builder.invoke(ClientId(1), "x", call, at_ns).unwrap();
            builder.answer(ClientId(1), answer, at_ns + 5).unwrap();
        }
        admission(&builder.finish(), &LimitSchedule::fixed(10), 0)
    };
    assert_eq!(judged(2), Verdict::Holds);
    assert!(judged(3).is_violated());
}

#[test]
fn a_release_frees_for_certain_only_once_it_returned() {
    violated("a: [x.+a6 ] [x.-a ] [x.!5 ]", &[(0, 10)], &[2]);
    holds("a: [x.+a6 ] [x.-a    ]\nb:               [x.!5    ]", &[(0, 10)]);
    holds("a: [x.+a6 ] [x.-a\nb:                   [x.!5 ]", &[(0, 10)]);
}

#[test]
fn near_a_step_the_smaller_limit_is_a_reason_to_reject() {
    let drawing = "a:            [x.!4 ]";
    assert!(judged(drawing, &[(0, 3), (10, 10)], 0).is_violated());
    assert!(judged(drawing, &[(0, 3), (10, 10)], 5).holds());
    assert!(judged(drawing, &[(0, 10), (22, 3)], 0).is_violated());
    assert!(judged(drawing, &[(0, 10), (22, 3)], 5).holds());
}

#[test]
fn nameless_releases_may_have_freed_anything() {
    holds("a: [x.+6 ] [x.-6 ] [x.+9 ]", &[(0, 10)]);
    holds("a: [x.+6 ] [x.+9    ]\nb:           [x.-6 ]", &[(0, 10)]);
    violated("a: [x.+6 ] [x.-1 ] [x.+9 ]", &[(0, 10)], &[0, 2]);
}

/// What is linearizable under one limit is admitted under it.
#[test]
fn no_small_linearizable_history_is_accused() {
    use crate::budget::Budget;
    use crate::linearizable::linearizable_by_key;
    use crate::test_histories::{Shape, every_history};

    let spec = Capacity { capacity: Some(3) };
    let words = ["+a2", "+b1", "+2", "!2", "!3", "-a", "~a"];
    let mut violated_count = 0;
    for history in every_history::<Capacity>(&words, Shape { operations: 3, clients: 3 }) {
        let timed = with_times(&history);
        let verdict = admission(&timed, &LimitSchedule::fixed(3), 0);
        let legal = linearizable_by_key(&spec, &history, Budget { steps_max: 10_000 }).verdict;
        assert!(verdict.holds() || legal.is_violated(), "{}{verdict}", history.drawing());
        violated_count += usize::from(verdict.is_violated());
    }
    assert!(violated_count > 100, "only {violated_count} were found wrong");
}

/// The same history, with positions for instants.
fn with_times<S: Drawable>(history: &KeyedHistory<S>) -> KeyedHistory<S> {
    let mut part = history.parts()["x"].clone();
    for operation in &mut part.operations {
        operation.invoked_at = operation.invoked;
        operation.returned_at = operation.returned;
    }
    KeyedHistory::single("x", part)
}

/// Not only as fast as it must be, but of the right order: the far larger history ends at all.
#[test]
fn a_long_history_on_one_slot_is_judged_in_near_linear_time() {
    use crate::history::{ClientId, History, Operation, Outcome};
    use crate::spec::capacity::{CapacityAnswer, CapacityCall, Terms};

    let operation = |number: u32| {
        let (order, at) = (u64::from(number / 2), u64::from(number) * 10);
        let (call, answer) = if number.is_multiple_of(2) {
            let call = CapacityCall::Reserve { order: Some(order), units: 1 };
            (call, CapacityAnswer::Accepted(Terms::default()))
        } else {
            (CapacityCall::Release { order: Some(order), units: 0 }, CapacityAnswer::Released)
        };
        Operation {
            number: OperationIndex(number),
            client: ClientId(u64::from(number)),
            call,
            outcome: Outcome::Answered(answer),
            invoked: at,
            returned: Some(at + 200),
            invoked_at: at,
            returned_at: Some(at + 200),
        }
    };
    let history = History::of((0..200_000).map(operation).collect(), Vec::new());
    assert!(admission(&KeyedHistory::single("x", history), &LimitSchedule::fixed(100), 0).holds());
}
