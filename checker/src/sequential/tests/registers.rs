//! Registers of unique values: every small history, random ones, full-size ones.

use proptest::collection::vec;

use super::programs::{Asked, LENGTHS, every_program, history};
use super::*;
use crate::engine::programs::Found as Ruled;
use crate::spec::register::{RegisterAnswer, RegisterCall};
use crate::test_histories::full_size::Chance;

fn write(client: usize, key: usize, value: i64) -> Asked<Register> {
    Asked { client, key, call: RegisterCall::Write(Some(value)), answer: Some(RegisterAnswer::Done) }
}

fn read(client: usize, key: usize, value: Option<i64>) -> Asked<Register> {
    Asked { client, key, call: RegisterCall::Read, answer: Some(RegisterAnswer::Value(value)) }
}

fn swap(client: usize, key: usize, expected: Option<i64>, new: i64) -> Asked<Register> {
    let call = RegisterCall::CompareAndSet { expected, new: Some(new) };
    Asked { client, key, call, answer: Some(RegisterAnswer::Done) }
}

#[track_caller]
fn check(history: &KeyedHistory<Register>) {
    programs::check(&Register::default(), history);
}

/// The judgement without the proof by linearizability.
fn judged_alone(history: &KeyedHistory<Register>, budget: Budget) -> Judgement {
    programs::judged_alone(&Register::default(), history, budget)
}

fn has_unique_values(asked: &[Asked<Register>]) -> bool {
    let written = |asked: &Asked<Register>| match asked.call {
        RegisterCall::Write(value) => Some((asked.key, value)),
        RegisterCall::CompareAndSet { new, .. } => Some((asked.key, new)),
        RegisterCall::Read => None,
    };
    let mut values: Vec<_> = asked.iter().filter_map(written).collect();
    let count = values.len();
    values.sort_unstable();
    values.dedup();
    values.len() == count
}

#[test]
fn every_small_history_of_one_register_gets_the_naive_answer() {
    let words = [
        write(0, 0, 1),
        write(0, 0, 2),
        write(0, 0, 3),
        read(0, 0, None),
        read(0, 0, Some(1)),
        read(0, 0, Some(2)),
        swap(0, 0, Some(1), 2),
        swap(0, 0, Some(2), 3),
        swap(0, 0, None, 1),
    ];
    for lengths in LENGTHS {
        every_program(lengths, &words, |asked| {
            if has_unique_values(asked) {
                check(&history(asked));
            }
        });
    }
}

#[test]
fn every_small_history_of_two_registers_gets_the_naive_answer() {
    let words = [0, 1].map(|key| {
        [write(0, key, 1), write(0, key, 2), read(0, key, None), read(0, key, Some(1)), read(0, key, Some(2))]
    });
    for lengths in LENGTHS {
        every_program(lengths, words.as_flattened(), |asked| {
            if has_unique_values(asked) {
                check(&history(asked));
            }
        });
    }
}

/// Random programs of unique writes, of reads of anything written at all, of swaps, of unknown outcomes.
fn random(clients: usize, keys: usize, count: usize) -> impl Strategy<Value = Vec<Asked<Register>>> {
    let one = (0..clients, 0..keys, 0..12usize, 0..64i64);
    vec(one, 1..=count).prop_map(move |choices| {
        let mut next = vec![0; keys];
        for (_, key, kind, _) in &choices {
            next[*key] += i64::from(*kind < 6);
        }
        let of = next;
        let mut next = vec![0; keys];
        let asked = |(client, key, kind, pick): (usize, usize, usize, i64)| {
            let any = Some(pick % (of[key] + 1)).filter(|value| *value > 0);
            next[key] += i64::from(kind < 6);
            let asked = match kind {
                0..=3 => write(client, key, next[key]),
                4..=5 => swap(client, key, any.filter(|any| *any != next[key]), next[key]),
                _ => read(client, key, any),
            };
            Asked { answer: asked.answer.filter(|_| pick % 7 != 0), ..asked }
        };
        choices.into_iter().map(asked).collect()
    })
}

