//! Explanations of files: what their reader needs in order to find the place, and to see why.

use crate::budget::Budget;
use crate::format::{Options, parse};
use crate::judge::{judge, judge_by};
use crate::lattice::Level;
use crate::verdict::{Verdict, Violation};

#[track_caller]
fn violation(file: &str) -> Violation {
    let families = parse(file.as_bytes(), &Options::default()).expect("a history");
    let checks = judge(&families, &["linearizable"], Budget { steps_max: 100_000 });
    let [check] = checks.as_slice() else { panic!("{checks:?}") };
    let Verdict::Violated(violation) = &check.verdict else { panic!("{:?}", check.verdict) };
    violation.clone()
}

/// A stale read: 1 was overwritten on line 5, before the read of line 6 began.
const STALE: &str = "# model=register-cas init=nil
0 i w 1
0 o w 1
0 i w 2
0 o w 2
1 i r
1 o r 1
0 i w 3
0 o w 3
";

#[test]
fn an_explanation_names_lines_and_the_write_that_was_read_stands_beside_the_part() {
    let found = violation(STALE);
    assert_eq!(
        found.explanation,
        "no order of {client 0's write 2 (lines 4 and 5); client 1's read -> 1 (lines 6 and 7)} is legal and \
         respects real time, whichever of the other operations are added: the value 1 lasts from line 3 to line 6, \
         but the value 2 comes and goes between line 4 and line 5"
    );
    let [beside] = found.context.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (beside.operation.0, beside.why.as_str()),
        (0, "wrote the value of client 1's read -> 1 (lines 6 and 7)")
    );
    assert_eq!(found.named[2].words, "client 0's write 1 (lines 2 and 3)");
}

#[test]
fn the_story_begins_where_the_history_does_and_stops_at_the_operation_that_does_not_fit() {
    let found = violation(STALE);
    assert_eq!(
        (found.legal_prefix_count, found.legal_prefix.len(), found.legal_prefix_omitted),
        (Some(2), 2, 0)
    );
    assert_eq!(
        found.steps,
        [
            "at first, it holds nil",
            "client 0's write 1 (lines 2 and 3): it holds 1",
            "client 0's write 2 (lines 4 and 5): it holds 2",
            "client 1's read -> 1 (lines 6 and 7) must take effect before it returned, and cannot: for that it \
             would have to hold 1, and here it holds 2",
        ]
    );
    assert_eq!(found.would_have_to.as_deref(), Some("hold 1"));
    assert_eq!(found.instead.as_deref(), Some("it holds 2"));
}

#[test]
fn of_a_long_prefix_the_last_steps_are_told_and_the_rest_is_counted() {
    let mut file = "# model=register-cas init=nil\n".to_owned();
    (0..40).for_each(|value| file += &format!("0 i w {value}\n0 o w {value}\n"));
    file += "1 i r\n1 o r 7\n";
    let found = violation(&file);
    assert_eq!((found.legal_prefix_omitted, found.legal_prefix.len()), (32, 8));
    assert_eq!(found.steps[0], "after 32 operations in a legal order, it holds 31");
    assert!(found.steps[9].starts_with("client 1's read -> 7 (lines 82 and 83)"), "{:?}", found.steps);
}

#[test]
fn indexes_and_instants_are_named_as_the_file_has_them() {
    let found = violation(
        "{:index 0, :time 1000000, :type :invoke, :process 3, :f :write, :value 1}
{:index 1, :time 2500000, :type :ok, :process 3, :f :write, :value 1}
{:index 2, :time 12345000000, :type :invoke, :process 4, :f :read, :value nil}
{:index 3, :time 12351000000, :type :ok, :process 4, :f :read, :value 2}
",
    );
    let [read] = found.named.as_slice() else { panic!("{found:?}") };
    assert_eq!(read.words, "client 4's read -> 2 (lines 3 and 4, :index 2 and 3; 12.345 s to 12.351 s)");
    assert_eq!(
        (read.line, read.response_line, read.index, read.response_index),
        (Some(3), Some(4), Some(2), Some(3))
    );
    assert_eq!(
        found.explanation,
        format!(
            "{} has no legal place, whichever of the other operations are added: the value 2 is found, but no \
             operation makes it",
            read.words
        )
    );
}

#[test]
fn a_value_whose_write_failed_or_came_too_late_is_shown_beside_its_read() {
    let failed = violation(
        "{:type :invoke, :process 3, :f :write, :value 2}
{:type :fail, :process 3, :f :write, :value 2}
{:type :invoke, :process 4, :f :read, :value nil}
{:type :ok, :process 4, :f :read, :value 2}
",
    );
    let [beside] = failed.context.as_slice() else { panic!("{failed:?}") };
    assert_eq!(
        beside.why,
        "wrote the value of client 4's read -> 2 (lines 3 and 4), but is recorded as not done"
    );
    assert_eq!(failed.named[1].words, "client 3's write 2 (recorded as not done; lines 1 and 2)");
    let late = violation("# model=register-cas\n1 i r\n1 o r 2\n0 i w 2\n0 o w 2\n");
    let named: Vec<&str> = late.named.iter().map(|one| one.words.as_str()).collect();
    assert!(named.iter().any(|words| words.starts_with("client 0's write 2 (line")), "{late:?}");
}

#[test]
fn the_source_of_a_read_stands_beside_a_part_that_fails_without_it() {
    // Whichever other operations are added, a lock cannot be held twice without a release in between.
    let found = violation(
        "# model=mutex\n0 i acquire\n0 o acquire\n0 i release\n0 o release\n1 i acquire\n1 o acquire\n\
         2 i acquire\n2 o acquire\n",
    );
    let beside: Vec<_> = found.context.iter().map(|one| one.why.as_str()).collect();
    assert!(
        beside.iter().any(|why| why.starts_with("could free the lock for client")),
        "{beside:?} {}",
        found.explanation
    );
}

#[test]
fn objects_under_keys_and_weaker_levels_name_lines_too() {
    let file = "# model=kv\n0 i put x 1\n0 o put x 1\n1 i get x\n1 o get x 1\n1 i get x\n1 o get x nil\n0 i put y 1\n0 o put y 1\n";
    let families = parse(file.as_bytes(), &Options::default()).expect("a history");
    let checks = judge_by(&families, Level::MonotonicReads, Budget { steps_max: 100_000 });
    let Verdict::Violated(found) = &checks[0].verdict else { panic!("{checks:?}") };
    assert!(
        found.explanation.contains("client 1's read -> nil on x (lines 6 and 7)"),
        "{}",
        found.explanation
    );
    assert!(!found.explanation.contains("operation "), "{}", found.explanation);
}

#[test]
fn strings_are_named_as_the_file_writes_them() {
    let found = violation(
        "{:type :invoke, :process 0, :f :write, :value \"v1\"}
{:type :ok, :process 0, :f :write, :value \"v1\"}
{:type :invoke, :process 0, :f :write, :value \"v2\"}
{:type :ok, :process 0, :f :write, :value \"v2\"}
{:type :invoke, :process 4, :f :read, :value nil}
{:type :ok, :process 4, :f :read, :value \"v1\"}
",
    );
    assert!(
        found.explanation.contains("the value \"v1\" lasts from line 2 to line 5"),
        "{}",
        found.explanation
    );
}
