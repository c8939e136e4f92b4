//! Programs of all clients, small ones exhaustively, against the naive answer.

use super::*;
use crate::history::ClientId;
use crate::keyed::KeyedBuilder;

/// One operation of a program: its client, its key, what it asks and is answered.
#[derive(Debug)]
pub(super) struct Asked<S: Spec> {
    pub(super) client: usize,
    pub(super) key: usize,
    pub(super) call: S::Call,
    pub(super) answer: Option<S::Answer>,
}

impl<S: Spec> Clone for Asked<S> {
    fn clone(&self) -> Self {
        Self { call: self.call.clone(), answer: self.answer.clone(), ..*self }
    }
}

/// The words as operations on each of so many keys.
pub(super) fn asked<S: Drawable>(words: &[&str], keys: usize) -> Vec<Asked<S>> {
    let on = |key| {
        words.iter().map(move |word| {
            let (call, answer) = S::read_word(word).unwrap();
            Asked { client: 0, key, call, answer }
        })
    };
    (0..keys).flat_map(on).collect()
}

/// One after the other; a client that has an operation without an answer does nothing more.
pub(super) fn history<S: Spec>(asked: &[Asked<S>]) -> KeyedHistory<S> {
    let mut builder = KeyedBuilder::<S>::default();
    for (at, asked) in asked.iter().enumerate() {
        let client = ClientId(asked.client as u64);
        let key = format!("k{}", asked.key);
        if builder.invoke(client, &key, asked.call.clone(), at as u64 + 1).is_err() {
            continue;
        }
        match asked.answer.clone() {
            Some(answer) => builder.answer(client, answer, at as u64 + 1).unwrap(),
            None => builder.unknown(client).unwrap(),
        }
    }
    builder.finish()
}

/// The judgement without the proof by linearizability.
pub(super) fn judged_alone<S: Spec>(spec: &S, history: &KeyedHistory<S>, budget: Budget) -> Judgement {
    let undecided = Verdict::Undecided(Undecided::default());
    let per_key = Judgement { verdict: undecided, algorithm: "", steps: 0 };
    sequential(spec, history, &per_key, budget)
}

/// A line for each client: the keys, words and numbers of its operations; `?` where the outcome is unknown.
pub(super) fn shown<S: Drawable>(history: &KeyedHistory<S>) -> String {
    let mut lines: std::collections::BTreeMap<ClientId, String> = std::collections::BTreeMap::new();
    for (key, operation) in history.by_invocation() {
        let answer = operation.answer();
        let unknown = if answer.is_none() { "?" } else { "" };
        let word = S::word(&operation.call, answer);
        let line = lines.entry(operation.client).or_default();
        line.push_str(&format!(" {key}.{word}{unknown}#{}", operation.number));
    }
    lines.into_iter().map(|(client, line)| format!("\n{client}:{line}")).collect()
}

/// The answer is the naive one, and a violation is the smallest there is.
#[track_caller]
pub(super) fn check<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    let Judgement { verdict, algorithm, .. } = judged_alone(spec, history, BUDGET);
    let context = || format!("{}\n{algorithm} {verdict}", shown(history));
    assert_eq!(verdict.holds(), oracle::is_sequential(spec, history), "{}", context());
    assert_eq!(verdict.is_violated(), !verdict.holds(), "{}", context());
    if let Verdict::Violated(Violation { operations: part, .. }) = &verdict {
        assert!(fails(spec, history, part, &[]), "not enough: {}", context());
        for spared in part {
            let others: Vec<OperationIndex> = part.iter().copied().filter(|other| other != spared).collect();
            assert!(!fails(spec, history, &others, &[*spared]), "{spared} needless: {}", context());
        }
    }
}

/// Whether this part has no legal order, whichever operations are added to it but the `spared` ones.
fn fails<S: Spec>(
    spec: &S,
    history: &KeyedHistory<S>,
    part: &[OperationIndex],
    spared: &[OperationIndex],
) -> bool {
    let numbers = history.by_invocation().into_iter().map(|(_, operation)| operation.number);
    let others: Vec<OperationIndex> =
        numbers.filter(|number| !part.contains(number) && !spared.contains(number)).collect();
    (0..1usize << others.len()).all(|chosen| {
        let added = others.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1);
        let numbers: Vec<OperationIndex> =
            part.iter().copied().chain(added.map(|(_, number)| *number)).collect();
        !oracle::is_sequential(spec, &history.only(&numbers))
    })
}

/// How many operations each client has.
pub(super) const LENGTHS: [&[usize]; 6] = [&[3], &[4], &[3, 1], &[2, 2], &[2, 1, 1], &[1, 1, 1]];

/// Calls `visit` with every choice of one word for each operation of programs of these lengths, and
/// every choice of clients whose last outcome is unknown.
pub(super) fn every_program<S: Spec>(
    lengths: &[usize],
    words: &[Asked<S>],
    mut visit: impl FnMut(&[Asked<S>]),
) {
    let clients: Vec<usize> =
        lengths.iter().enumerate().flat_map(|(client, length)| vec![client; *length]).collect();
    let choices = words.len().pow(clients.len() as u32);
    for choice in 0..choices {
        let mut rest = choice;
        let mut asked: Vec<Asked<S>> = Vec::new();
        for &client in &clients {
            asked.push(Asked { client, ..words[rest % words.len()].clone() });
            rest /= words.len();
        }
        for unknown in 0..1 << lengths.len() {
            let mut asked = asked.clone();
            for at in 0..asked.len() {
                let is_last = asked.get(at + 1).is_none_or(|next| next.client != asked[at].client);
                if is_last && unknown >> asked[at].client & 1 == 1 {
                    asked[at].answer = None;
                }
            }
            visit(&asked);
        }
    }
}

/// Random programs of these words.
pub(super) fn random<S: Drawable + 'static>(
    words: &'static [&'static str],
    keys: usize,
    clients: usize,
    count: usize,
) -> impl Strategy<Value = KeyedHistory<S>> {
    let one = (0..clients, 0..words.len() * keys, 0..8);
    proptest::collection::vec(one, 1..=count).prop_map(move |choices| {
        let words = asked::<S>(words, keys);
        let asked = |(client, word, fate): (usize, usize, i32)| {
            let Asked { key, call, answer, .. } = words[word].clone();
            Asked { client, key, call, answer: answer.filter(|_| fate > 0) }
        };
        history(&choices.into_iter().map(asked).collect::<Vec<_>>())
    })
}
