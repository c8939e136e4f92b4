//! Histories of real systems, where the corpus is there; small ones of our own, always.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use counterclock_checker::budget::Budget;
use counterclock_checker::format::{Format, Initial, LINE_BYTES_MAX, Model, Options, parse};
use counterclock_checker::judge::{Check, judge, judge_by};
use counterclock_checker::lattice::Level;

const BUDGET: Budget = Budget { steps_max: 10_000_000 };

/// Where the corpus would be.
#[expect(clippy::disallowed_methods, reason = "a test may be told where the corpus lies")]
fn corpus() -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories");
    std::env::var_os("COUNTERCLOCK_HISTORIES").map_or_else(default, PathBuf::from)
}

/// One line on stderr, also from a test that passes: the harness catches only what is printed.
fn tell(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("standard error takes a line");
}

fn linearizable(bytes: &[u8], options: &Options) -> Result<Check, String> {
    let families = parse(bytes, options).map_err(|error| error.to_string())?;
    let mut checks = judge(&families, &["linearizable"], BUDGET);
    checks.pop().ok_or_else(|| "no family of operations".to_owned())
}

#[test]
fn every_log_of_the_corpus_gets_its_known_verdict() {
    let corpus = corpus();
    let Ok(manifest) = fs::read_to_string(corpus.join("manifest.tsv")) else {
        tell(&format!("skipped: no corpus at {}", corpus.display()));
        return;
    };
    let mut judged_count = 0;
    for row in manifest.lines().skip(1) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [file, format, model, initial, expected, ..] = fields[..] else { panic!("{row}") };
        let bytes = fs::read(corpus.join(file)).unwrap();
        let format = Format::named(format);
        assert!(format.is_some(), "{row}");
        let detected = Format::detect(&bytes);
        assert!(detected == format || bytes.is_empty(), "{file} looks like {detected:?}");
        let initial = Some(Initial(initial.replace('"', "")));
        let options = Options { format, model: Model::named(model), initial, ..Options::default() };
        let check = linearizable(&bytes, &options).unwrap_or_else(|error| panic!("{file}:{error}"));
        assert_eq!(check.verdict.word(), expected, "{file}: {}", check.detail);
        judged_count += 1;
    }
    assert!(judged_count > 0, "the manifest lists no file");
    tell(&format!("judged {judged_count} histories of {}", corpus.display()));
}

#[test]
fn transactions_without_times_of_the_corpus_get_their_known_verdict() {
    let folder = corpus().join("awdit");
    let Ok(manifest) = fs::read_to_string(folder.join("manifest.tsv")) else {
        tell(&format!("skipped: no corpus at {}", folder.display()));
        return;
    };
    let judged = |path: &std::path::Path, level| {
        let families = parse(&fs::read(path).unwrap(), &Options::default());
        let families = families.unwrap_or_else(|error| panic!("{}:{error}", path.display()));
        judge_by(&families, level, BUDGET).pop().unwrap().verdict.word()
    };
    for row in manifest.lines().skip(1) {
        let (file, strongest) = row.split_once('\t').unwrap();
        // Read committed and read atomic have no level here; what has neither causal nor more is violated.
        let want = if strongest == "causal" { "holds" } else { "violated" };
        assert_eq!(judged(&folder.join(file), Level::Causal), want, "{row}");
    }
    let serialisable = corpus().join("reported/29-dbcop.txt");
    assert_eq!(judged(&serialisable, Level::Sequential), "holds");
    assert_eq!(judged(&folder.join("causal/fully-ser.txt"), Level::Sequential), "holds");
    assert_eq!(judged(&folder.join("causal/lost-update.txt"), Level::Sequential), "violated");
}

#[track_caller]
fn check(text: &str, want: &str) {
    let verdict = linearizable(text.as_bytes(), &Options::default()).map(|check| check.verdict.word());
    assert_eq!(verdict.as_deref(), Ok(want), "{text}");
    let windows = text.replace('\n', "\r\n");
    let again = linearizable(windows.as_bytes(), &Options::default()).map(|check| check.verdict.word());
    assert_eq!(again, verdict, "with CRLF: {text}");
}

#[track_caller]
fn check_error(bytes: impl AsRef<[u8]>, want: &str) {
    let found = parse(bytes.as_ref(), &Options::default()).map(|families| families.len());
    assert_eq!(found.map_err(|error| error.to_string()), Err(want.to_owned()));
}

