//! What etcd's reports say, in each layout; what is no report is refused with its place.

use super::*;
use crate::budget::Budget;
use crate::judge::judge;

/// A line: client, request, call, response, return.
fn line(client: u64, input: &str, called: i64, output: &str, returned: i64) -> String {
    format!(
        r#"{{"ClientId":{client},"Input":{{{input}}},"Call":{called},"Output":{{{output}}},"Return":{returned}}}"#
    ) + "\n"
}

fn txn(on_success: &str) -> String {
    format!(
        r#""Type":"txn","LeaseGrant":null,"LeaseRevoke":null,"Range":null,"Txn":{{"Conditions":null,"OperationsOnSuccess":[{on_success}],"OperationsOnFailure":null}},"Defragment":null"#
    )
}

fn put_of(key: &str, value: &str) -> String {
    format!(
        r#"{{"Type":"put-operation","Range":{{"Start":"","End":"","Limit":0}},"Put":{{"Key":"{key}","Value":{{"Value":"{value}","Hash":0}},"LeaseID":0}},"Delete":{{"Key":""}}}}"#
    )
}

fn put(key: &str, value: &str) -> String {
    txn(&put_of(key, value))
}

const DONE: &str = r#""Txn":{"Failure":false,"Results":[{"KVs":null,"Count":0,"Deleted":0}]},"Range":null,"LeaseGrant":null,"LeaseRevoke":null,"Defragment":null,"PartialResponse":false,"Error":"""#;

fn done(revision: i64) -> String {
    format!("{DONE},\"Revision\":{revision}")
}

fn get(key: &str) -> String {
    format!(r#""Type":"range","Range":{{"Start":"{key}","End":"","Limit":0,"Revision":0}},"Txn":null"#)
}

fn found(key: &str, value: &str, modified: i64, revision: i64) -> String {
    format!(
        r#""Range":{{"KVs":[{{"Key":"{key}","Value":{{"Value":"{value}"}},"ModRevision":{modified}}}],"Count":1}},"Revision":{revision}"#
    )
}

fn verdict(text: &str) -> Result<&'static str, String> {
    let mut bytes = text.as_bytes();
    let contents =
        super::super::read_from(&mut bytes, &Options::default()).map_err(|error| error.to_string())?;
    assert_eq!(contents.format, Format::Etcd);
    let checks = judge(&contents.families, &["linearizable"], Budget { steps_max: 100_000 });
    Ok(checks[0].verdict.word())
}

#[track_caller]
fn check(lines: &[String], want: &str) {
    assert_eq!(verdict(&lines.concat()).as_deref(), Ok(want), "{lines:?}");
}

#[test]
fn a_stale_get_is_found() {
    let puts = [line(1, &put("k", "a"), 0, &done(2), 10), line(1, &put("k", "b"), 20, &done(3), 30)];
    let get = |called, revision| line(2, &get("k"), called, &found("k", "a", 2, revision), called + 5);
    check(&[&puts[..], &[get(12, 2)]].concat(), "holds");
    check(&[&puts[..], &[get(25, 2)]].concat(), "holds");
    check(&[&puts[..], &[get(40, 2)]].concat(), "violated");
    check(&[&puts[..], &[get(40, 3)]].concat(), "violated");
}

#[test]
fn what_failed_may_have_been_done_later_than_its_return() {
    let failed = r#""Txn":null,"Range":null,"Revision":0,"Error":"etcdserver: request timed out""#;
    let put = line(1, &put("k", "a"), 0, failed, 5);
    check(&[put.clone(), line(2, &get("k"), 50, &found("k", "a", 2, 2), 60)], "holds");
    check(&[put, line(2, &get("k"), 50, &found("k", "b", 2, 2), 60)], "violated");
}

#[test]
fn long_values_are_the_same_hashed_or_not() {
    let long = "twenty bytes and more";
    let shown =
        r#""Range":{"KVs":[{"Key":"k","Value":{"Hash":859369639},"ModRevision":2}],"Count":1},"Revision":2"#;
    check(&[line(1, &put("k", long), 0, &done(2), 10), line(2, &get("k"), 20, shown, 30)], "holds");
    let other = shown.replace("859369639", "1");
    check(&[line(1, &put("k", long), 0, &done(2), 10), line(2, &get("k"), 20, &other, 30)], "violated");
}

