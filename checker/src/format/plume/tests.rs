//! Both forms by their verdicts; what is of neither is refused with its place.

use super::super::{Format, read_from};
use super::*;
use crate::budget::Budget;
use crate::judge::judge_by;
use crate::lattice::Level;

fn verdict(text: &str, level: Level) -> Result<&'static str, String> {
    let mut bytes = text.as_bytes();
    let contents = read_from(&mut bytes, &Options::default()).map_err(|error| error.to_string())?;
    assert_eq!(contents.format, Format::Plume);
    let checks = judge_by(&contents.families, level, Budget { steps_max: 1_000_000 });
    Ok(checks[0].verdict.word())
}

#[track_caller]
fn check(text: &str, level: Level, want: &str) {
    assert_eq!(verdict(text, level).as_deref(), Ok(want), "{text}");
    let windows = text.replace('\n', "\r\n");
    assert_eq!(verdict(&windows, level).as_deref(), Ok(want), "with CRLF: {text}");
}

#[test]
fn sessions_without_times_are_judged() {
    let session = "w(1,1,0,0)\nr(1,1,1,1)\nw(2,2,1,1)\nr(2,0,0,2)\n";
    check(session, Level::Sequential, "holds");
    check(&session.replace("r(2,0,0,2)", "r(2,3,0,2)"), Level::Causal, "violated");
    // The initial value is 0, and a session sees its own writes.
    check("w(1,1,0,0)\nr(1,0,0,1)\n", Level::Causal, "violated");
    check("w(1,1,0,0)\nr(1,0,1,1)\n", Level::Sequential, "holds");
}

#[test]
fn lines_of_one_transaction_need_not_follow_one_another() {
    let text = " w( 1 , 1, 0,0)\nr(1,1,1,1)\nw(2,1,0,0)\nr(2,1,1,1)\n";
    check(text, Level::Sequential, "holds");
    check(&text.replace("r(2,1,1,1)", "r(2,0,1,1)"), Level::Causal, "violated");
}

#[test]
fn what_was_aborted_is_not_there_to_be_read() {
    check("w(1,1,0,-1)\nr(1,0,1,0)\n", Level::Sequential, "holds");
    check("w(1,1,0,-1)\nr(1,1,1,0)\n", Level::Causal, "violated");
    check("w(1,1,0,-1)\nw(1,2,0,1)\nr(1,7,0,-1)\nr(1,2,1,2)\n", Level::Sequential, "holds");
}

#[test]
fn separators_end_transactions_and_sessions() {
    let text = "w 1 1\nw 2 1\n=====\nr 1 1\n-----\nr 2 1\n";
    check(text, Level::Sequential, "holds");
    // Written at once, seen one after the other.
    check("w 1 1\nw 2 1\n=====\nr 1 1\nr 2 0\n", Level::Causal, "violated");
    check("w 1 1\n=====\nw 1 2\n=====\nr 1 1\n-----\nr 1 2\n-----\nr 1 1\n", Level::Causal, "violated");
    // Nobody wrote 0, and no value is there at first.
    check("w 1 1\n=====\nr 1 0\n", Level::Causal, "violated");
}

#[track_caller]
fn check_error(text: &str, want: &str) {
    assert_eq!(verdict(text, Level::Causal).expect_err(text), want, "{text}");
}

#[test]
fn what_is_of_neither_form_is_refused_with_its_place() {
    let first = "w(1,1,0,0)\n";
    let of = |line: &str| format!("{first}{line}");
    check_error(&of("r(1,1,1"), "2:7: found \"1\", expected a session and a comma");
    check_error(&of("r(1,1,1,"), "2:9: found the end of the line, expected a transaction and )");
    check_error(&of("r(1,x,1,1)"), "2:5: found \"x\", expected a whole number of at most 63 bits");
    check_error(&of("q(1,1,1,1)"), "2:1: found \"q\", expected r or w");
    check_error(&of("r(1,1,1,1) x"), "2:12: found \"x\", expected the end of the line");
    check_error(&of("w 1 1"), &format!("2:1: found \"w 1 1\", expected {PLUME_LINE}"));
    check_error(
        &of("w(1,9223372036854775808,0,1)"),
        "2:5: found \"9223372036854775808\", expected a whole number of at most 63 bits",
    );
    check_error("w 1 1\nr 1", "2:4: found the end of the line, expected a whole number of at most 63 bits");
    check_error("w 1 1\nr 1 2 3", "2:7: found \"3\", expected the end of the line");
    check_error("w 1 1\nr(1,1,0,0)", &format!("2:1: found \"r(1,1,0,0)\", expected {AWDIT_LINE}"));
}

#[test]
fn a_line_cut_off_is_refused_or_is_another_line() {
    let line = "r(1,1,10,1)";
    for length in 1..line.len() {
        assert!(verdict(&format!("w(1,1,0,0)\n{}", &line[..length]), Level::Causal).is_err());
    }
}
