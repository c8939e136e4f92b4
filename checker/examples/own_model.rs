//! A model of one's own: a queue that is first in, first out, and a history that no such queue can have.
//!
//! ```text
//! cargo run -p counterclock-checker --example own_model
//! ```
//!
//! `docs/your-own-model.md` goes through it.

use std::io::{self, Write};

use counterclock_checker::budget::Budget;
use counterclock_checker::history::{Builder, ClientId, HistoryError};
use counterclock_checker::linearizable::linearizable;
use counterclock_checker::spec::Spec;
use counterclock_checker::verdict::Verdict;

/// A queue of numbers, empty at first.
#[derive(Clone)]
struct Queue;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Call {
    Put(u64),
    Take,
}

/// What may be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Took(u64),
    Empty,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Put(u64),
    /// Takes the first one, which is this if the answer is known.
    Take(Option<u64>),
    FindEmpty,
}

impl Spec for Queue {
    type State = Vec<u64>;
    type Call = Call;
    type Answer = Answer;
    type Step = Step;

    fn initial(&self) -> Vec<u64> {
        Vec::new()
    }

    fn fits(call: &Call, answer: &Answer) -> bool {
        matches!(call, Call::Put(_)) == matches!(answer, Answer::Done)
    }

    fn is_refusal(answer: &Answer) -> bool {
        *answer == Answer::Empty
    }

    fn step(&self, call: &Call, answer: Option<&Answer>) -> Option<Step> {
        Some(match (call, answer) {
            (Call::Put(number), _) => Step::Put(*number),
            (Call::Take, Some(Answer::Took(number))) => Step::Take(Some(*number)),
            (Call::Take, Some(Answer::Empty)) => Step::FindEmpty,
            (Call::Take, Some(Answer::Done) | None) => Step::Take(None),
        })
    }

    fn apply(&self, state: &Vec<u64>, step: &Step) -> Option<Vec<u64>> {
        match step {
            Step::Put(number) => Some([state.as_slice(), &[*number]].concat()),
            Step::FindEmpty => state.is_empty().then(Vec::new),
            Step::Take(wanted) => {
                let (first, rest) = state.split_first()?;
                wanted.is_none_or(|wanted| wanted == *first).then(|| rest.to_vec())
            }
        }
    }

    fn only_observes(&self, _state: &Vec<u64>, step: &Step) -> bool {
        *step == Step::FindEmpty
    }

    fn describe(call: &Call, answer: Option<&Answer>) -> String {
        match answer {
            Some(answer) => format!("{call:?}: {answer:?}"),
            None => format!("{call:?}"),
        }
    }
}

/// Two puts one after the other, of which the second is taken first.
pub(crate) fn told() -> Result<String, HistoryError> {
    let [producer, consumer] = [ClientId(0), ClientId(1)];
    let mut builder = Builder::<Queue>::default();
    for (number, at_ns) in [(1, 10), (2, 30)] {
        builder.invoke(producer, Call::Put(number), at_ns)?;
        builder.answer(producer, Answer::Done, at_ns + 10)?;
    }
    builder.invoke(consumer, Call::Take, 50)?;
    builder.answer(consumer, Answer::Took(2), 60)?;
    let history = builder.finish();
    let judgement = linearizable(&Queue, &history, Budget { steps_max: 1_000_000 });
    let Verdict::Violated(violation) = judgement.verdict else {
        return Ok(judgement.verdict.word().to_owned());
    };
    let places = violation.operations.iter().filter_map(|number| history.find(*number));
    let operations = places.map(|place| &history.operations()[place]);
    let words = operations.map(|operation| Queue::describe(&operation.call, operation.answer()));
    Ok(format!("violated by {}", words.collect::<Vec<_>>().join("; ")))
}

fn main() -> io::Result<()> {
    let told = told().map_err(io::Error::other)?;
    writeln!(io::stdout(), "{told}")
}
