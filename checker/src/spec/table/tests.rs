//! Tables against the naive oracle, and against the models that others are built in.

use super::{Table, TableAnswer, TableCall, TableState};
use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::format::table_file;
use crate::history::{History, Operation, Outcome};
use crate::keyed::KeyedHistory;
use crate::lattice::{Level, judge_level};
use crate::linearizable::linearizable;
use crate::spec::Spec;
use crate::spec::mutex::{Mutex, MutexCall};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall, Value};
use crate::test_histories::REGISTER_WORDS;
use crate::test_histories::full_size::Chance;
use crate::trials::{any_history, check, trial_count};

const BUDGET: Budget = Budget { steps_max: 1_000_000 };

pub(crate) const MUTEX: &str = r#"
name = "lock"
states = ["free", "held"]
transitions = [
  { from = "free", operation = "acquire", to = "held" },
  { from = "held", operation = "release", to = "free" },
]
"#;

pub(crate) const REGISTER: &str = r#"
name = "register"
transitions = [
  { operation = "read", answer = "{value}" },
  { operation = "write {v}", set = "value = {v}" },
  { operation = "cas {a} {b}", when = "value = {a}", set = "value = {b}" },
  { operation = "cas {a} {_}", when = "value != {a}", refused = true },
]
[variables]
value = ["nil", 1, 2]
"#;

const POOL: &str = r#"
name = "pool"
states = ["open", "closed"]
transitions = [
  { from = "open", operation = "acquire", set = "held = held + 1" },
  { operation = "acquire", when = "held = 2", refused = true },
  { from = "closed", operation = "acquire", refused = true },
  { operation = "release", set = "held = held - 1" },
  { operation = "count", answer = "{held}" },
  { from = "open", operation = "close", to = "closed" },
]
[variables]
held = { min = 0, max = 2 }
"#;

const TOKENS: &str = r#"
name = "fenced lock"
states = ["free", "held"]
transitions = [
  { from = "free", operation = "acquire", to = "held", set = "token = token + 1", answer = "{token + 1}" },
  { from = "held", operation = "release {t}", when = "token = {t}", to = "free" },
  { operation = "release {t}", when = "token != {t}", refused = true },
]
[variables]
token = { min = 0, max = 1000000000 }
"#;

pub(crate) fn table(text: &str) -> Table {
    let (table, warnings) = table_file::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(warnings, Vec::new());
    table
}

#[test]
fn random_locks_of_a_table_get_one_answer() {
    check(&table(MUTEX), &["acquire", "release"]);
}

#[test]
fn random_registers_of_a_table_get_one_answer() {
    let words = [
        "write 1",
        "write 2",
        "read->1",
        "read->nil",
        "read->2",
        "cas 1 2",
        "cas 2 1",
        "cas 1 2!",
        "read->9",
    ];
    check(&table(REGISTER), &words);
}

#[test]
fn random_pools_of_a_table_get_one_answer() {
    let words = ["acquire", "acquire", "acquire!", "release", "count->0", "count->1", "count->2", "close"];
    check(&table(POOL), &words);
}

#[test]
fn random_fenced_locks_of_a_table_get_one_answer() {
    let words = ["acquire->1", "acquire->2", "release 1", "release 2", "release 1!", "release 2!"];
    let table = table(TOKENS);
    assert_eq!(table.states.len(), 0, "too many states to compare steps over all of them");
    check(&table, &words);
}

/// The same history in the words of a table.
fn told<S: Spec>(
    history: &History<S>,
    call: impl Fn(&S::Call) -> String,
    answer: impl Fn(&S::Answer) -> TableAnswer,
) -> KeyedHistory<Table> {
    let operation = |operation: &Operation<S::Call, S::Answer>| Operation {
        number: operation.number,
        client: operation.client,
        call: Table::read_word(&call(&operation.call)).unwrap().0,
        outcome: operation.answer().map_or(Outcome::Unknown, |told| Outcome::Answered(answer(told))),
        invoked: operation.invoked,
        returned: operation.returned,
        invoked_at: operation.invoked_at,
        returned_at: operation.returned_at,
    };
    let operations = history.operations().iter().map(operation).collect();
    KeyedHistory::single("x", History::of(operations, Vec::new()))
}

