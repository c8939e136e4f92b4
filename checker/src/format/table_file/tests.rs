//! Tables that are read, those that are refused, and histories in their words.

use super::read;
use crate::budget::Budget;
use crate::format::{Options, parse};
use crate::judge::judge;

const BUDGET: Budget = Budget { steps_max: 1_000_000 };

const DOOR: &str = r#"name = "door"
states = ["open", "closed", "locked"]
transitions = [
  { from = "open", operation = "close", to = "closed" },
  { from = "closed", operation = "open", to = "open" },
  { from = "closed", operation = "lock", to = "locked" },
  { from = ["open", "locked"], operation = "lock", refused = true },
  { from = "locked", operation = "unlock", to = "closed" },
  { operation = "look", answer = "{state}" },
]

[aliases]
shut = "close"
"#;

/// `text` is refused, with this message.
#[track_caller]
fn refused(text: &str, want: &str) {
    match read(text) {
        Ok((table, _)) => panic!("{text}\nwas read as {table:?}"),
        Err(error) => assert_eq!(error.to_string(), want, "{text}"),
    }
}

/// `text` is read, and these are its warnings.
#[track_caller]
fn warned(text: &str, want: &[&str]) {
    let (_, warnings) = read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let found: Vec<String> =
        warnings.iter().map(|warning| format!("{}: {}", warning.place, warning.found)).collect();
    assert_eq!(found, want, "{text}");
}

/// The verdict on a history in the words of a table, or why it is refused.
fn judged(table: &str, history: &str) -> Result<&'static str, String> {
    let table = read(table).unwrap_or_else(|error| panic!("{error}")).0;
    let options = Options { table: Some(table), ..Options::default() };
    let families = parse(history.as_bytes(), &options).map_err(|error| error.to_string())?;
    let mut checks = judge(&families, &["linearizable"], BUDGET);
    Ok(checks.pop().expect("one family is one check").verdict.word())
}

#[test]
fn a_table_is_read_and_judges() {
    warned(DOOR, &[]);
    let hist = "0 i lock\n0 f lock\n1 i close\n1 o close\n0 i lock\n0 o lock\n1 i look\n1 o look locked\n";
    assert_eq!(judged(DOOR, hist), Ok("holds"));
    assert_eq!(judged(DOOR, &hist.replace("1 o look locked", "1 o look open")), Ok("violated"));
    assert_eq!(judged(DOOR, &hist.replace("0 f lock", "0 o lock")), Ok("violated"));
    assert_eq!(judged(DOOR, &hist.replace("look locked", "look ajar")), Ok("violated"));
}

#[test]
fn jepsen_maps_are_read_in_the_words_of_a_table() {
    let map = |process: u64, kind: &str, f: &str, value: &str| {
        format!("{{:process {process} :type :{kind} :f :{f} :value {value}}}\n")
    };
    let history = [
        map(0, "invoke", "shut", "nil"),
        map(0, "ok", "shut", "nil"),
        map(1, "invoke", "look", "nil"),
        map(1, "ok", "look", ":closed"),
        map(1, "invoke", "look", "nil"),
        map(1, "ok", "look", "\"closed\""),
        map(0, "invoke", "lock", "nil"),
        map(0, "info", "lock", "nil"),
        map(1, "invoke", "lock", "nil"),
        map(1, "fail", "lock", "nil"),
        map(1, "invoke", "close", "nil"),
        map(1, "fail", "close", "nil"),
    ]
    .concat();
    assert_eq!(judged(DOOR, &history), Ok("holds"));
    // The refusal needs the lock of unknown outcome.
    assert_eq!(judged(DOOR, &history.replace(":info", ":fail")), Ok("violated"));
}

