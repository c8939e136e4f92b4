//! Random histories of each model: every verdict's evidence is accepted, damaged evidence never for a wrong one.
//!
//! `COUNTERCLOCK_TRIALS` says how many of each; a few hundred if it is not set.

use super::{certify_objects, chain};
use crate::agreement::naive;
use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::format::evidence::{Because, Certificate, Checked, Claim, Others, Step};
use crate::history::OperationIndex;
use crate::keyed::KeyedHistory;
use crate::lattice::{Level, judge_level};
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::kinds::Kinds;
use crate::spec::log::Log;
use crate::spec::multi_register::MultiRegister;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::spec::text::Text;
use crate::test_histories::full_size::Chance;
use crate::test_histories::{CAPACITY_WORDS, KINDS_WORDS, REGISTER_WORDS};
use crate::trials::{any_history, trial_count};
use crate::verify::{self, Whole, accept_on};

const BUDGET: Budget = Budget { steps_max: 1_000_000 };
/// Operations up to which every level is tried: the naive answer tries all orders.
const EVERY_LEVEL_COUNT_MAX: usize = 4;
/// Work of a forged search.
const WORK_MAX: u64 = 100_000;

/// What came of damaged evidence.
#[derive(Debug, Default)]
struct Tally {
    accepted: u64,
    refused: u64,
    still_valid: u64,
}

#[track_caller]
fn check<S: Drawable>(spec: &S, words: &[&str]) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut tally = Tally::default();
    for seed in 0..trial_count() {
        let mut chance = Chance::new(seed);
        let history = any_history(spec, &words, &mut chance);
        let levels = if history.len() <= EVERY_LEVEL_COUNT_MAX { &Level::ALL[..] } else { &Level::ALL[..2] };
        let keyed = KeyedHistory::single("x", history);
        for level in levels {
            one_level(spec, &keyed, *level, (&mut chance, &mut tally));
        }
    }
    assert!(tally.refused > tally.accepted / 2, "{tally:?}");
    let name = std::any::type_name::<S>();
    println!(
        "{name}: {} accepted, {} damaged refused, {} still valid",
        tally.accepted, tally.refused, tally.still_valid
    );
}

/// The evidence of one level is accepted; damaged or forged, it is never for the wrong verdict.
#[track_caller]
fn one_level<S: Drawable>(
    spec: &S,
    history: &KeyedHistory<S>,
    level: Level,
    (chance, tally): (&mut Chance, &mut Tally),
) {
    let context = || format!("{}\n{}", level.name(), history.drawing());
    let verdict = judge_level(level, spec, history, BUDGET).verdict;
    let holds = naive(level, spec, history);
    assert_eq!(verdict.holds(), holds, "{}", context());
    let truth = if holds { Claim::Holds } else { Claim::Violated };
    let certificate = certify_objects(spec, history, (level, &verdict), BUDGET);
    let good =
        Checked { family: "x".to_owned(), check: level.name().to_owned(), verdict: truth, certificate };
    assert_eq!(accept_on(spec, history, &good), Ok(()), "{verdict}\n{good:?}\n{}", context());
    tally.accepted += 1;
    let numbers: Vec<OperationIndex> =
        history.by_invocation().iter().map(|(_, operation)| operation.number).collect();
    let mut others = vec![damaged(&good, &numbers, chance), flipped(&good)];
    others.extend(forged(history, &good, &numbers, chance));
    for other in others.into_iter().filter(|other| *other != good) {
        match accept_on(spec, history, &other) {
            Ok(()) => {
                assert_eq!(other.verdict, truth, "accepted: {other:?}\n{}", context());
                tally.still_valid += 1;
            }
            Err(_) => tally.refused += 1,
        }
    }
    if holds && level != Level::Convergence {
        let whole = Whole::of(spec, history);
        let core: Vec<OperationIndex> =
            numbers.iter().copied().filter(|number| whole.find_all(&[*number]).is_ok()).collect();
        let level = verify::Level::named(level.name()).unwrap();
        assert_eq!(chain::chain(&whole, level, &core), None, "{}", context());
    }
}

fn flipped(good: &Checked) -> Checked {
    let verdict = if good.verdict == Claim::Holds { Claim::Violated } else { Claim::Holds };
    Checked { verdict, ..good.clone() }
}

