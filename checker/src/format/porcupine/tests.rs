//! What is read of operations with times, by its verdict; what is refused, with its place.

use proptest::prelude::*;

use super::super::{Format, read_from, test_families};
use super::*;
use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::judge::{OperationsVisitor, judge};

fn verdict(text: &str, initial: Option<&str>) -> Result<(&'static str, &'static str), String> {
    let initial = initial.map(|value| super::super::Initial(value.to_owned()));
    let options = Options { initial, ..Options::default() };
    let mut bytes = text.as_bytes();
    let contents = read_from(&mut bytes, &options).map_err(|error| error.to_string())?;
    assert_eq!(contents.format, Format::Porcupine);
    let checks = judge(&contents.families, &["linearizable"], Budget { steps_max: 100_000 });
    Ok((contents.families[0].kind.model(), checks[0].verdict.word()))
}

#[track_caller]
fn check(lines: &[&str], want: (&str, &str)) {
    let text = lines.join("\n");
    assert_eq!(verdict(&text, None), Ok(want), "{text}");
    let array = format!("[\n  {}\n]\n", lines.join(",\n  "));
    assert_eq!(verdict(&array, None), Ok(want), "{array}");
    let pretty = array.replace("{", "{\n    ").replace(",\"", ",\n    \"");
    assert_eq!(verdict(&pretty, None), Ok(want), "{pretty}");
}