const REGISTER: &str = "# model=register-cas init=nil\n";
const COUNTER: &str = "# model=bcounter cap=5\n";

fn jepsen(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("INFO  jepsen.util - {line}\n")).collect()
}

#[test]
fn hist_registers_are_judged() {
    check(&format!("{REGISTER}0 i w 1\n0 o w 1\n1 i r\n1 o r 1\n"), "holds");
    check(&format!("{REGISTER}0 i w 1\n0 o w\n1 i r\n1 o r nil\n"), "violated");
    check(&format!("{REGISTER}0 i c 1 2\n0 f c 1 2\n\n1 i w 3\n1 u w 3\n2 i r\n2 o r 3"), "holds");
    check(&format!("{REGISTER}0 i c nil 2\n0 f c\n"), "violated");
    check(&format!("{REGISTER}0 i w 3\n0 f w\n1 i r\n1 o r 3\n"), "violated");
    check("# model=register-cas\n# seed=7 init=4\n0 i r\n0 o r 4\n", "holds");
}

#[test]
fn hist_counters_are_judged() {
    check(&format!("{COUNTER}0 i res 5\n0 o res 5\n1 i res 1\n1 f res 1\n1 i read\n1 o read 5\n"), "holds");
    check(&format!("{COUNTER}0 i res 5\n0 o res\n1 i res 1\n1 o res\n"), "violated");
    check(&format!("{COUNTER}0 i res 4\n0 o res\n1 i res 1\n1 f res\n"), "violated");
    check(&format!("{COUNTER}0 i rel 1\n0 o rel\n"), "violated");
    check(&format!("{COUNTER}0 i rel 1\n0 f rel\n"), "holds");
}

#[test]
fn jepsen_logs_are_judged() {
    check(
        &jepsen(&["0 :invoke :write 1", "0 :ok :write 1", "1 :invoke :read nil", "1 :ok :read 1"]),
        "holds",
    );
    check(
        &jepsen(&["0 :invoke :write 1", "0 :ok :write 1", "1 :invoke :read nil", "1 :ok :read nil"]),
        "violated",
    );
    check(&jepsen(&["0\t:invoke\t:cas\t[1 2]", "0\t:fail\t:cas\t[1 2]"]), "holds");
    check(
        &jepsen(&[
            "0 :invoke :write 1",
            "0 :info :write :timed-out",
            "1 :invoke :cas [1 2]",
            "1 :ok :cas [1 2]",
        ]),
        "holds",
    );
    check(
        &jepsen(&[
            ":nemesis :info :start nil",
            "0 :invoke :read nil",
            "0 :fail :read :timed-out",
            "Everything looks good",
        ]),
        "holds",
    );
}

#[test]
fn an_empty_jepsen_log_holds_only_if_it_is_said_to_be_one() {
    let options = Options { format: Some(Format::JepsenLog), ..Options::default() };
    let check = linearizable(b"", &options).unwrap();
    assert!(check.verdict.holds());
    check_error(
        "",
        "1:1: no operation recognised: neither hist nor jepsen-log nor jepsen-edn nor jepsen-txt nor json nor kv nor jsonl nor etcd nor porcupine-json nor plume nor test-jepsen",
    );
    let blank = parse(b"\n\n", &options).unwrap_err();
    assert_eq!(blank.to_string(), "2:1: no operation of format jepsen-log in 2 lines");
}

#[test]
fn initial_values_can_be_replaced() {
    let text = format!("{REGISTER}0 i r\n0 o r 4\n");
    let options = Options { initial: Some(Initial("4".to_owned())), ..Options::default() };
    let families = parse(text.as_bytes(), &options).unwrap();
    assert!(judge(&families, &[], BUDGET).iter().all(|check| check.verdict.holds()));
}

#[test]
fn what_is_no_history_is_said_to_be_none() {
    check_error(
        "hello\nworld\n",
        "1:1: no operation recognised: neither hist nor jepsen-log nor jepsen-edn nor jepsen-txt nor json nor kv nor jsonl nor etcd nor porcupine-json nor plume nor test-jepsen",
    );
    check_error(
        "{:process 0, :type :invoke}\n",
        "1:1: found \"a map without :f\", expected an operation, which has :f",
    );
    check_error(REGISTER, "1:1: no operation of format hist in 1 lines");
    check_error(b"# model=bcounter\n\xc3\xbc\xff", "2:2: byte 0xff is not UTF-8");
    check_error(b"\x00\xff\xfe", "1:2: byte 0xff is not UTF-8");
    let long = format!("{REGISTER}{}", "x".repeat(LINE_BYTES_MAX + 1));
    check_error(long, "2:1048577: the line goes on after 1048576 bytes, no more are read");
    check_error(
        r#"{"format":"counterclock-history","version":1,"families":[]}"#,
        "1:1: no operation of format jsonl in 1 lines",
    );
}

