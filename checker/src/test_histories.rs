//! Small histories for tests: every one of a shape, or random ones.

pub(crate) mod full_size;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::drawing::Drawable;
use crate::history::{ClientId, OperationIndex, Outcome};
use crate::keyed::{KeyedBuilder, KeyedHistory};

/// One of each kind of operation on a register, with few values so that they meet.
pub(crate) const REGISTER_WORDS: [&str; 8] = ["w1", "w2", "r1", "rn", "r2", "c1>2", "c2>1", "c1>2!"];

/// One of each kind of operation on a counter of three, with few orders so that they meet.
pub(crate) const CAPACITY_WORDS: [&str; 15] = [
    "+a2", "+b1", "+a2/4@2", "+1", "+2@1", "!2", "!1/2@1", "!b1@2", "-a", "-b", "~a", "-1", "=0", "=2", "=3",
];

/// One of each kind of operation on a counter of four and two, with few orders so that they meet.
pub(crate) const KINDS_WORDS: [&str; 17] = [
    "+a3,1",
    "+b1,1",
    "+b1,2",
    "+c0,2/6@2",
    "+a3,1@1",
    "!c2",
    "!b1,2",
    "!c1,1/2@1",
    "+d1#",
    "?d1#",
    "?b1,1",
    "-a",
    "-b",
    "~a",
    "=0",
    "=3,1",
    "=1,1",
];

/// How large a history is, at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) operations: usize,
    pub(crate) clients: usize,
}

/// What happens next in a history: a client begins a word, or its open operation returns.
#[derive(Clone, Copy, Debug)]
enum Event {
    Begins { client: usize, word: usize },
    Returns { client: usize },
}

/// Every history of exactly so many operations, up to the names of the clients. Operations that are
/// open at the end are of unknown outcome.
pub(crate) fn every_history<S: Drawable>(
    words: &[&str],
    shape: Shape,
) -> impl Iterator<Item = KeyedHistory<S>> {
    let mut unfinished = vec![Vec::new()];
    let mut finished = Vec::new();
    while let Some(events) = unfinished.pop() {
        let begun = begun_count(&events);
        if begun == shape.operations {
            finished.push(events.clone());
        }
        for client in 0..shape.clients {
            let is_open = is_open(&events, client);
            let is_new = !events.iter().any(|event| client_of(event) == client);
            let is_next_new = client == 0 || events.iter().any(|event| client_of(event) == client - 1);
            if is_open {
                unfinished.push([events.as_slice(), &[Event::Returns { client }]].concat());
            } else if begun < shape.operations && (!is_new || is_next_new) {
                for word in 0..words.len() {
                    unfinished.push([events.as_slice(), &[Event::Begins { client, word }]].concat());
                }
            }
        }
    }
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    finished.into_iter().map(move |events| history_of::<S>(&words, &["x"], &events))
}

/// A random history; a client whose operation returns too late leaves it of unknown outcome.
pub(crate) fn random_history<S: Drawable>(
    words: &'static [&'static str],
    shape: Shape,
) -> impl Strategy<Value = KeyedHistory<S>> {
    random_keyed_history(words, &["x"], shape)
}

/// The same over several objects.
pub(crate) fn random_keyed_history<S: Drawable>(
    words: &'static [&'static str],
    keys: &'static [&'static str],
    shape: Shape,
) -> impl Strategy<Value = KeyedHistory<S>> {
    let choices = vec((0..shape.clients, 0..words.len() * keys.len()), 0..=2 * shape.operations);
    choices.prop_map(move |choices| {
        let mut events = Vec::new();
        for (client, word) in choices {
            if is_open(&events, client) {
                events.push(Event::Returns { client });
            } else if begun_count(&events) < shape.operations {
                events.push(Event::Begins { client, word });
            }
        }
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        history_of::<S>(&words, keys, &events)
    })
}

fn history_of<S: Drawable>(words: &[String], keys: &[&str], events: &[Event]) -> KeyedHistory<S> {
    let mut builder = KeyedBuilder::<S>::default();
    let mut answers = std::collections::BTreeMap::new();
    for event in events {
        match *event {
            Event::Begins { client, word } => {
                let (call, answer) = S::read_word(&words[word % words.len()]).unwrap();
                answers.insert(client, answer.unwrap());
                builder.invoke(ClientId(client as u64), keys[word / words.len()], call, 0).unwrap();
            }
            Event::Returns { client } => {
                builder.answer(ClientId(client as u64), answers.remove(&client).unwrap(), 0).unwrap();
            }
        }
    }
    builder.finish()
}

fn begun_count(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Begins { .. })).count()
}

fn is_open(events: &[Event], client: usize) -> bool {
    let last = events.iter().rev().find(|event| client_of(event) == client);
    matches!(last, Some(Event::Begins { .. }))
}

fn client_of(event: &Event) -> usize {
    match event {
        Event::Begins { client, .. } | Event::Returns { client } => *client,
    }
}

/// A history over several objects that is drawn: each word names its object, as in `[x.w1 ]`.
pub(crate) fn draw_keyed<S: Drawable>(drawing: &str) -> KeyedHistory<S> {
    KeyedHistory::draw(drawing).unwrap()
}

/// Programs of exactly so many operations over several objects, up to the names of the clients, the
/// last operation of each client with and without an answer. Clients take turns: the levels that are
/// asked of these do not look at real time.
pub(crate) fn every_program<S: Drawable>(
    words: &[&str],
    keys: &[&str],
    shape: Shape,
) -> impl Iterator<Item = KeyedHistory<S>> {
    let word_count = words.len() * keys.len();
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let lengths = lengths(shape);
    lengths.into_iter().flat_map(move |lengths| {
        let (words, keys) = (words.clone(), keys.clone());
        (0..word_count.pow(shape.operations as u32) << lengths.len()).map(move |choice| {
            let (mut words_left, open) = (choice >> lengths.len(), choice);
            let mut events = Vec::new();
            for (client, &length) in lengths.iter().enumerate() {
                for place in 0..length {
                    events.push(Event::Begins { client, word: words_left % word_count });
                    words_left /= word_count;
                    if place + 1 < length || open >> client & 1 == 0 {
                        events.push(Event::Returns { client });
                    }
                }
            }
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            history_of::<S>(&words, &keys, &events)
        })
    })
}

/// Ways to share out the operations among the clients, the longest program first.
fn lengths(shape: Shape) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(lengths) = open.pop() {
        let taken: usize = lengths.iter().sum();
        if taken == shape.operations {
            all.push(lengths);
            continue;
        }
        let most = lengths.last().copied().unwrap_or(shape.operations).min(shape.operations - taken);
        let is_room = lengths.len() < shape.clients;
        open.extend((1..=most).filter(|_| is_room).map(|next| [lengths.as_slice(), &[next]].concat()));
    }
    all
}

/// The history in which only the answers to these operations, sorted, are known.
pub(crate) fn weakened<S: Drawable>(history: &KeyedHistory<S>, known: &[OperationIndex]) -> KeyedHistory<S> {
    let mut weakened = history.clone();
    for operation in weakened.parts.values_mut().flat_map(|part| &mut part.operations) {
        if known.binary_search(&operation.number).is_err() {
            (operation.outcome, operation.returned, operation.returned_at) = (Outcome::Unknown, None, None);
        }
    }
    weakened
}