/// One thing changed.
fn damaged(good: &Checked, numbers: &[OperationIndex], chance: &mut Chance) -> Checked {
    let mut damaged = good.clone();
    match &mut damaged.certificate {
        Certificate::Orders { orders } => {
            orders.values_mut().for_each(|order| damage(order, numbers, chance));
        }
        Certificate::Order { order } => damage(order, numbers, chance),
        Certificate::Visibility { arbitration, sees } => match chance.below(2) {
            0 => damage(arbitration, numbers, chance),
            _ if sees.is_empty() => {}
            _ => {
                let at = chance.below(sees.len());
                damage(&mut sees[at].1, numbers, chance);
            }
        },
        Certificate::Core { core, work, .. } => match chance.below(4) {
            0 => *work = work.saturating_sub(1),
            _ => damage(core, numbers, chance),
        },
        Certificate::Chain { steps } => {
            let at = chance.below(steps.len());
            match chance.below(3) {
                0 => drop(steps.remove(at)),
                1 => steps[at].because = reason(chance),
                _ => damage(&mut steps[at].of, numbers, chance),
            }
        }
        Certificate::Records { .. } | Certificate::None { .. } => {}
    }
    damaged
}

/// Two are swapped, one is left out, or one is another.
fn damage(order: &mut Vec<OperationIndex>, numbers: &[OperationIndex], chance: &mut Chance) {
    if order.is_empty() {
        return order.push(numbers[chance.below(numbers.len())]);
    }
    let (one, other) = (chance.below(order.len()), chance.below(order.len()));
    match chance.below(4) {
        0 => order.swap(one, other),
        1 => drop(order.remove(one)),
        2 => order[one] = numbers[chance.below(numbers.len())],
        _ => order[one].0 += 1 + chance.below(9) as u32,
    }
}

fn reason(chance: &mut Chance) -> Because {
    let all = [Because::Time, Because::Program, Because::ReadsFrom, Because::Overwritten, Because::Nowhere];
    all[chance.below(all.len())]
}

/// Evidence made up for the opposite verdict, and for this one.
fn forged<S: Drawable>(
    history: &KeyedHistory<S>,
    good: &Checked,
    numbers: &[OperationIndex],
    chance: &mut Chance,
) -> Vec<Checked> {
    let operations = history.by_invocation();
    let answered: Vec<OperationIndex> =
        operations.iter().filter(|(_, one)| one.returned.is_some()).map(|(_, one)| one.number).collect();
    let mut shuffled = answered.clone();
    (1..shuffled.len()).for_each(|at| shuffled.swap(at, chance.below(at + 1)));
    let some: Vec<OperationIndex> = answered.iter().copied().filter(|_| chance.below(2) > 0).collect();
    let orders = [("x".to_owned(), shuffled.clone())].into();
    let claims = |verdict, certificate| Checked { verdict, certificate, ..good.clone() };
    let mut forged = vec![
        claims(Claim::Holds, Certificate::Orders { orders }),
        claims(Claim::Holds, Certificate::Order { order: answered.clone() }),
        claims(Claim::Holds, Certificate::Visibility { arbitration: shuffled, sees: Vec::new() }),
        claims(Claim::Holds, Certificate::None { reason: String::new() }),
        claims(Claim::Undecided, good.certificate.clone()),
        claims(Claim::Violated, Certificate::Chain { steps: Vec::new() }),
    ];
    let step = |chance: &mut Chance| Step {
        because: reason(chance),
        of: (0..2).map(|_| numbers[chance.below(numbers.len())]).collect(),
    };
    let steps = (0..4).map(|_| step(chance)).collect();
    forged.push(claims(Claim::Violated, Certificate::Chain { steps }));
    let work = if good.verdict == Claim::Holds { WORK_MAX } else { 1_000 };
    for others in [Others::Optional, Others::Needed, Others::Nothing] {
        forged.push(claims(Claim::Violated, Certificate::Core { core: answered.clone(), others, work }));
        forged.push(claims(Claim::Violated, Certificate::Core { core: some.clone(), others, work }));
    }
    forged
}

