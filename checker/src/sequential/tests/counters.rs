//! Counters by one: every small history, random ones, full-size ones.

use super::programs::{Asked, LENGTHS, asked, every_program, history, judged_alone, random};
use super::*;
use crate::engine::program_slots::SLOTS;
use crate::spec::counter::{Counter, CounterAnswer, CounterCall, CounterKind};
use crate::test_histories::full_size::Chance;

const COUNTER: Counter = Counter { kind: CounterKind::Increment };

fn check(history: &KeyedHistory<Counter>) {
    programs::check(&COUNTER, history);
}

#[test]
fn every_small_history_of_one_counter_gets_the_naive_answer() {
    let words = asked::<Counter>(&["i1", "i2", "i3", "+1", "=0", "=1", "=2", "=3"], 1);
    for lengths in LENGTHS {
        every_program(lengths, &words, |asked| check(&history(asked)));
    }
}

#[test]
fn every_small_history_of_two_counters_gets_the_naive_answer() {
    let words = asked::<Counter>(&["i1", "i2", "+1", "=0", "=1"], 2);
    for lengths in LENGTHS {
        every_program(lengths, &words, |asked| check(&history(asked)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_additions_and_reads_get_the_naive_answer(
        history in random::<Counter>(&["+1", "+1", "+1", "=0", "=1", "=2", "=3", "=4", "=5"], 1, 4, 8)
    ) {
        check(&history);
    }

    #[test]
    fn random_additions_of_two_and_reads_get_the_naive_answer(
        history in random::<Counter>(&["+2", "+2", "=0", "=2", "=4", "=5", "+0"], 1, 3, 8)
    ) {
        check(&history);
    }

    #[test]
    fn random_increments_of_three_counters_get_the_naive_answer(
        history in random::<Counter>(&["i1", "i2", "i3", "=1", "=2"], 3, 4, 8)
    ) {
        check(&history);
    }

    #[test]
    fn random_additions_to_two_counters_get_the_naive_answer(
        history in random::<Counter>(&["+1", "+1", "=0", "=1", "=2", "i2"], 2, 3, 8)
    ) {
        check(&history);
    }
}

/// What is done to a counter at full size: an order of operations that is legal, asked for late.
fn legal(count: usize, keys: usize, adds: bool, chance: &mut Chance) -> Vec<(usize, Asked<Counter>)> {
    const CLIENTS: usize = 16;
    let mut held = vec![0; keys];
    let mut names: Vec<usize> = (0..CLIENTS).collect();
    let mut last = [0; CLIENTS];
    let mut next = CLIENTS;
    let mut all = Vec::new();
    for at in 0..count {
        let (client, key) = (chance.below(CLIENTS), chance.below(keys));
        last[client] = (at + chance.below(60)).max(last[client] + 1);
        let is_unknown = chance.below(100) == 0;
        let is_read = !is_unknown && adds && chance.below(2) == 0;
        let (call, answer) = match (is_read, adds) {
            (true, _) => (CounterCall::Read, CounterAnswer::Value(held[key])),
            (false, true) => (CounterCall::Add(1), CounterAnswer::Done),
            (false, false) => (CounterCall::Increment, CounterAnswer::Value(held[key] + 1)),
        };
        if !is_read && (!is_unknown || chance.below(2) == 0) {
            held[key] += 1;
        }
        let answer = Some(answer).filter(|_| !is_unknown);
        all.push((last[client], Asked { client: names[client], key, call, answer }));
        if is_unknown {
            names[client] = next;
            next += 1;
        }
    }
    all
}

fn judged_at_full_size(mut all: Vec<(usize, Asked<Counter>)>) -> Judgement {
    all.sort_by_key(|(at, asked)| (*at, asked.client));
    let asked: Vec<_> = all.into_iter().map(|(_, asked)| asked).collect();
    judged_alone(&COUNTER, &history(&asked), Budget { steps_max: 1_000_000 })
}

#[test]
fn full_size_histories_made_from_a_legal_order_hold() {
    for (keys, adds) in [(1, false), (5, false), (1, true)] {
        for seed in 0..5 {
            let judgement = judged_at_full_size(legal(20_000, keys, adds, &mut Chance::new(seed)));
            assert!(judgement.verdict.holds(), "seed {seed}: {}", judgement.verdict);
            assert_eq!(judgement.algorithm, SLOTS);
        }
    }
}

/// A client finds less than it found before: two answers show it.
#[test]
fn a_value_that_went_back_deep_inside_a_full_size_history_is_found_and_nothing_else() {
    for (keys, adds) in [(1, false), (5, false), (1, true)] {
        for seed in 0..5 {
            let mut all = legal(20_000, keys, adds, &mut Chance::new(seed));
            let value = |asked: &Asked<Counter>| match asked.answer {
                Some(CounterAnswer::Value(value)) => Some(value),
                Some(CounterAnswer::Done) | None => None,
            };
            let same = |one: &Asked<Counter>, other: &Asked<Counter>| {
                (one.client, one.key) == (other.client, other.key)
            };
            let (at, swapped) = (all.len() / 2..all.len())
                .find_map(|at| {
                    let now = value(&all[at].1)?;
                    let earlier = all[..at].iter().rposition(|(_, other)| same(other, &all[at].1))?;
                    let before = value(&all[earlier].1)?;
                    (before < now).then_some((at, earlier))
                })
                .unwrap();
            let (now, before) = (all[at].1.answer, all[swapped].1.answer);
            (all[at].1.answer, all[swapped].1.answer) = (before, now);
            let verdict = judged_at_full_size(all).verdict;
            let Verdict::Violated(violation) = &verdict else { panic!("seed {seed}: {verdict}") };
            assert!(violation.operations.len() <= 4, "seed {seed}: {verdict}");
        }
    }
}

#[test]
fn too_many_additions_between_two_reads_are_counted() {
    let asked = |client, call, answer| Asked::<Counter> { client, key: 0, call, answer: Some(answer) };
    let read = |client, value| asked(client, CounterCall::Read, CounterAnswer::Value(value));
    let add = |client| asked(client, CounterCall::Add(1), CounterAnswer::Done);
    let mut all = vec![read(0, 3), add(0), add(0), read(0, 5), read(1, 3), add(1), read(1, 5)];
    all.extend((2..30).flat_map(|client| [add(client), read(client, 31)]));
    let verdict = judged_alone(&COUNTER, &history(&all), BUDGET).verdict;
    let Verdict::Violated(violation) = &verdict else { panic!("{verdict}") };
    assert!(violation.explanation.contains("room for 2"), "{verdict}");
    assert_eq!(violation.operations, [0, 1, 2, 3, 4, 5, 6].map(OperationIndex), "{verdict}");
}
