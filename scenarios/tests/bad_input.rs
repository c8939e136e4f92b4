//! What a user can get wrong: one message that names the place, exit code 2, nothing left behind, never a panic.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn counterclock(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_counterclock")).current_dir(folder).args(arguments).output().unwrap()
}

/// Runs the command in a folder that holds `file`; it must refuse, naming each of `names`, and leave nothing new.
#[track_caller]
fn check(file: (&str, &str), arguments: &[&str], names: &[&str]) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(file.0), file.1).unwrap();
    refuses(folder.path(), arguments, names);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [file.0], "{arguments:?} left something behind");
}

#[track_caller]
fn refuses(folder: &Path, arguments: &[&str], names: &[&str]) {
    let output = counterclock(folder, arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed results");
    assert!(!message.contains("panicked"), "{message}");
    for name in names {
        assert!(message.contains(name), "{arguments:?}: expected `{name}` in: {message}");
    }
}

/// A scenario file with one line of the catalog's replaced.
fn scenario(line: &str, replacement: &str) -> String {
    let text = scenarios::catalog::text("clock-steps").unwrap();
    assert!(text.contains(line), "the catalog has no `{line}`");
    text.replacen(line, replacement, 1)
}

#[test]
fn an_unknown_scenario_is_refused_with_the_known_ones() {
    let run = ["run", "capcity", "--seed", "1", "--report", "out.html", "--out", "out"];
    check(("other", ""), &run, &["capcity", "capacity, config-switch"]);
    check(("other", ""), &["run", "missing.toml", "--seed", "1"], &["missing.toml", "cannot be read"]);
}

#[test]
fn a_scenario_file_with_a_wrong_key_type_or_range_is_refused_with_its_place() {
    let run = ["run", "mine.toml", "--seed", "1", "--report", "out.html"];
    let cases = [
        (scenario("poll-ms = 500", "pol-ms = 500"), ["mine.toml:11:1", "pol-ms"]),
        (
            scenario("poll-ms = 500", "poll-ms = \"often\""),
            ["mine.toml:11:11", "a whole number from 1 to 3600000"],
        ),
        (scenario("poll-ms = 500", "poll-ms = 0"), ["mine.toml:11:11", "a whole number from 1 to 3600000"]),
        (scenario("poll-ms = 500", "poll-ms = 5_000"), ["mine.toml", "`shape.poll-ms`"]),
        (scenario("\"switch-a\"", "\"switch-z\""), ["mine.toml", "switch-z"]),
        (scenario("name = \"clock-steps\"", "name = \"../x\""), ["mine.toml", "`name`"]),
        (String::new(), ["mine.toml:1:1", "system"]),
        (scenario("system = \"config-pull\"", "system = \"moon\""), ["mine.toml:2:10", "`config-pull`"]),
    ];
    for (text, names) in cases {
        check(("mine.toml", &text), &run, &names);
    }
}

#[test]
fn kinds_and_zones_that_no_slot_can_have_are_refused() {
    for (set, name) in [
        ("shape.kinds=[]", "0 kinds; expected a share in percent for each of 1 to 3"),
        ("shape.kinds=[0]", "a whole number from 1 to 100"),
        ("shape.kinds=[101]", "a whole number from 1 to 100"),
        ("shape.kinds=[100,50,50,50]", "4 kinds"),
        ("shape.kinds=60", "expected a sequence"),
        ("shape.zones=1", "`shape.zones`: found 1, of which no slot would serve any"),
        ("shape.zones=101", "a whole number from 0 to 100"),
    ] {
        check(("other", ""), &["run", "capacity", "--seed", "1", "--set", set], &[name]);
    }
}

/// A scenario file with only this kind of faults; its first line is the 44th.
fn scenario_with(fault: &str) -> String {
    let text = scenarios::catalog::text("clock-steps").unwrap();
    let (before, _) = text.split_once("[[faults]]").unwrap();
    assert_eq!(before.lines().count(), 43);
    format!("{before}[[faults]]\n{fault}\n")
}

#[test]
fn a_kind_of_faults_that_can_do_nothing_or_too_much_is_refused_with_its_place() {
    let run = ["run", "mine.toml", "--seed", "1", "--report", "out.html"];
    let cases = [
        ("kind = \"bit-rust\"\non = [\"worker\"]", ["mine.toml:45:8", "unknown variant `bit-rust`"]),
        ("kind = \"crash\"\non = [\"service\"]\nevery-ms = 9", ["mine.toml:46:6", "0 nodes"]),
        ("kind = \"ring\"\non = [\"store\", \"log\"]\nevery-ms = 9", ["mine.toml:46:6", "2 nodes"]),
        ("kind = \"stop\"\non = [\"worker\", \"client\"]", ["mine.toml:46:6", "`client`"]),
        ("kind = \"crash\"\non = [\"worker\"]", ["mine.toml:44:1", "found neither"]),
        (
            "kind = \"crash\"\non = [\"worker\"]\naround-switches-ms = 9\nevery-ms = 9",
            ["mine.toml:48:12", "found both"],
        ),
        (
            "kind = \"crash\"\non = [\"worker\"]\nevery-ms = 9\nfrom-ms = 9\nuntil-ms = 9",
            ["mine.toml:49:12", "`faults[0].until-ms`"],
        ),
        (
            "kind = \"bit-rot\"\non = [\"worker\"]\nevery-ms = 9\namount = [0, 3]",
            ["mine.toml:48:10", "`faults[0].amount`: expected 1 to 1048576 (records)"],
        ),
        (
            "kind = \"clock-drift\"\non = [\"worker\"]\nevery-ms = 9\namount = [1, 100_001]",
            ["mine.toml:48:10", "ppm"],
        ),
        ("kind = \"burst\"\non = [\"worker\"]\nevery-ms = 9\nchance = \"0\"", ["mine.toml:48:10", "zero"]),
        (
            "kind = \"split\"\non = [\"worker\"]\nevery-ms = 9\nwhom = \"minority\"",
            ["mine.toml:48:8", "expected `random`"],
        ),
        (
            "kind = \"crash\"\non = [\"store\", \"log\"]\nevery-ms = 9\nwhom = \"minority\"",
            ["mine.toml:48:8", "a minority of 2 nodes"],
        ),
        (
            "kind = \"crash\"\non = [\"worker\"]\nevery-ms = 9\nwhom = \"hot-key-owner\"",
            ["mine.toml:48:8", "no service node owns a hot key"],
        ),
    ];
    for (fault, names) in cases {
        check(("mine.toml", &scenario_with(fault)), &run, &names);
    }
    let never = ["run", "counters-partition", "--seed", "1", "--set"];
    let faults = "faults=[{ kind = \"crash\", on = [\"log\"], around-switches-ms = 9 }]";
    check(("other", ""), &[&never[..], &[faults]].concat(), &["`faults[0].around-switches-ms`", "published"]);
    let faults = "faults=[{ kind = \"slow\", on = [\"log\"], every-ms = 1 }]";
    let many = [&never[..], &[faults, "--set", "timing.chaos-s=3_600"]].concat();
    check(("other", ""), &many, &["the fault plan", "at most 65536"]);
}

/// A plan that names what its scenario does not have, or cannot be.
#[test]
fn a_plan_of_another_scenario_is_refused_with_the_part_that_gives_it_away() {
    let folder = TempDir::new().unwrap();
    let faults = "faults=[{ kind = \"crash\", on = [\"log\"], every-ms = 2_000, length-ms = [100, 200] }]";
    let made =
        ["run", "disk-trouble", "--seed", "1", "--out", "run", "--set", "timing.chaos-s=5", "--set", faults];
    assert_eq!(counterclock(folder.path(), &made).status.code(), Some(0));
    let path = folder.path().join("run/plan.json");
    let sound: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let cases: [(&str, serde_json::Value, &[&str]); 14] = [
        ("/scenario/shape/clients", 7.into(), &["`nodes`: found 14 nodes", "13 nodes"]),
        ("/scenario/shape/services", 0.into(), &["`shape`"]),
        ("/scenario/timing/chaos-s", 6.into(), &["`chaos_ends_ns`: found 5000000000", "6000000000"]),
        ("/scenario/clock/drift_ppb_max", u64::MAX.into(), &["`clock`"]),
        ("/nodes/1/role", "store".into(), &["`nodes`: found 1 log (store)", "1 log (log)"]),
        ("/requests/0/1", 1.into(), &["`requests[0]` asks a log for an operation"]),
        ("/requests/0/1", 99.into(), &["`requests[0]` is for n99, which does not exist"]),
        ("/requests/0/0", u64::MAX.into(), &["`requests[0]` is due at 18446744073709551615 ns"]),
        ("/scenario/shape/slots", 1.into(), &["is about slot", "which does not exist"]),
        ("/faults/0/fault/node", 99.into(), &["fault 0 is about n99, which does not exist"]),
        ("/faults/0/fault/node", 8.into(), &["`faults[0]` takes n8 down"]),
        ("/faults/0/at_ns", u64::MAX.into(), &["fault 0 lasts until"]),
        ("/faults/0/fault/kind", "restart".into(), &["fault 0 restarts"]),
        ("/substrate", "moon".into(), &["substrate is kernel, but plan.json says moon"]),
    ];
    for (pointer, value, names) in cases {
        let mut plan = sound.clone();
        let place = plan.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is no part of a plan"));
        *place = value;
        fs::write(&path, plan.to_string()).unwrap();
        refuses(folder.path(), &["replay", "run"], names);
    }
}

#[test]
fn a_setting_that_leads_nowhere_is_refused() {
    let run = |setting| ["run", "clock-steps", "--seed", "1", "--set", setting];
    check(("other", ""), &run("shape.slots"), &["--set shape.slots", "KEY=VALUE"]);
    check(("other", ""), &run("shap.slots=1"), &["--set shap.slots=1", "no table `shap`"]);
    check(("other", ""), &run("shape.slot=1"), &["--set shape.slot=1", "unknown field"]);
    check(("other", ""), &run("shape.workers=many"), &["--set shape.workers=many", "a whole number"]);
}

#[test]
fn seeds_that_are_no_range_are_refused() {
    for seeds in ["5..5", "7..3", "a..b", "3", "-1..4"] {
        let seeds = format!("--seeds={seeds}");
        check(("other", ""), &["soak", "clock-steps", &seeds, "--out", "out"], &["A..B"]);
    }
}

#[test]
fn a_history_that_cannot_be_is_refused_with_its_line() {
    let line = |text: &str| format!("INFO  jepsen.util - {text}\n");
    let cases = [
        (line("0 :ok :read 3"), "1:"),
        (line("0 :invoke :read nil") + &line("0 :invoke :write 3"), "2:"),
        (line("0 :invoke :write 3") + &line("0 :info :write 3") + &line("0 :invoke :read nil"), "3:"),
        (line("0 :invoke :write three"), "1:"),
        ("nothing of the kind\n".to_owned(), "operation"),
        ("\u{0}\u{1}\u{2}".to_owned(), "operation"),
    ];
    for (text, place) in cases {
        let expected = format!("history.log:{}", if place == "operation" { "" } else { place });
        check(("history.log", &text), &["check", "history.log"], &[&expected]);
    }
}

#[test]
fn a_foreign_history_that_cannot_be_is_refused_with_its_line_and_column() {
    let deep = format!("[{{:process 0 :error {}", "[".repeat(100_000));
    let long = format!("# model=kv\n0 i put k {}\n", "1".repeat(2 << 20));
    let cases = [
        ("[{:process 0 :type :ok :f :read :value 1}]", "1:12:", "client 0 gets an answer"),
        ("[{:process 0 :type :invoke :f :read}", "1:37:", "found the end of the file, expected ]"),
        (deep.as_str(), "1:85:", "nested more than 64 deep"),
        (long.as_str(), "2:1048577:", "the line goes on"),
        ("# model=log\n0 i append 1\n0 i read\n", "3:1:", "client 0 asks"),
        ("# model=stack\n0 i w 1\n", "1:9:", "model \"stack\" is not supported"),
        ("[{:process 0 :type :invoke :f :read}]\n{", "2:1:", "found \"{\""),
    ];
    for (text, place, message) in cases {
        let place = format!("history:{place}");
        check(("history", text), &["check", "history", "--json"], &[&place, message]);
    }
    check(
        ("history", "# model=mutex\n0 i acquire\n"),
        &["check", "history", "--init", "nil"],
        &["mutex is fixed"],
    );
    check(
        ("history", "# model=mutex\n0 i acquire\n"),
        &["check", "history", "--model", "log"],
        &["expected log"],
    );
    check(("history", "[]"), &["check", "history", "--format", "hist"], &["history:1:1"]);
}

#[test]
fn an_export_that_cannot_be_leaves_nothing_behind() {
    let export = |format| ["export", "history", "--format", format, "-o", "out"];
    check(("history", "nonsense"), &export("jsonl"), &["history:1:1"]);
    check(("history", "# model=mutex\n0 i acquire\n"), &export("shiviz"), &["shiviz"]);
    check(("other", ""), &export("jsonl"), &["history: cannot be read"]);
    let records = r#"{"format":"counterclock-history","version":1,"families":[{"name":"a","model":"reads"}]}
{"family":"a","type":"read","client":1,"server":2,"at":3,"position":4}
"#;
    check(("history", records), &export("jepsen-edn"), &["no operations"]);
    let somewhere = ["export", "history", "--format", "jsonl", "-o", "missing/out"];
    check(("history", "# model=mutex\n0 i acquire\n"), &somewhere, &["missing/out: cannot be written"]);
}

#[test]
fn an_exported_history_gets_the_same_verdict() {
    let folder = TempDir::new().unwrap();
    let run = ["run", "counters-partition", "--seed", "1", "--out", "run", "--json"];
    assert_eq!(counterclock(folder.path(), &run).status.code(), Some(0));
    let slots = |file: &str| {
        let output = counterclock(folder.path(), &["check", file, "--json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.contains("\"level\":\"linearizable\"")).unwrap().to_owned();
        let field = |name: &str| {
            let start = line.find(&format!("\"{name}\":")).unwrap();
            line[start..].split([',', '}']).next().unwrap().to_owned()
        };
        ["model", "verdict", "operations", "clients", "unknown"].map(field)
    };
    for format in ["jsonl", "jepsen-edn"] {
        let output = counterclock(folder.path(), &["export", "run", "--format", format, "-o", format]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let history = fs::read(folder.path().join("run/history.jsonl")).unwrap();
    assert_eq!(fs::read(folder.path().join("jsonl")).unwrap(), history, "our own format loses nothing");
    assert_eq!(slots("jepsen-edn"), slots("run/history.jsonl"));
}

#[test]
fn of_several_files_the_good_ones_are_still_judged() {
    let folder = TempDir::new().unwrap();
    let good = "INFO  jepsen.util - 0 :invoke :read nil\nINFO  jepsen.util - 0 :ok :read nil\n";
    fs::write(folder.path().join("good.log"), good).unwrap();
    fs::write(folder.path().join("bad.log"), "nonsense").unwrap();
    let output = counterclock(folder.path(), &["check", "bad.log", "good.log", "missing.log", "--json"]);
    let (judged, message) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(2));
    assert!(judged.contains("\"file\":\"good.log\"") && judged.contains("\"verdict\":\"holds\""), "{judged}");
    assert_eq!(message.lines().count(), 2, "{message}");
}

#[test]
fn a_damaged_run_folder_is_refused_with_the_file() {
    for file in ["plan.json", "history.jsonl", "clocks.jsonl", "verdict.json"] {
        let folder = TempDir::new().unwrap();
        let run = ["run", "clock-steps", "--seed", "1", "--out", "run", "--json"];
        assert_eq!(counterclock(folder.path(), &run).status.code(), Some(0));
        let path = folder.path().join("run").join(file);
        let whole = fs::read(&path).unwrap();
        // Within a line: half of the lines may be a sound file.
        let half = whole.len() / 2;
        let cut = half + whole[half..].iter().position(|byte| *byte == b'{').unwrap() + 1;
        for damaged in [&whole[..cut], b"\xff\xfe", b""] {
            fs::write(&path, damaged).unwrap();
            refuses(folder.path(), &["replay", "run"], &[file]);
            refuses(folder.path(), &["report", "run", "-o", "out.html"], &[file]);
            assert!(!folder.path().join("out.html").exists());
        }
    }
}