#[test]
fn keys_have_an_object_each() {
    const LEADER: &str = "name = \"flag\"\nkeyed = true\ntransitions = [\n\
        { operation = \"raise\", when = \"up = no\", set = \"up = yes\" },\n\
        { operation = \"look\", answer = \"{up}\" }]\n[variables]\nup = [\"no\", \"yes\"]\n";
    assert_eq!(
        judged(LEADER, "0 i raise a\n0 o raise a\n0 i raise b\n0 o raise\n1 i look a\n1 o look a yes\n"),
        Ok("holds")
    );
    assert_eq!(judged(LEADER, "0 i raise a\n0 o raise a\n0 i raise a\n0 o raise a\n"), Ok("violated"));
    let edn = "{:process 0 :type :invoke :f :raise :value [:a nil]}\n{:process 0 :type :ok :f :raise :value [:a nil]}\n\
        {:process 1 :type :invoke :f :look :value [:b nil]}\n{:process 1 :type :ok :f :look :value [:b :no]}\n";
    assert_eq!(judged(LEADER, edn), Ok("holds"));
    assert_eq!(judged(LEADER, &edn.replace("[:b", "[:a")), Ok("violated"));
    assert_eq!(
        judged(LEADER, "{:process 0 :type :invoke :f :raise}\n"),
        Err("1:1: found \"nil\", expected a key, for model flag is keyed: :key beside it, or [key value]"
            .to_owned())
    );
}

#[test]
fn events_that_the_table_does_not_know_say_where_and_what() {
    for (history, want) in [
        (
            "0 i slam\n",
            "1:5: found \"slam\", expected an operation of model door: close, open, lock, unlock, look; \
             `aliases` in its file say what histories call them",
        ),
        (
            "0 i close 3\n",
            "1:11: found \"3\", expected no argument for `close` of model door; `{_}` in its file takes anything",
        ),
        ("0 i close\n0 o open\n", "2:5: found \"open\", expected the end of what process 0 asked: close"),
        (
            "0 i close\n0 o close 3\n",
            "2:11: found \"3\", expected nothing, or what was asked: no transition of `close` of model door has an `answer`",
        ),
        ("0 i close\n0 i close\n", "2:1: client 0 asks at event 1 while its operation 0 is still open"),
    ] {
        assert_eq!(judged(DOOR, history), Err(want.to_owned()), "{history}");
    }
    let unknown = judged(DOOR, "0 x close\n").unwrap_err();
    assert!(unknown.starts_with("1:1: no operation recognised"), "{unknown}");
    const REGISTER: &str = "name = \"light\"\ntransitions = [{ operation = \"set {v}\", set = \"light = {v}\" }]\n\
        [variables]\nlight = [\"red\", \"green\"]\n";
    assert_eq!(judged(REGISTER, "0 i set green\n0 o set green\n"), Ok("holds"));
    assert_eq!(
        judged(REGISTER, "0 i set blue\n"),
        Err("1:9: found \"blue\", expected what some transition of `set` of model light takes: its file says which values there are".to_owned())
    );
}

#[test]
fn an_operation_that_only_its_answer_tells_must_have_one() {
    const FENCED: &str = "name = \"fenced\"\ntransitions = [\n\
        { operation = \"acquire\", answer = \"{t}\", when = \"token < {t}\", set = \"token = {t}\" }]\n\
        [variables]\ntoken = { min = 0, max = 9 }\n";
    assert_eq!(judged(FENCED, "0 i acquire\n0 o acquire 4\n0 i acquire\n0 o acquire 6\n"), Ok("holds"));
    assert_eq!(judged(FENCED, "0 i acquire\n0 o acquire 4\n0 i acquire\n0 o acquire 3\n"), Ok("violated"));
    let open = judged(FENCED, "0 i acquire\n0 o acquire 4\n0 i acquire\n").unwrap_err();
    assert!(open.starts_with("3:5: found \"acquire\", expected an answer to it later"), "{open}");
    // Two answers, two effects.
    const COIN: &str = "name = \"coin\"\nstates = [\"none\", \"heads\", \"tails\"]\ntransitions = [\n\
        { operation = \"flip\", answer = \"heads\", to = \"heads\" }, { operation = \"flip\", answer = \"tails\", to = \"tails\" }]\n";
    assert_eq!(judged(COIN, "0 i flip\n0 o flip tails\n"), Ok("holds"));
    assert!(
        judged(COIN, "0 i flip\n")
            .unwrap_err()
            .starts_with("1:5: found \"flip\", expected an answer to it later")
    );
}

#[test]
fn a_table_that_is_no_toml_says_where() {
    refused("states = [\"a\"\nname = 3\n", "2:1: missing comma between array elements, expected `,`");
    refused("name = \n", "1:8: string values must be quoted, expected literal string");
}