#[test]
fn conditions_leases_and_compactions_are_those_of_the_store() {
    let grant = line(
        1,
        r#""Type":"leaseGrant","LeaseGrant":{"LeaseID":7}"#,
        0,
        r#""LeaseGrant":{"LeaseID":0},"Revision":1"#,
        5,
    );
    let leased = put_of("k", "a").replace(r#""LeaseID":0"#, r#""LeaseID":7"#);
    let put = line(1, &txn(&leased), 10, &done(2), 15);
    let revoke = |revision| {
        let told = format!(r#""LeaseRevoke":{{}},"Revision":{revision}"#);
        line(1, r#""Type":"leaseRevoke","LeaseRevoke":{"LeaseID":7}"#, 20, &told, 25)
    };
    let nothing = line(2, &get("k"), 30, r#""Range":{"KVs":[],"Count":0},"Revision":3"#, 35);
    check(&[grant.clone(), put.clone(), revoke(3), nothing.clone()], "holds");
    check(&[grant, put.clone(), revoke(2)], "violated");
    let compacted =
        line(3, r#""Type":"compact","Compact":{"Revision":9}"#, 40, r#""Compact":{},"Revision":-1"#, 45);
    check(&[put.replace(":7", ":0"), compacted], "violated");
    let on_condition = |version: u32, failure: bool, revision: i64| {
        let results = if failure { "[]" } else { r#"[{"KVs":null,"Count":0,"Deleted":0}]"# };
        let input = txn(&put_of("k", "b")).replace(
            r#""Conditions":null"#,
            &format!(r#""Conditions":[{{"Key":"k","ExpectedRevision":0,"ExpectedVersion":{version}}}]"#),
        );
        let output = format!(r#""Txn":{{"Failure":{failure},"Results":{results}}},"Revision":{revision}"#);
        line(2, &input, 50, &output, 55)
    };
    let first = line(1, &txn(&put_of("k", "a")), 0, &done(2), 5);
    check(&[first.clone(), on_condition(1, false, 3)], "holds");
    check(&[first.clone(), on_condition(2, true, 2)], "holds");
    check(&[first, on_condition(2, false, 3)], "violated");
}

#[test]
fn the_flat_layout_of_the_first_reports_is_read() {
    let put = r#"{"Type":"put","Key":"key1","WithPrefix":false,"Limit":0,"Value":{"Value":"a","Hash":0},"LeaseID":0}"#;
    let list = r#"{"Type":"range","Key":"key","WithPrefix":true,"Limit":0,"Value":{"Value":"","Hash":0},"LeaseID":0}"#;
    let done = r#""Revision":2,"Txn":{"Failure":false,"Results":[{"KVs":null,"Count":0,"Deleted":0}]},"Err":null,"ResultUnknown":false"#;
    let listed = r#""Revision":2,"Txn":{"Failure":false,"Results":[{"KVs":[{"Key":"key1","Value":{"Value":"a","Hash":0},"ModRevision":2}],"Count":1,"Deleted":0}]},"Err":null,"ResultUnknown":false"#;
    let put = line(0, &txn(put), 0, done, 5);
    check(&[put.clone(), line(1, &txn(list), 10, listed, 15)], "holds");
    check(&[put, line(1, &txn(list), 10, &listed.replace("\"a\"", "\"b\""), 15)], "violated");
    // An error of Go is written as an empty object.
    let lost = line(0, &txn(list), 0, r#""Revision":0,"Txn":null,"Err":{},"ResultUnknown":true"#, 5);
    check(&[lost, line(1, &get("k"), 10, r#""Range":{"KVs":null,"Count":0},"Revision":1"#, 15)], "holds");
}

#[test]
fn several_files_are_one_history() {
    let files = [line(1, &put("k", "a"), 0, &done(2), 10), line(2, &put("k", "b"), 20, &done(3), 30)];
    let read = |texts: &[String]| {
        let mut inputs: Vec<Box<dyn Read>> = Vec::new();
        for text in texts {
            inputs.push(Box::new(std::io::Cursor::new(text.clone().into_bytes())));
        }
        read_report(&mut inputs, &Options::default())
    };
    let contents = read(&files).unwrap();
    let checks = judge(&contents.families, &["linearizable"], Budget { steps_max: 1_000 });
    assert_eq!(checks[0].verdict.word(), "holds");
    let (file, error) = read(&[files[0].clone(), files[1].replace("Call", "Coll")]).unwrap_err();
    assert_eq!((file, error.place().line), (1, 1));
    let (file, _) = read(&[files[0].clone(), files[1].replace(":30}", ":10}")]).unwrap_err();
    assert_eq!(file, 1, "it returns before its call");
}

#[track_caller]
fn check_error(text: &str, want: &str) {
    let error = verdict(text).expect_err(text);
    assert!(error.starts_with(want), "{error}\n{text}");
}

#[test]
fn what_is_no_report_is_refused_with_its_place() {
    let good = line(1, &put("k", "a"), 0, &done(2), 10);
    check_error(&(good.clone() + &good.replace("Failure", "Failed")), "2:");
    check_error(&good.replace("\"Defragment\":null", "\"Defragment\":null,\"Snapshot\":{}"), "1:");
    check_error(&good.replace("put-operation", "move-operation"), "1:");
    check_error(&good.replace(r#""Txn":{"Failure""#, r#""Tx":{"Failure""#), "1:");
    check_error(
        &good.replace(r#"[{"KVs":null,"Count":0,"Deleted":0}]"#, "[]"),
        "1:1: found \"another number of Results\"",
    );
    check_error(&line(1, &get("k"), 0, &done(2), 10), "1:1: found \"an Output of another kind\"");
    check_error(
        &(good + "{\"Request\":{\"Key\":\"k\"},\"Responses\":[]}\n"),
        "2:1: found \"an event of watch.json\"",
    );
    check_error("{\"Request\":{\"Key\":\"k\"},\"Responses\":[]}\n", "1:1: found \"an event of watch.json\"");
}

#[test]
fn a_line_cut_off_anywhere_is_refused() {
    let good = line(1, &put("k", "a"), 0, &done(2), 10);
    for length in 120..good.len() - 2 {
        let text = line(2, &get("x"), 0, r#""Range":{"KVs":[],"Count":0},"Revision":1"#, 1) + &good[..length];
        check_error(&text, "2:");
    }
}