/// The general search says the same where it says anything.
fn agrees_with_the_search(history: &KeyedHistory<Register>) {
    let spec = Register::default();
    let whole = Whole::of(&spec, history);
    let (found, _) = search(&spec, &whole.items(None), whole.keys.len(), Budget { steps_max: 20_000 });
    let verdict = judged_alone(history, BUDGET).verdict;
    match found {
        Found::Legal => assert!(verdict.holds(), "{history:#?}\n{verdict}"),
        Found::Illegal(_) => assert!(verdict.is_violated(), "{history:#?}\n{verdict}"),
        Found::Exhausted(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_of_one_register_get_the_naive_answer(asked in random(3, 1, 8)) {
        check(&history(&asked));
    }

    #[test]
    fn random_histories_of_three_registers_get_the_naive_answer(asked in random(4, 3, 8)) {
        check(&history(&asked));
    }

    #[test]
    fn random_histories_are_judged_alike_by_both_searches(asked in random(4, 2, 16)) {
        agrees_with_the_search(&history(&asked));
    }
}

/// How a full-size history is made.
#[derive(Clone, Copy)]
struct Size {
    count: usize,
    keys: usize,
    lag: usize,
    writes_percent: usize,
    unknown_permille: usize,
}

const CLIENTS: usize = 16;

/// A legal order, and for each operation the instant at which it is asked: late by up to `lag`.
fn legal(size: Size, chance: &mut Chance) -> Vec<(usize, Asked<Register>)> {
    let mut held: Vec<Option<i64>> = vec![None; size.keys];
    let mut names: Vec<usize> = (0..CLIENTS).collect();
    let mut last = [0; CLIENTS];
    let mut next = CLIENTS;
    let mut all = Vec::new();
    for at in 0..size.count {
        let (client, key) = (chance.below(CLIENTS), chance.below(size.keys));
        last[client] = (at + chance.below(size.lag)).max(last[client] + 1);
        let is_write = chance.below(100) < size.writes_percent;
        let is_unknown = is_write && chance.below(1_000) < size.unknown_permille;
        let mut asked = read(names[client], key, held[key]);
        if is_write {
            asked = write(names[client], key, at as i64 + 1);
            if !is_unknown || chance.below(2) == 0 {
                held[key] = Some(at as i64 + 1);
            }
        }
        if is_unknown {
            asked.answer = None;
            names[client] = next;
            next += 1;
        }
        all.push((last[client], asked));
    }
    all
}

fn by_instant(mut all: Vec<(usize, Asked<Register>)>) -> KeyedHistory<Register> {
    all.sort_by_key(|(at, asked)| (*at, asked.client));
    history(&all.into_iter().map(|(_, asked)| asked).collect::<Vec<_>>())
}

const SIZES: [Size; 4] = [
    Size { count: 4_000, keys: 1, lag: 20, writes_percent: 20, unknown_permille: 0 },
    Size { count: 4_000, keys: 4, lag: 200, writes_percent: 50, unknown_permille: 0 },
    Size { count: 4_000, keys: 4, lag: 1_000, writes_percent: 20, unknown_permille: 20 },
    Size { count: 4_000, keys: 64, lag: 50, writes_percent: 40, unknown_permille: 10 },
];

const FULL_BUDGET: Budget = Budget { steps_max: 10_000_000 };

#[test]
fn full_size_histories_made_from_a_legal_order_hold() {
    for size in SIZES {
        for seed in 0..5 {
            let history = by_instant(legal(size, &mut Chance::new(seed)));
            let judgement = judged_alone(&history, FULL_BUDGET);
            assert!(judgement.verdict.holds(), "seed {seed}: {}", judgement.verdict);
            assert_eq!(judgement.algorithm, SATURATION);
        }
    }
}

/// Each of two clients overwrites what the other does not see yet, far apart in time.
#[test]
fn two_stale_reads_deep_inside_a_full_size_history_are_found_and_nothing_else() {
    for size in SIZES {
        for seed in 0..5 {
            let mut chance = Chance::new(seed);
            let mut all = legal(size, &mut chance);
            let (first, second) = (size.keys, size.keys + 1);
            let clients: Vec<usize> = [0, 1].map(|client| 10_000 + client).to_vec();
            let middle = size.count / 2;
            for (at, asked) in [
                (0, write(clients[0], first, -1)),
                (100, read(clients[0], second, None)),
                (50, write(clients[1], second, -1)),
                (250, read(clients[1], first, None)),
            ] {
                all.push((middle + at, asked));
            }
            let history = by_instant(all);
            let verdict = judged_alone(&history, FULL_BUDGET).verdict;
            let Verdict::Violated(violation) = &verdict else { panic!("seed {seed}: {verdict}") };
            assert_eq!(violation.operations.len(), 4, "seed {seed}: {verdict}");
            assert!(violation.explanation.contains("a cycle"), "seed {seed}: {verdict}");
        }
    }
}

/// A client reads what it has overwritten itself.
#[test]
fn a_forgotten_write_deep_inside_a_full_size_history_is_found() {
    for size in SIZES {
        for seed in 0..5 {
            let mut all = legal(size, &mut Chance::new(seed));
            let is_own = |asked: &Asked<Register>, other: &Asked<Register>| {
                asked.client == other.client && asked.key == other.key && asked.answer.is_some()
            };
            let value = |asked: &Asked<Register>| match asked.call {
                RegisterCall::Write(value) => value,
                RegisterCall::Read | RegisterCall::CompareAndSet { .. } => None,
            };
            let spoilt = (size.count / 2..size.count).find_map(|at| {
                let read = &all[at].1;
                let mut own = all[..at].iter().filter(|(_, other)| is_own(other, read));
                let own: Vec<Option<i64>> =
                    own.by_ref().filter_map(|(_, other)| value(other).map(Some)).collect();
                (read.call == RegisterCall::Read && own.len() > 1).then(|| (at, own[own.len() - 2]))
            });
            let (at, old) = spoilt.expect("somebody reads what it wrote twice");
            all[at].1.answer = Some(RegisterAnswer::Value(old));
            let verdict = judged_alone(&by_instant(all), FULL_BUDGET).verdict;
            assert!(verdict.is_violated(), "seed {seed}: {verdict}");
        }
    }
}

#[test]
fn an_algorithm_that_errs_is_not_believed() {
    let asked = [write(0, 0, 1), read(0, 0, Some(1))];
    let history = history(&asked);
    let whole = Whole::of(&Register::default(), &history);
    let programs = whole.programs();
    for wrong in [vec![1, 0], vec![0], vec![0, 1, 1]] {
        let proven =
            std::panic::catch_unwind(|| ruled::proven(&Register::default(), &programs, &wrong).len());
        assert!(proven.is_err(), "{wrong:?}");
    }
    let ruling = Register::default().sequential_shortcut(&programs, BUDGET).unwrap();
    assert_eq!(ruling.found, Ruled::Order(vec![0, 1]));
}
