//! Admission where there are several kinds and zones, each clause kept and broken; and one kind, as if it were the only.

use super::*;
use crate::spec::kinds::Kinds;
use crate::test_histories::full_size::Chance;

/// The second kind has half of the limit.
const SPEC: Kinds = Kinds { shares: [100, 50, 0], capacity: None };

#[track_caller]
fn check(drawing: &str, limit: u64, wanted: Option<&[u32]>) {
    let history = draw_keyed::<Kinds>(drawing);
    let verdict = admission_of_kinds(&SPEC, &history, &LimitSchedule::fixed(limit), 0);
    let found = match &verdict {
        Verdict::Violated(violation) => Some(violation.operations.iter().map(|number| number.0).collect()),
        Verdict::Holds | Verdict::Undecided(_) => None::<Vec<u32>>,
    };
    assert_eq!(found.as_deref(), wanted, "{drawing}\n{verdict}");
}

#[test]
fn what_is_above_the_limit_in_one_kind_alone_is_too_much() {
    check("a: [x.+a3,2 ] [x.+b3,3 ]", 10, None);
    check("a: [x.+a3,2 ] [x.+b3,4 ]", 10, Some(&[0, 1]));
    check("a: [x.+a9 ] [x.+b2 ]", 10, Some(&[0, 1]));
}

#[test]
fn what_asks_for_none_of_a_kind_is_not_bounded_by_it() {
    check("a: [x.+a3,5 ] [x.+b3 ]", 10, None);
    check("a: [x.+a3,5 ] [x.!b3 ]", 10, Some(&[1]));
}

#[test]
fn what_is_rejected_had_certainly_no_room_in_some_kind() {
    check("a: [x.+a3,2 ] [x.!b3,4 ]", 10, None);
    check("a: [x.+a3,2 ] [x.!b8,1 ]", 10, None);
    check("a: [x.+a3,2 ] [x.!b7,3 ]", 10, Some(&[1]));
}

#[test]
fn what_is_not_known_may_have_taken_the_room_of_one_kind() {
    check("a: [x.+a3,2\nb:             [x.!b7,4 ]", 10, None);
    check("a: [x.+a3,2\nb:             [x.!b8,1 ]", 10, None);
    check("a: [x.+a3,2\nb:             [x.!b7,3 ]", 10, Some(&[1]));
    check("a: [x.+a3,2 ] [x.-a\nb:                       [x.+b9,4 ]", 10, None);
}

#[test]
fn who_is_not_served_is_refused_as_such_and_nobody_else() {
    check("a: [x.?a3,2# ] [x.+b9,4 ]", 10, None);
    check("a: [x.+a1#", 10, None);
    check("a: [x.+a1# ]", 10, Some(&[0]));
    check("a: [x.!a99# ]", 10, Some(&[0]));
    check("a: [x.?a1 ]", 10, Some(&[0]));
}

/// The same words without kinds, judged by what judges counters of one kind.
#[test]
fn one_kind_alone_is_judged_as_if_there_were_no_kinds() {
    let spec = Kinds { shares: [100, 0, 0], capacity: None };
    let words = ["+a2", "+b1", "+c3", "!b1", "!c3", "-a", "-b", "~a"];
    let mut violated_count = 0;
    for seed in 0..4_000 {
        let drawing = lanes(&words, &mut Chance::new(seed));
        let schedule = LimitSchedule { steps: vec![(0, 4), (14, 2 + seed % 3)] };
        let uncertainty_ns = seed % 4;
        let plain = admission(&draw_keyed::<Capacity>(&drawing), &schedule, uncertainty_ns);
        let kinds = admission_of_kinds(&spec, &draw_keyed::<Kinds>(&drawing), &schedule, uncertainty_ns);
        let numbers = |verdict: &Verdict| match verdict {
            Verdict::Violated(violation) => violation.operations.clone(),
            Verdict::Holds | Verdict::Undecided(_) => Vec::new(),
        };
        assert_eq!(numbers(&plain), numbers(&kinds), "seed {seed}\n{drawing}\n{plain}\n{kinds}");
        violated_count += usize::from(plain.is_violated());
    }
    assert!(violated_count > 400, "only {violated_count} were found wrong");
}

/// Three clients that say random words at random times.
fn lanes(words: &[&str], chance: &mut Chance) -> String {
    let lane = |client: char, chance: &mut Chance| {
        let mut lane = format!("{client}:");
        for _ in 0..1 + chance.below(3) {
            let word = words[chance.below(words.len())];
            lane += &format!("{}[x.{word}{}]", " ".repeat(1 + chance.below(9)), " ".repeat(chance.below(9)));
        }
        if chance.below(3) == 0 {
            lane.pop();
        }
        lane
    };
    ['a', 'b', 'c'].map(|client| lane(client, chance)).join("\n")
}

/// What a service of several kinds would have decided is not accused, whatever it was asked.
#[test]
fn no_legal_history_is_accused() {
    use crate::test_histories::KINDS_WORDS;
    use crate::test_histories::full_size::legal_history;

    let spec = Kinds { capacity: Some(4), ..SPEC };
    let words: Vec<String> =
        KINDS_WORDS.iter().filter(|word| !word.contains('@')).map(|word| (*word).to_owned()).collect();
    for seed in 0..2_000 {
        let shape = crate::test_histories::Shape { operations: 12, clients: 3 };
        let history = legal_history(&spec, &words, shape, &mut Chance::new(seed));
        let timed = with_times(&KeyedHistory::single("x", history));
        let verdict = admission_of_kinds(&spec, &timed, &LimitSchedule::fixed(4), 0);
        assert!(verdict.holds(), "seed {seed}: {verdict}\n{}", timed.drawing());
    }
}