#[test]
fn a_bad_hist_says_where_and_what() {
    for (lines, want) in [
        ("0 i x 1", "2:5: found \"x\", expected r, w or c"),
        ("0 i w", "2:6: found the end of the line, expected nil or a whole number"),
        ("0 i w 1.5", "2:7: found \"1.5\", expected nil or a whole number"),
        ("0 i w 1 2", "2:9: found \"2\", expected the end of the line"),
        ("0 q w 1", "2:3: found \"q\", expected i, o, f or u"),
        ("ü i w 1", "2:1: found \"ü\", expected the number of a process"),
        ("0 i w 1\n0 o r 1", "3:5: found \"r\", expected what the process asked"),
        ("0 i w 1\n0 o w 2", "3:7: found \"2\", expected what the process asked"),
        ("0 i w 1\n0 i r", "3:1: client 0 asks at event 1 while its operation 0 is still open"),
        ("0 o w 1", "2:1: client 0 gets an answer at event 0 but has nothing open"),
        (
            "0 i w 1\n0 u w\n0 i r",
            "4:1: client 0 goes on at event 1 though the outcome of its operation 0 is unknown",
        ),
    ] {
        check_error(format!("{REGISTER}{lines}\n"), want);
    }
}

#[test]
fn a_bad_hist_header_says_where_and_what() {
    check_error(
        "# model=queue\n0 i get k\n",
        "1:9: model \"queue\" is not supported, expected one of register-cas, kv, counter-inc, counter-rw, bcounter, log, mutex, multi-register",
    );
    check_error(
        "0 i r\n0 o r nil\n",
        "1:1: found \"0\", expected a header `# model=…` before the first operation",
    );
    check_error(
        "# model=bcounter\n0 i res 1\n",
        "1:9: found \"bcounter\", expected cap=… in the header beside it",
    );
    check_error("# model=bcounter cap=x\n0 i res 1\n", "1:22: found \"x\", expected a number of units");
    check_error(
        "# model=bcounter cap=5 init=3\n0 i res 1\n",
        "1:9: the start of a bcounter is fixed, no initial value can be given",
    );
    check_error(
        "# model=kv model=kv\n0 i r\n",
        "1:12: found \"model=kv\", expected each field of the header once",
    );
    check_error(format!("{COUNTER}0 i res -1\n"), "2:9: found \"-1\", expected a number of units");
}

#[test]
fn a_bad_jepsen_log_says_where_and_what() {
    for (lines, want) in [
        (&["0 :begin :read nil"][..], "1:23: found \":begin\", expected :invoke, :ok, :fail or :info"),
        (&["0x :invoke :read nil"], "1:21: found \"0x\", expected the number of a process or :nemesis"),
        (&["0 :invoke :cas 1 2"], "1:38: found \"2\", expected the end of the line"),
        (&["0 :invoke :cas [1 2"], "1:40: found the end of the line, expected ]"),
        (&["0 :invoke :cas [1 2] 3"], "1:42: found \"3\", expected the end of the line"),
        (&["0 :invoke :cas 1"], "1:36: found \"1\", expected a vector of two values"),
        (&["0 :invoke :write one"], "1:38: found \"one\", expected nil, or a number, string or keyword"),
        (&["0 :invoke"], "1:30: found the end of the line, expected a name, as :read"),
        (&["0 :invoke :read nil", "0 :ok :read"], "2:32: found the end of the line, expected a value"),
        (&["0 :invoke :write 1", "0 :ok :write 2"], "2:34: found \"2\", expected what the process asked"),
        (&["0 :invoke :write 1", "0 :ok :read 1"], "2:27: found \":read\", expected what the process asked"),
        (&["0 :ok :read 1"], "1:21: client 0 gets an answer at event 0 but has nothing open"),
        (
            &["0 :invoke :write 1", "0 :info :write :timed-out", "0 :invoke :read nil"],
            "3:21: client 0 goes on at event 1 though the outcome of its operation 0 is unknown",
        ),
    ] {
        check_error(jepsen(lines), want);
    }
}