/// Both give one verdict at each level.
#[track_caller]
fn same<S: Drawable>(spec: &S, history: &History<S>, table: &Table, told: &KeyedHistory<Table>) {
    let own = KeyedHistory::single("x", history.clone());
    for level in Level::ALL {
        let wanted = judge_level(level, spec, &own, BUDGET).verdict;
        let found = judge_level(level, table, told, BUDGET).verdict;
        assert_eq!(found.word(), wanted.word(), "{}: {}", level.name(), history.drawing());
        assert_ne!(found.word(), "undecided", "{}", history.drawing());
    }
}

#[test]
fn a_lock_as_a_table_is_judged_as_the_built_in_one() {
    let (table, words) = (table(MUTEX), ["a".to_owned(), "r".to_owned()]);
    let call = |call: &MutexCall| match call {
        MutexCall::Acquire => "acquire".to_owned(),
        MutexCall::Release => "release".to_owned(),
    };
    for seed in 0..trial_count() {
        let history: History<Mutex> = any_history(&Mutex, &words, &mut Chance::new(seed));
        same(&Mutex, &history, &table, &told(&history, call, |_| TableAnswer::Done));
    }
}

#[test]
fn a_register_as_a_table_is_judged_as_the_built_in_one() {
    let (table, words) = (table(REGISTER), REGISTER_WORDS.map(str::to_owned));
    let shown = |value: Value| value.map_or("nil".to_owned(), |value| value.to_string());
    let call = |call: &RegisterCall| match call {
        RegisterCall::Read => "read".to_owned(),
        RegisterCall::Write(value) => format!("write {}", shown(*value)),
        RegisterCall::CompareAndSet { expected, new } => format!("cas {} {}", shown(*expected), shown(*new)),
    };
    let answer = |answer: &RegisterAnswer| match answer {
        RegisterAnswer::Value(value) => {
            Table::read_word(&format!("read->{}", shown(*value))).unwrap().1.unwrap()
        }
        RegisterAnswer::Done => TableAnswer::Done,
        RegisterAnswer::Mismatch => TableAnswer::Refused,
    };
    for seed in 0..trial_count() {
        let history: History<Register> = any_history(&Register::default(), &words, &mut Chance::new(seed));
        same(&Register::default(), &history, &table, &told(&history, call, answer));
    }
}

fn step(table: &Table, state: &TableState, word: &str) -> Option<TableState> {
    let (call, answer) = Table::read_word(word).unwrap();
    table.apply(state, &table.step(&call, answer.as_ref())?)
}

#[test]
fn an_answer_that_no_transition_gives_is_legal_nowhere() {
    let table = table(REGISTER);
    let history = History::<Table>::draw("a: [write 1] [read->3]").unwrap();
    let verdict = linearizable(&table, &history, BUDGET).verdict;
    assert!(verdict.is_violated());
    assert!(verdict.to_string().contains("read -> 3"), "{verdict}");
}

#[test]
fn what_leaves_the_bounds_of_a_variable_does_not_happen() {
    let table = table(POOL);
    let start = table.initial();
    assert_eq!(step(&table, &start, "release"), None);
    let one = step(&table, &start, "acquire").unwrap();
    let two = step(&table, &one, "acquire").unwrap();
    assert_eq!(step(&table, &two, "acquire"), None);
    assert_eq!(step(&table, &two, "acquire!"), Some(two));
    assert_eq!(step(&table, &one, "acquire!"), None);
    assert_eq!(step(&table, &two, "release"), Some(one));
}

#[test]
fn an_operation_without_an_answer_does_what_its_transitions_do() {
    let table = table(POOL);
    let ask = |word: &str| TableCall::new(&[word]);
    assert!(table.step(&ask("count"), None).is_none(), "it changes nothing");
    let acquired = table.step(&ask("acquire"), None).unwrap();
    let one = table.apply(&table.initial(), &acquired).unwrap();
    assert_eq!(table.state_in_words(&one), "it is open with held = 1");
    let closed = step(&table, &one, "close").unwrap();
    assert_eq!(table.apply(&closed, &acquired), None);
}

#[test]
fn words_that_the_table_does_not_know_are_told_apart() {
    let table = table("transitions = [{ operation = \"say {v} {v}\" }]\n");
    let start = table.initial();
    assert_eq!(step(&table, &start, "say a a"), Some(start));
    assert_eq!(step(&table, &start, "say a b"), None);
}