/// Evidence at every level of a drawn history.
fn accept_drawing<S: Drawable>(spec: &S, drawing: &str) {
    let history = KeyedHistory::draw(drawing).unwrap();
    for level in Level::ALL {
        let verdict = judge_level(level, spec, &history, BUDGET).verdict;
        let certificate = certify_objects(spec, &history, (level, &verdict), BUDGET);
        let claim = if verdict.holds() { Claim::Holds } else { Claim::Violated };
        let (family, check) = ("x".to_owned(), level.name().to_owned());
        let checked = Checked { family, check, verdict: claim, certificate };
        let accepted = accept_on(spec, &history, &checked);
        assert_eq!(accepted, Ok(()), "{} {verdict}\n{drawing}\n{checked:?}", level.name());
    }
}

#[test]
fn every_drawing_of_the_gallery_has_evidence_at_every_level() {
    let mut lines = include_str!("../../../docs/consistency.md").lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        let Some(settings) = line.strip_prefix("```text model=") else { continue };
        let drawing: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let drawing = drawing.join("\n");
        match settings.split(' ').next().unwrap() {
            "register-cas" => accept_drawing(&Register::default(), &drawing),
            "counter-inc" => accept_drawing(&Counter { kind: CounterKind::Increment }, &drawing),
            "log" => accept_drawing(&Log, &drawing),
            "mutex" => accept_drawing(&Mutex, &drawing),
            model => panic!("no model {model} in the gallery"),
        }
        count += 1;
    }
    assert!(count > 20, "{count} drawings");
}

/// Values may be written that the register holds at first: then a read of them comes from nowhere in particular.
#[test]
fn evidence_on_registers_that_are_set_back() {
    check(&Register::default(), &["w1", "wn", "r1", "rn", "wn", "rn", "w2", "r2"]);
}

/// What is open when the core begins may have come before what had returned by then.
#[test]
fn a_core_is_explained_by_what_overlaps_its_beginning() {
    let spec = Counter { kind: CounterKind::Increment };
    let history = KeyedHistory::draw("a: [i\nb:   [i2 ] [i3 ]").unwrap();
    let whole = Whole::of(&spec, &history);
    for others in [Others::Optional, Others::Needed, Others::Nothing] {
        let core = [OperationIndex(2)];
        let found = verify::impossible(&whole, verify::Level::RealTime, &core, others, WORK_MAX);
        assert_eq!(found, Err(verify::Refusal::Explained), "{others:?}");
    }
}

#[test]
fn evidence_on_registers() {
    check(&Register::default(), &REGISTER_WORDS);
}

#[test]
fn evidence_on_registers_of_unique_values() {
    check(&Register::default(), &["w1", "w2", "w3", "w4", "w5", "r1", "r2", "r3", "r4", "r5", "rn", "c1>2"]);
}

#[test]
fn evidence_on_strings() {
    check(&Text::default(), &["pa", "pb", "ab", "ac", "g", "ga", "gb", "gab", "gabc", "gacb", "gc"]);
}

#[test]
fn evidence_on_strings_of_different_parts() {
    let words = ["pp", "pq", "aa", "ab", "ac", "g", "gx", "gp", "gpa", "gab", "gba", "gxb", "gqc", "gpcb"];
    check(&Text { initial: "x".into() }, &words);
}

#[test]
fn evidence_on_counters_of_increments() {
    check(&Counter { kind: CounterKind::Increment }, &["i1", "i2", "i3", "i4", "=0", "=1", "=2"]);
}

#[test]
fn evidence_on_counters_of_additions() {
    check(&Counter { kind: CounterKind::AddAndRead }, &["+1", "+1", "+2", "=0", "=1", "=2", "=3"]);
}

#[test]
fn evidence_on_bounded_counters() {
    check(&Capacity { capacity: Some(3) }, &CAPACITY_WORDS);
}

#[test]
fn evidence_on_counters_of_several_kinds() {
    check(&Kinds { shares: [100, 50, 0], capacity: Some(4) }, &KINDS_WORDS);
}

#[test]
fn evidence_on_logs() {
    let words =
        ["a1", "a2", "a3", "a1@0", "a2@1", "a2@0", "l", "l1", "l1,2", "l2,1", "1l2", "e1", "1e2", "1e"];
    check(&Log, &words);
}

#[test]
fn evidence_on_locks() {
    check(&Mutex, &["a", "r"]);
}

#[test]
fn evidence_on_transactions() {
    let words = ["wx1,wy1", "rx0,ry0", "rx1,ry0", "rx1,ry1", "wx2", "rx1,wy2", "ry2", "rx", "rx2,wx1"];
    check(&MultiRegister::default(), &words);
}