/// An operation of a client, with its times.
fn timed(client: u64, (called, returned): (u64, u64), input: &str, output: &str) -> String {
    format!(r#"{{"client":{client},"call":{called},"return":{returned},"input":{input},"output":{output}}}"#)
}

#[test]
fn registers_are_judged() {
    let write = timed(0, (0, 10), r#"{"op":"write","value":1}"#, "null");
    let read = |times, value| timed(1, times, r#"{"op":"read"}"#, value);
    check(&[&write, &read((5, 8), "0")], ("register-cas", "holds"));
    check(&[&write, &read((10, 12), r#"{"value":0}"#)], ("register-cas", "holds"));
    check(&[&write, &read((11, 12), "0")], ("register-cas", "violated"));
    check(&[&write, &read((5, 8), "null")], ("register-cas", "violated"));
    let cas = |output| timed(2, (20, 30), r#"{"op":"cas","from":1,"to":2}"#, output);
    check(&[&write, &cas("true")], ("register-cas", "holds"));
    check(&[&write, &cas(r#"{"ok":false}"#)], ("register-cas", "violated"));
    assert_eq!(verdict(&read((5, 8), "null"), Some("nil")), Ok(("register-cas", "holds")));
}

#[test]
fn keys_with_numbers_and_with_strings_are_judged() {
    let put = timed(0, (0, 10), r#"{"op":"put","key":"x","value":1}"#, r#"{"ok":true}"#);
    let get = |key, output| timed(1, (20, 30), &format!(r#"{{"op":"get","key":{key}}}"#), output);
    check(&[&put, &get("\"x\"", "1")], ("kv", "holds"));
    check(&[&put, &get("\"x\"", r#"{"exists":false}"#)], ("kv", "violated"));
    check(&[&put, &get("7", r#"{"exists":false}"#)], ("kv", "holds"));
    let put = timed(0, (0, 10), r#"{"op":"put","key":"x","value":"a"}"#, "{}");
    let append = timed(0, (12, 14), r#"{"op":"append","key":"x","value":"b"}"#, "{}");
    check(&[&put, &append, &get("\"x\"", r#"{"value":"ab"}"#)], ("kv", "holds"));
    check(&[&put, &append, &get("\"x\"", "\"a\"")], ("kv", "violated"));
}

#[test]
fn strings_are_compared_where_nothing_is_appended() {
    let put = timed(0, (0, 10), r#"{"op":"put","key":"x","value":"v1"}"#, "{}");
    let cas = |output| timed(1, (20, 30), r#"{"op":"cas","key":"x","from":"v1","to":"v2"}"#, output);
    let get = timed(1, (40, 50), r#"{"op":"get","key":"x"}"#, r#""v1""#);
    check(&[&put, &cas("true")], ("kv", "holds"));
    check(&[&put, &cas("true"), &get], ("kv", "violated"));
    check(&[&put, &cas("false"), &get], ("kv", "violated"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn what_is_written_is_read_with_the_same_verdict(kind in test_families::operations_of_any_model()) {
        let family = Family { name: "f".to_owned(), kind };
        let mut written = Vec::new();
        let is_empty = family.kind.visit(Count) == Some(0);
        let is_written = write(&family, &mut written).is_ok();
        // Where no string is told, nothing says that values are strings.
        let is_text = matches!(family.kind, FamilyKind::Text { .. });
        let is_told = !is_text || String::from_utf8_lossy(&written).contains("\"value\":");
        if is_written && is_told && !is_empty {
            let initial = initial_to_give(&family.kind).map(super::super::Initial);
            let again = super::super::parse(&written, &Options { initial, ..Options::default() });
            let text = String::from_utf8_lossy(&written);
            let again = again.unwrap_or_else(|error| panic!("{error}\n{text}"));
            let verdict = |families: &[Family]| {
                judge(families, &["linearizable"], Budget { steps_max: 20_000 })[0].verdict.word()
            };
            prop_assert_eq!(verdict(&again), verdict(&[family]), "{}", text);
        }
    }
}

#[test]
fn a_register_that_is_alone_keeps_its_initial_value_whatever_its_name_is() {
    let read = timed(0, (0, 10), r#"{"op":"read"}"#, "0");
    let mut families = super::super::parse(read.as_bytes(), &Options::default()).unwrap();
    let FamilyKind::Register { history, .. } = &mut families[0].kind else { panic!("no register") };
    let part = history.parts.remove(ALONE).unwrap();
    history.parts.insert("other".to_owned(), part);
    let mut written = Vec::new();
    write(&families[0], &mut written).unwrap();
    assert_eq!(initial_to_give(&families[0].kind), None);
    assert_eq!(verdict(&String::from_utf8(written).unwrap(), None), Ok(("register-cas", "holds")));
}

/// How many operations there are.
struct Count;

impl OperationsVisitor for Count {
    type Output = usize;

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) -> usize {
        history.len()
    }
}

#[test]
fn what_go_marshals_of_exported_fields_is_read() {
    let lines = [
        r#"{"ClientId":0,"Input":{"Op":1,"Key":"x","Value":"a"},"Call":0,"Output":{"Value":""},"Return":10}"#,
        r#"{"ClientId":0,"Input":{"Op":2,"Key":"x","Value":"b"},"Call":20,"Output":{"Value":""},"Return":30}"#,
        r#"{"ClientId":1,"Input":{"Op":0,"Key":"x","Value":""},"Call":40,"Output":{"Value":"ab"},"Return":50}"#,
    ];
    check(&lines, ("kv", "holds"));
    let etcd = [
        r#"{"ClientId":0,"Input":{"Op":1,"Arg1":3,"Arg2":0},"Call":0,"Output":{"Ok":true,"Exists":false,"Value":0,"Unknown":true},"Return":10}"#,
        r#"{"ClientId":1,"Input":{"Op":2,"Arg1":3,"Arg2":4},"Call":20,"Output":{"Ok":true,"Exists":false,"Value":0,"Unknown":false},"Return":30}"#,
        r#"{"ClientId":1,"Input":{"Op":0,"Arg1":0,"Arg2":0},"Call":40,"Output":{"Ok":false,"Exists":true,"Value":4,"Unknown":false},"Return":50}"#,
    ];
    assert_eq!(verdict(&etcd[..2].join("\n"), None), Ok(("register-cas", "holds")));
    let register = r#"{"ClientId":0,"Input":{"Op":false,"Value":7},"Call":0,"Output":0,"Return":1}
        {"ClientId":0,"Input":{"Op":true,"Value":0},"Call":2,"Output":7,"Return":3}"#;
    assert_eq!(verdict(register, None), Ok(("register-cas", "holds")));
}

#[test]
fn without_a_return_or_with_an_error_the_outcome_is_unknown() {
    let read = timed(1, (20, 30), r#"{"op":"read"}"#, "1");
    let lost = r#"{"client":0,"call":0,"return":null,"input":{"op":"write","value":1}}"#;
    check(&[lost, &read], ("register-cas", "holds"));
    let failed = timed(0, (0, 5), r#"{"op":"write","value":1}"#, r#"{"err":"timeout"}"#);
    check(&[&failed, &read], ("register-cas", "holds"));
    let fine = timed(0, (0, 5), r#"{"op":"write","value":2}"#, r#"{"Err":"OK"}"#);
    check(&[&fine, &read], ("register-cas", "violated"));
}

#[track_caller]
fn check_error(text: &str, want: &str) {
    let error = verdict(text, None).expect_err(text);
    assert!(error.contains(want), "{error}\n{text}");
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    let write = timed(0, (0, 10), r#"{"op":"write","value":1}"#, "null");
    let with = |old: &str, new: &str| format!("{write}\n{}", write.replace(old, new));
    check_error(&with(r#"{"op":"write","value":1}"#, "{}"), "2:1: found \"{}\", expected an input with `op`");
    check_error(&with("\"write\"", "\"enqueue\""), "2:1: found \"{\\\"op\\\":\\\"enqueue");
    check_error(&with("\"value\":1", "\"value\":1.5"), "a `value`: a whole number");
    check_error(&with("\"call\":0", "\"call\":0.5"), "2:");
    check_error(&with("\"value\":1", "\"value\":\"a\""), "2:1: found \"numbers and strings\"");
    check_error(&with("\"value\":1", "\"key\":\"k\",\"value\":1"), "2:1: found \"a key\"");
    check_error(&with("\"output\":null", "\"output\":{\"ok\":false}"), "a write that was done");
    check_error(&with("\"client\"", "\"shard\""), "2:");
    check_error(&with("\"return\":10", "\"return\":-1"), "2:1: found \"-1\"");
    check_error(&write.replace("\"write\"", "\"read\"").replace("null", "{}"), "what was read");
    check_error(&format!("[{write}"), "found the end of the file, expected an object, or ]");
    check_error(&format!("[{write},]"), "found \"]\", expected an object after the comma");
    check_error(&format!("[{write} {write}]"), "expected a comma");
    check_error(&format!("[{write}] {write}"), "the array has ended");
    check_error(&format!("{write}\n0 i w 1\n"), "2:1: found \"0 i w 1\", expected an object");
    check_error(&write.replace("\"op\"", "\"op\\"), "1:");
}

#[test]
fn an_object_cut_off_anywhere_is_refused() {
    let write = timed(0, (0, 10), r#"{"op":"write","value":1}"#, "null");
    for length in 1..write.len() {
        check_error(&format!("{write}\n{}", &write[..length]), "2:");
    }
}
