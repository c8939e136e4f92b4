//! The order of events is that of the times; what touches overlaps.

use super::*;
use crate::history::Builder;
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};

/// Operations as (client, call, return), each a write.
fn fed(intervals: &[(Option<u64>, i64, Option<i64>)]) -> Result<Vec<(u64, u64, Option<u64>)>, String> {
    let timed = intervals.iter().zip(1..).map(|(&(client, called, returned), line)| Timed::<Register> {
        client,
        key: String::new(),
        call: RegisterCall::Write(Some(1)),
        end: returned.map_or(TimedEnd::Unknown, |at| TimedEnd::Answered(RegisterAnswer::Done, at)),
        called,
        place: Place { line, column: 1 },
        file: 0,
    });
    let mut builder = Builder::default();
    feed(timed.collect(), &mut builder).map_err(|in_file| in_file.error.to_string())?;
    let history = builder.finish();
    Ok(history.operations().iter().map(|one| (one.client.0, one.invoked, one.returned)).collect())
}

#[test]
fn operations_that_touch_overlap() {
    let fed = fed(&[(Some(1), 0, Some(5)), (Some(2), 5, Some(7))]).unwrap();
    assert_eq!(fed, [(1, 0, Some(2)), (2, 1, Some(3))]);
}

#[test]
fn of_one_client_what_touches_follows() {
    let history = fed(&[(Some(1), 0, Some(5)), (Some(1), 5, Some(7)), (Some(2), 5, Some(5))]).unwrap();
    // 2 overlaps both: it begins before the first ends, and ends after the second began.
    assert_eq!(history, [(1, 0, Some(2)), (2, 1, Some(4)), (1, 3, Some(5))]);
}

#[test]
fn where_two_clients_touch_at_once_no_order_is_made_up() {
    let history = [(1, 0, 5), (2, 1, 5), (1, 5, 9), (2, 5, 9)];
    let history: Vec<_> = history.map(|(client, from, to)| (Some(client), from, Some(to))).to_vec();
    let fed = fed(&history).unwrap();
    let of = |client: u64, at: usize| *fed.iter().filter(|one| one.0 == client).nth(at).unwrap();
    let (first, second) = (of(1, 0), of(1, 1));
    assert!(first.2.unwrap() < second.1, "{fed:?}");
    // The other client's second operation is alone, so that it overlaps the first operation of client 1.
    let (other, alone) = (of(2, 0), of(3, 0));
    assert!(alone.1 < first.2.unwrap() && second.1 < other.2.unwrap(), "{fed:?}");
}

#[test]
fn without_a_client_each_operation_is_of_one_of_its_own() {
    let fed = fed(&[(None, 0, Some(5)), (None, 1, None), (Some(3), 2, Some(3))]).unwrap();
    assert_eq!(fed.iter().map(|one| one.0).collect::<Vec<_>>(), [4, 5, 3]);
}

#[test]
fn negative_times_are_in_order() {
    assert_eq!(fed(&[(Some(1), 7, Some(8)), (Some(2), i64::MIN, Some(-3))]).unwrap()[0], (2, 0, Some(1)));
}

#[test]
fn a_return_before_the_call_and_operations_of_one_client_that_overlap_are_refused() {
    let error = fed(&[(Some(1), 0, Some(5)), (Some(2), 9, Some(8))]).unwrap_err();
    assert_eq!(error, "2:1: found \"8\", expected a return that is not before the call");
    let error = fed(&[(Some(1), 0, Some(5)), (Some(1), 3, Some(8))]).unwrap_err();
    assert!(error.starts_with("2:1: client 1 asks"), "{error}");
    let error = fed(&[(Some(1), 0, None), (Some(1), 3, Some(8))]).unwrap_err();
    assert!(error.starts_with("2:1: client 1 goes on"), "{error}");
}
