//! Counters in the store: each decision of `sync`, taken and skipped.

use super::*;

const TICK: u32 = 0;

#[test]
fn a_retry_after_a_lost_answer_counts_once_and_gets_the_first_answer() {
    for (rules, want) in [
        (sync::Rules::hardened(), Answer::Value(2)),
        (sync::Rules::mutant("sync-retry-counts"), Answer::Value(4)),
    ] {
        let mut bench = Bench::sync(rules);
        bench.line = Line::Deaf;
        assert!(bench.ask(1, add("a", 2)).is_empty());
        bench.give_up(TICK);
        bench.line = Line::Whole;
        assert_eq!(bench.ask(1, add("a", 2)), DONE);
        assert_eq!(bench.read(2, "a"), want);
    }
}

#[test]
fn a_key_noted_apart_from_its_sum_may_be_all_that_is_left() {
    for (rules, want) in [
        (sync::Rules::hardened(), Answer::Value(2)),
        (sync::Rules::mutant("sync-key-apart"), Answer::NotFound),
    ] {
        let mut bench = Bench::sync(rules);
        bench.line = Line::Deaf;
        bench.ask(1, add("a", 2));
        bench.line = Line::Whole;
        assert_eq!(bench.ask(1, add("a", 2)), DONE);
        assert_eq!(bench.read(2, "a"), want);
        assert_eq!(bench.ask(3, add("b", 2)), DONE);
        assert_eq!(bench.read(4, "b"), Answer::Value(2));
    }
}

#[test]
fn a_cached_read_does_not_see_what_others_have_added() {
    for (rules, want) in [
        (sync::Rules::hardened(), Answer::Value(3)),
        (sync::Rules::mutant("sync-cached-read"), Answer::Value(2)),
    ] {
        let mut bench = Bench::sync(rules);
        bench.ask(1, add("a", 2));
        bench.read(2, "a");
        let statements = [rows::add(&Increment { key: "a".into(), delta: 1 })];
        let number = crate::database::QueryNumber { connection: 77, count: 0 };
        let query = crate::database::Packet::Query { number, statements: statements.into() };
        bench.line = Line::Cut;
        bench.tell_database(Input::Message { from: NodeId(2), message: Message::Database(query) });
        bench.line = Line::Whole;
        assert_eq!(bench.read(3, "a"), want);
    }
}

#[test]
fn a_database_that_only_starts_is_asked_again_elsewhere() {
    let mut bench = Bench::sync(sync::Rules::hardened());
    bench.database = build(&SHAPE, Build::Sync(sync::Rules::hardened())).members[0].clone();
    assert_eq!(bench.ask(1, add("a", 1)), [Answer::Unavailable]);
}