#[test]
fn keys_and_types_are_checked() {
    let keys = "`name`, `keyed`, `states`, `initial`, `variables`, `transitions`, `aliases`";
    refused("nome = \"x\"\n", &format!("1:1: found key `nome`, expected a key of a model: {keys}"));
    refused("name = 3\n", "1:8: found 3, expected the name of the model");
    refused("keyed = \"yes\"\n", "1:9: found \"yes\", expected true or false");
    refused(
        "initial = \"x\"\n",
        "1:11: found \"x\", expected `states` beside it; a variable has its own `initial`",
    );
    refused("states = [\"a\", \"a\"]\n", "1:16: found \"a\", expected each value once");
    refused("states = [\"a b\"]\n", "1:11: found \"a b\", expected a word without blanks and braces");
    refused("states = [\"a\"]\ninitial = \"b\"\n", "2:11: found \"b\", expected one of `a`");
    refused(
        "[variables]\nn = { min = 3, max = 1 }\n",
        "2:22: found 1, expected `max` to be at least `min`, which is 3",
    );
    refused(
        "[variables]\nn = { min = 3 }\n",
        "2:5: found a table, expected either `min` and `max`, or `values`",
    );
    refused(
        "[variables]\nn = 3\n",
        "2:5: found 3, expected a list of values, as in [\"nil\", 1, 2], or { min = 0, max = 3 }",
    );
    refused("[variables]\nn = [\"n\"]\n", "2:1: found `n` as a variable and as a value, expected two names");
    let example =
        "transitions, as in transitions = [{ from = \"free\", operation = \"lock\", to = \"held\" }]";
    refused("name = \"x\"\n", &format!("1:1: found a model without `transitions`, expected {example}"));
    refused("transitions = []\n", &format!("1:15: found an array, expected {example}"));
}

/// The error of a file with two states, a variable and this transition, which stands at 4:3.
#[track_caller]
fn refused_row(row: &str, want: &str) {
    let text = format!(
        "states = [\"a\", \"b\"]\nvariables = {{ n = {{ min = 0, max = 3 }}, v = [\"nil\", \"x\"] }}\ntransitions = [\n  {row},\n]\n"
    );
    refused(&text, want);
}

#[test]
fn transitions_are_checked() {
    let keys = "`operation`, `from`, `to`, `when`, `set`, `answer`, `refused`";
    refused_row(
        "{ form = \"a\" }",
        &format!("4:5: found key `form`, expected a key of a transition: {keys}"),
    );
    refused_row(
        "{ from = \"a\" }",
        "4:3: found a transition without `operation`, expected the operation that it belongs to, as in operation = \"write {v}\"",
    );
    refused_row(
        "{ operation = \"f\", from = \"c\" }",
        "4:29: found \"c\", expected one of `a`, `b`, as `states` lists them",
    );
    refused_row(
        "{ operation = \"f\", to = \"c\" }",
        "4:27: found \"c\", expected one of `a`, `b`, as `states` lists them",
    );
    refused_row(
        "{ operation = \"f\", refused = true, to = \"b\" }",
        "4:43: found \"b\", expected neither `to` nor `set` beside `refused`: a refusal changes nothing",
    );
    refused_row(
        "{ operation = \"f\", refused = true, answer = \"b\" }",
        "4:47: found \"b\", expected no `answer` beside `refused`: a refusal is the answer",
    );
    refused_row(
        "{ operation = \"f\" }, { operation = \"f 3\" }",
        "4:38: found `f` with 1 argument, expected 0 arguments, as at 4:3; `{_}` takes anything",
    );
}

#[test]
fn texts_of_transitions_are_checked() {
    refused_row(
        "{ operation = \"f\", when = \"m < 3\" }",
        "4:30: found `m`, expected a number, a placeholder, or a variable: `state`, `n`, `v`",
    );
    refused_row(
        "{ operation = \"f\", when = \"n\" }",
        "4:29: found \"n\", expected a condition, as in \"held < 3\" or \"value = {v}\"",
    );
    refused_row(
        "{ operation = \"f\", when = \"v = y\" }",
        "4:34: found `y`, expected a variable, a placeholder, or one of `nil`, `x`",
    );
    refused_row(
        "{ operation = \"f\", when = \"n = 4\" }",
        "4:34: found `4`, expected a variable, a placeholder, or a number from 0 to 3",
    );
    refused_row(
        "{ operation = \"f\", when = \"v < x\" }",
        "4:34: found `x`, expected a number, a placeholder, or a variable: `state`, `n`, `v`",
    );
    refused_row(
        "{ operation = \"f\", set = \"n + 1\" }",
        "4:31: found `+`, expected ` = ` after the name of a variable",
    );
    refused_row(
        "{ operation = \"f\", set = \"m = 1\" }",
        "4:29: found `m`, expected a variable: `state`, `n`, `v`",
    );
    refused_row(
        "{ operation = \"f\", set = \"n = n+1\" }",
        "4:33: found `n+1`, expected a variable, a placeholder, or a number from 0 to 3",
    );
    refused_row(
        "{ operation = \"f\", set = \"n = n + x\" }",
        "4:37: found `x`, expected a number, a variable or a placeholder beside + and -",
    );
    refused_row(
        "{ operation = \"f\", set = \"n =\" }",
        "4:32: found the end of the text, expected one value, or a sum of two, as in `held + 1`, with blanks around the sign",
    );
    refused_row(
        "{ operation = \"f\", set = [\"n = 1\", \"n = 2\"] }",
        "4:38: found \"n = 2\", expected each variable to be set once; `to` sets `state`",
    );
}

