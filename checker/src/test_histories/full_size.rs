//! Full-size histories: legal by construction, spoilt ones, and a specification without hints.

use super::Shape;
use crate::drawing::Drawable;
use crate::history::{Builder, ClientId, History, OperationIndex, Outcome};
use crate::spec::Spec;

/// Words for counters of ten: 26 orders of three units, nameless ones, and reads.
pub(crate) fn counter_words() -> Vec<String> {
    let mut words: Vec<String> = (0..=10).map(|used| format!("={used}")).collect();
    for order in 'a'..='z' {
        words.extend([format!("+{order}3"), format!("!{order}3"), format!("-{order}"), format!("~{order}")]);
    }
    words.extend(["+1", "!1", "+2", "!2"].map(str::to_owned));
    words
}

/// Chance for tests that need no shrinking (G. Marsaglia, "Xorshift RNGs", J. Stat. Softw. 8(14) (2003)).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// What one client of a legal history is doing.
enum Phase<S: Spec> {
    Idle,
    Asked(S::Call),
    Decided(S::Answer),
}

/// A linearizable history: each operation takes effect at a random instant between its call and its
/// answer. One answer in thirty never comes.
pub(crate) fn legal_history<S: Drawable>(
    spec: &S,
    words: &[String],
    shape: Shape,
    chance: &mut Chance,
) -> History<S> {
    let words: Vec<_> = words.iter().filter_map(|word| S::read_word(word)).collect();
    let mut builder = Builder::<S>::default();
    let mut state = spec.initial();
    let mut clients: Vec<(ClientId, Phase<S>)> =
        (0..shape.clients).map(|client| (ClientId(client as u64), Phase::Idle)).collect();
    let (mut begun, mut next_client) = (0, shape.clients as u64);
    while begun < shape.operations {
        let (client, phase) = &mut clients[chance.below(shape.clients)];
        *phase = match std::mem::replace(phase, Phase::Idle) {
            Phase::Idle => {
                begun += 1;
                let call = words[chance.below(words.len())].0.clone();
                builder.invoke(*client, call.clone(), 0).unwrap();
                Phase::Asked(call)
            }
            Phase::Asked(call) => match decide(spec, &words, &call, &mut state) {
                Some(answer) if chance.below(30) > 0 => Phase::Decided(answer),
                Some(_) | None => {
                    *client = ClientId(next_client);
                    next_client += 1;
                    Phase::Idle
                }
            },
            Phase::Decided(answer) => {
                builder.answer(*client, answer, 0).unwrap();
                Phase::Idle
            }
        };
    }
    builder.finish()
}

/// Takes the first of the words for `call` that is legal.
fn decide<S: Drawable>(
    spec: &S,
    words: &[(S::Call, Option<S::Answer>)],
    call: &S::Call,
    state: &mut S::State,
) -> Option<S::Answer> {
    words.iter().filter(|(other, _)| other == call).find_map(|(_, answer)| {
        let answer = answer.clone()?;
        *state = spec.apply(state, &spec.step(call, Some(&answer))?)?;
        Some(answer)
    })
}

/// The same history with the answer to one operation replaced by another one to the same question.
pub(crate) fn with_another_answer<S: Drawable>(
    mut history: History<S>,
    words: &[String],
    chance: &mut Chance,
) -> History<S> {
    let place = chance.below(history.len());
    let operation = &mut history.operations[place];
    let answers: Vec<_> = words
        .iter()
        .filter_map(|word| S::read_word(word))
        .filter_map(|(call, answer)| answer.filter(|_| call == operation.call))
        .collect();
    if operation.returned.is_some() && !answers.is_empty() {
        operation.outcome = Outcome::Answered(answers[chance.below(answers.len())].clone());
    }
    assert_eq!(operation.number, OperationIndex(place as u32));
    history
}

/// A specification without any of the hints that let a search skip orders.
#[derive(Clone)]
pub(crate) struct WithoutHints<S>(pub(crate) S);

impl<S: Spec> Spec for WithoutHints<S> {
    type State = S::State;
    type Call = S::Call;
    type Answer = S::Answer;
    type Step = S::Step;

    fn initial(&self) -> S::State {
        self.0.initial()
    }

    fn fits(call: &S::Call, answer: &S::Answer) -> bool {
        S::fits(call, answer)
    }

    fn is_refusal(answer: &S::Answer) -> bool {
        S::is_refusal(answer)
    }

    fn step(&self, call: &S::Call, answer: Option<&S::Answer>) -> Option<S::Step> {
        self.0.step(call, answer)
    }

    fn apply(&self, state: &S::State, step: &S::Step) -> Option<S::State> {
        self.0.apply(state, step)
    }

    fn only_observes(&self, _state: &S::State, _step: &S::Step) -> bool {
        false
    }

    fn describe(call: &S::Call, answer: Option<&S::Answer>) -> String {
        S::describe(call, answer)
    }
}

impl<S: Spec> WithoutHints<S> {
    /// The same history for the specification without hints.
    pub(crate) fn history(history: &History<S>) -> History<Self> {
        History::of(history.operations.clone(), history.dropped.clone())
    }
}
