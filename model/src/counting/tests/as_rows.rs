//! Counters as rows: each decision of `rollup`, taken and skipped.

use super::*;

const TICK: u32 = 0;
const ROLL: u32 = 1;

#[test]
fn a_read_sees_row_and_tail_and_a_read_of_the_row_what_was_summed_up() {
    let mut bench = Bench::rollup(rollup::Rules::hardened());
    bench.ask(1, add("a", 2));
    bench.ask(2, add("b", 5));
    assert_eq!(bench.read(3, "a"), Answer::Value(2));
    assert_eq!(bench.ask(4, Call::ReadRow("a".into())), [Answer::NotFound]);
    bench.timer(ROLL);
    bench.ask(5, add("a", 1));
    assert_eq!(bench.ask(6, Call::ReadRow("a".into())), [Answer::Value(2)]);
    assert_eq!(bench.read(7, "a"), Answer::Value(3));
}

#[test]
fn a_retry_after_a_lost_answer_counts_once() {
    for (rules, want) in [
        (rollup::Rules::hardened(), Answer::Value(2)),
        (rollup::Rules::mutant("rollup-retry-counts"), Answer::Value(4)),
    ] {
        let mut bench = Bench::rollup(rules);
        bench.ask(1, add("a", 2));
        bench.ask(1, add("a", 2));
        assert_eq!(bench.read(2, "a"), want);
        bench.timer(ROLL);
        assert_eq!(bench.read(3, "a"), want);
    }
}

/// A number is drawn, another row commits and is summed up, then the row of the first number commits.
#[test]
fn a_row_that_commits_late_is_summed_up_all_the_same() {
    for (rules, want) in [
        (rollup::Rules::hardened(), Answer::Value(2)),
        (rollup::Rules::mutant("rollup-id-after-last"), Answer::NotFound),
    ] {
        let mut bench = Bench::rollup(rules);
        bench.line = Line::Deaf;
        bench.ask(1, add("a", 2));
        bench.give_up(TICK);
        bench.line = Line::Whole;
        assert_eq!(bench.ask(2, add("b", 5)), DONE);
        bench.timer(ROLL);
        let statements = [
            rows::note(RequestKey(1), &Increment { key: "a".into(), delta: 2 }, rows::Otherwise::Abort),
            rows::Statement::Put(Key::Tail(1), Row::Increment(Increment { key: "a".into(), delta: 2 })),
        ];
        let number = crate::database::QueryNumber { connection: 77, count: 0 };
        let query = crate::database::Packet::Query { number, statements: statements.into() };
        bench.line = Line::Deaf;
        bench.tell_database(Input::Message { from: NodeId(1), message: Message::Database(query) });
        bench.line = Line::Whole;
        bench.timer(ROLL);
        assert_eq!(bench.read(3, "a"), want);
        assert_eq!(bench.read(4, "b"), Answer::Value(5));
    }
}

#[test]
fn rows_claimed_apart_from_their_sum_are_lost_with_one_answer() {
    for (rules, want) in [
        (rollup::Rules::hardened(), Answer::Value(2)),
        (rollup::Rules::mutant("rollup-claim-apart"), Answer::NotFound),
    ] {
        let mut bench = Bench::rollup(rules);
        bench.ask(1, add("a", 2));
        let claim = |bench: &mut Bench| {
            // The scan is answered, the answer to the claim is lost.
            let service = &mut bench.service;
            bench.service_probe.ask(|context, fx| service.handle(Input::Timer(TimerKey(ROLL)), context, fx));
            let scan = bench.service_probe.done();
            let database = &mut bench.database;
            for (_, message) in scan.sent {
                let input = Input::Message { from: NodeId(1), message };
                bench.database_probe.ask(|context, fx| database.handle(input, context, fx));
            }
            let found = bench.database_probe.done();
            bench.line = Line::Deaf;
            for (_, message) in found.sent {
                bench.tell_service(Input::Message { from: DATABASE, message });
            }
            bench.line = Line::Whole;
        };
        claim(&mut bench);
        bench.give_up(TICK);
        bench.timer(ROLL);
        assert_eq!(bench.read(2, "a"), want);
    }
}

#[test]
fn two_snapshots_miss_what_is_summed_up_in_between() {
    for (rules, want) in [
        (rollup::Rules::hardened(), Answer::Value(2)),
        (rollup::Rules::mutant("rollup-two-snapshots"), Answer::NotFound),
    ] {
        let mut bench = Bench::rollup(rules);
        bench.ask(1, add("a", 2));
        bench.line = Line::Deaf;
        let read = Message::Ask(Ask { request: RequestKey(2), call: Call::Read("a".into()), mark: () });
        let service = &mut bench.service;
        let input = Input::Message { from: CLIENT, message: read };
        bench.service_probe.ask(|context, fx| service.handle(input, context, fx));
        let query = bench.service_probe.done();
        let database = &mut bench.database;
        for (_, message) in query.sent {
            let input = Input::Message { from: NodeId(1), message };
            bench.database_probe.ask(|context, fx| database.handle(input, context, fx));
        }
        let found = bench.database_probe.done();
        bench.line = Line::Whole;
        bench.timer(ROLL);
        for (_, message) in found.sent {
            bench.tell_service(Input::Message { from: DATABASE, message });
        }
        assert_eq!(bench.answers_of(2), [want]);
    }
}