#[test]
fn placeholders_of_transitions_are_checked() {
    refused_row("{ operation = \"f {x\" }", "4:20: found `{x`, expected a name in braces, as in {v}");
    refused_row(
        "{ operation = \"f {y}\" }",
        "4:21: found `{y}`, expected a placeholder that `when`, `set` or `answer` uses; `{_}` takes anything",
    );
    refused_row(
        "{ operation = \"f\", answer = \"{y}\" }",
        "4:33: found `{y}`, expected a variable, a placeholder of `operation`, or one that `when` or `set` uses; `{_}` may be anything",
    );
    refused_row(
        "{ operation = \"f\", answer = \"n\" }",
        "4:32: found `n`, expected braces around the name of a variable: {n}",
    );
    refused_row(
        "{ operation = \"f {n}\" }",
        "4:21: found `{n}`, expected another name, for `n` is a variable: {x} and `when = \"n = {x}\"`",
    );
    refused_row(
        "{ operation = \"f {y}\", set = \"v = y\" }",
        "4:37: found `y`, expected braces around a placeholder: {y}",
    );
    refused_row(
        "{ operation = \"f\", set = \"v = {y}\" }",
        "4:34: found `{y}`, expected a placeholder of `operation` or `answer` (there is none), or a variable",
    );
}

#[test]
fn transitions_that_disagree_are_refused() {
    refused_row(
        "{ operation = \"f\", from = \"a\", to = \"b\" }, { operation = \"f\", when = \"n < 2\" }",
        "4:46: on `f` where it is a with n = 0, v = nil, this transition and the one at 4:3 both apply and end in two states; \
         expected one to exclude the other, by `from`, `when` or `answer`",
    );
    refused_row(
        "{ operation = \"set {y}\", set = \"v = {y}\" }, { operation = \"set x\", to = \"b\" }",
        "4:47: on `set x` where it is a with n = 0, v = nil, this transition and the one at 4:3 both apply and end in two states; \
         expected one to exclude the other, by `from`, `when` or `answer`",
    );
}

#[test]
fn what_cannot_be_reached_is_a_warning() {
    warned(
        "states = [\"a\", \"b\", \"c\"]\ntransitions = [\n  { from = \"a\", operation = \"f\", to = \"b\" },\n  { from = \"c\", operation = \"f\", to = \"a\" },\n]\n",
        &[
            "1:21: state `c` cannot be reached: no transition leads to it from where the model starts",
            "4:3: this transition of `f` applies in no state that can be reached",
        ],
    );
}

#[test]
fn aliases_are_checked() {
    let with = |alias: &str| format!("transitions = [{{ operation = \"f on\" }}]\n[aliases]\n{alias}\n");
    warned(&with("\"1\" = \"on\"\ng = \"f\""), &[]);
    refused(&with("g = \"h\""), "3:5: found \"h\", expected an operation (`f`) or a value of this file");
    refused(
        &with("f = \"on\""),
        "3:1: found `f` on the left, which the file uses itself, expected what histories call it on the left, what this file calls it on the right",
    );
}

#[test]
fn no_text_makes_the_reader_panic() {
    for at in 0..DOOR.len() {
        let _ = read(&DOOR[..at]);
        for mark in ["\"", "{", "}", "=", " ", "\n", "[", "x", "\u{e4}"] {
            let damaged = format!("{}{mark}{}", &DOOR[..at], &DOOR[at + 1..]);
            let _ = read(&damaged);
        }
    }
}
