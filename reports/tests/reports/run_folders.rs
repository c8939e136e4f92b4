//! A run folder is read as it was written, or refused with the place of its damage.

use std::fs;
use std::path::Path;

use counterclock_reports::run_folder::{
    CLOCKS, ClockSample, FolderError, HISTORY, PLAN, RunFolder, SWITCHES, SoakFolder, TRACE, VERDICT,
    VERDICTS,
};

use crate::sample;

const FILES: [&str; 5] = [PLAN, HISTORY, CLOCKS, SWITCHES, VERDICT];

fn written() -> (tempfile::TempDir, std::path::PathBuf) {
    let outer = tempfile::tempdir().expect("a temporary folder can be made");
    let dir = outer.path().join("runs").join("run-42");
    sample::holding(200).write(&dir).expect("the folder can be written");
    (outer, dir)
}

/// That the folder is read as this run; a run is too long to print.
#[track_caller]
fn check(dir: &Path, want: &RunFolder) {
    let run = RunFolder::read(dir).expect("the folder is whole");
    assert!(run == *want, "another run was read");
}

/// The error after `damage` was done to `file` of a good folder.
#[track_caller]
fn damaged(file: &str, damage: impl FnOnce(&Path)) -> FolderError {
    let (_outer, dir) = written();
    damage(&dir.join(file));
    let error = RunFolder::read(&dir).expect_err(file);
    let text = error.to_string();
    assert!(text.contains(file), "{text} does not name {file}");
    assert!(!text.contains('\n') && !text.ends_with('.'), "{text}");
    error
}

fn overwrite(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).expect("the file can be written");
}

#[test]
fn folder_is_read_as_it_was_written() {
    let (_outer, dir) = written();
    check(&dir, &sample::holding(200));
    let mut traced = sample::holding(200);
    traced.trace = Some("{\"at_ns\":0}\n".into());
    traced.write(&dir).expect("an older run is replaced");
    check(&dir, &traced);
    assert!(dir.join(TRACE).is_file());
}

#[test]
fn same_run_leaves_the_same_bytes() {
    let ((_a, a), (_b, b)) = (written(), written());
    for file in FILES {
        assert_eq!(fs::read(a.join(file)).ok(), fs::read(b.join(file)).ok(), "{file}");
    }
}

#[test]
fn nothing_but_the_folder_is_left_behind() {
    let (_outer, dir) = written();
    let parent = dir.parent().expect("it has one");
    let names: Vec<_> =
        fs::read_dir(parent).expect("it exists").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["run-42"]);
}

#[test]
fn reports_beside_an_older_run_stay_and_its_own_files_go() {
    let (_outer, dir) = written();
    overwrite(&dir.join("report.html"), "mine");
    let mut bare = sample::holding(200);
    bare.switches.clear();
    bare.write(&dir).expect("an older run is replaced");
    assert_eq!(fs::read_to_string(dir.join("report.html")).ok().as_deref(), Some("mine"));
    assert!(!dir.join(SWITCHES).exists(), "a file of the older run would be read as one of this run");
}

#[test]
fn folder_of_someone_else_is_not_touched() {
    let outer = tempfile::tempdir().expect("a temporary folder can be made");
    overwrite(&outer.path().join("thesis.tex"), "mine");
    let error = sample::holding(200).write(outer.path()).expect_err("it is taken");
    assert_eq!(error, FolderError::Taken { path: outer.path().into() });
    assert_eq!(fs::read_dir(outer.path()).expect("it exists").count(), 1);
    let error = sample::holding(200).write(&outer.path().join("thesis.tex")).expect_err("it is a file");
    assert!(matches!(error, FolderError::Taken { .. }), "{error}");
    let error =
        sample::holding(200).write(&outer.path().join("thesis.tex").join("below")).expect_err("below a file");
    assert!(matches!(error, FolderError::Unwritable { .. }), "{error}");
}

#[test]
fn empty_folder_is_taken_over() {
    let outer = tempfile::tempdir().expect("a temporary folder can be made");
    let dir = outer.path().join("empty");
    fs::create_dir(&dir).expect("it can be made");
    assert_eq!(sample::holding(200).write(&dir), Ok(()));
}

#[test]
fn missing_files_are_named() {
    for file in [PLAN, HISTORY, CLOCKS, VERDICT] {
        let error = damaged(file, |path| fs::remove_file(path).expect("it exists"));
        assert!(matches!(error, FolderError::Missing { .. }), "{file}: {error}");
    }
    let error = RunFolder::read(Path::new("no/such/folder")).expect_err("it is missing");
    assert!(matches!(error, FolderError::Missing { .. }), "{error}");
}

#[test]
fn empty_files_are_named() {
    for file in FILES {
        let error = damaged(file, |path| overwrite(path, "\n"));
        assert!(matches!(error, FolderError::Empty { .. }), "{file}: {error}");
    }
}

#[test]
fn binary_files_are_named_with_the_place_of_the_first_byte_that_is_no_text() {
    for file in FILES {
        let error = damaged(file, |path| overwrite(path, b"{\n\"a\":\xff\x00"));
        let FolderError::Damaged { line, column, found, .. } = &error else { panic!("{file}: {error}") };
        assert_eq!((*line, *column, found.as_str()), (2, 5, "the byte 0xff, which is not text"), "{file}");
    }
}

#[test]
fn files_cut_anywhere_are_refused_or_were_whole() {
    for file in [PLAN, VERDICT] {
        let (_outer, dir) = written();
        let whole = fs::read(dir.join(file)).expect("it exists");
        let step = (whole.len() / 40).max(1);
        for length in (1..whole.trim_ascii_end().len()).step_by(step) {
            overwrite(&dir.join(file), &whole[..length]);
            let error = RunFolder::read(&dir).expect_err("a cut file is refused");
            let FolderError::Damaged { line, .. } = &error else { panic!("{file} at {length}: {error}") };
            let lines = whole[..length].iter().filter(|&&byte| byte == b'\n').count() + 1;
            assert!(*line <= lines, "{file} cut at {length}: {error}");
        }
    }
}

#[test]
fn line_cut_in_the_middle_is_named_with_its_number() {
    for file in [CLOCKS, SWITCHES] {
        let error = damaged(file, |path| {
            let text = fs::read_to_string(path).expect("it exists");
            overwrite(path, &text[..text.len() - 9]);
        });
        let FolderError::Damaged { line, found, .. } = &error else { panic!("{file}: {error}") };
        assert!(*line > 10 && found.contains("the end of the text"), "{error}");
    }
}

#[test]
fn damaged_line_of_a_history_is_named_with_its_number() {
    for damage in ["{\"a\":", "nothing", "{} {}", "{\"family\":\"slots\"}", "[]", "\u{0}"] {
        let error = damaged(HISTORY, |path| {
            let text = fs::read_to_string(path).expect("it exists");
            let (header, events) = text.split_once('\n').expect("a history has lines");
            overwrite(path, format!("{header}\n{damage}\n{events}"));
        });
        assert!(error.to_string().contains("history.jsonl:2:"), "{damage:?}: {error}");
    }
    let cut = damaged(HISTORY, |path| {
        let bytes = fs::read(path).expect("it exists");
        overwrite(path, &bytes[..bytes.len() - 7]);
    });
    assert!(matches!(cut, FolderError::NoHistory { .. }), "{cut}");
}

#[test]
fn wrong_types_are_named_with_what_was_expected() {
    let wrong = |file, from: &str, to: &str, want: &str| {
        let error = damaged(file, |path| {
            let text = fs::read_to_string(path).expect("it exists");
            assert!(text.contains(from), "{from} is not in {file}");
            overwrite(path, text.replacen(from, to, 1));
        });
        assert!(error.to_string().contains(want), "{error}");
    };
    wrong(PLAN, "\"seed\": 42", "\"seed\": \"42\"", "invalid type: string \"42\", expected u64");
    wrong(PLAN, "\"clock-step\"", "\"clock-stop\"", "unknown variant `clock-stop`");
    wrong(VERDICT, "\"holds\"", "\"held\"", "unknown variant `held`");
    wrong(VERDICT, "\"seed\":42", "\"seed\":43", "seed is 43, but plan.json says 42");
    wrong(CLOCKS, "\"node\":0", "\"node\":-1", ":1:");
    wrong(SWITCHES, "\"version\"", "\"vision\"", "unknown");
}

#[test]
fn clock_samples_alone_are_read_from_anywhere() {
    let (_outer, dir) = written();
    assert_eq!(ClockSample::read(&dir.join(CLOCKS)), Ok(sample::clocks()));
    let foreign = dir.join("foreign.jsonl");
    overwrite(
        &foreign,
        "{\"node\": 3, \"error_ns\": -5, \"at_ns\": 9, \"bound_ns\": 7, \"host\": \"x\"}\n\n",
    );
    let sample = ClockSample { at_ns: 9, node: 3, error_ns: -5, bound_ns: 7 };
    assert_eq!(ClockSample::read(&foreign), Ok(vec![sample]));
}

#[test]
fn substrate_without_clocks_leaves_no_samples() {
    let (_outer, dir) = written();
    let mut run = sample::holding(200);
    run.clocks.clear();
    (run.plan.substrate, run.verdict.substrate) = ("turmoil".into(), "turmoil".into());
    run.write(&dir).expect("an older run is replaced");
    check(&dir, &run);
}

#[test]
fn verdict_lines_of_a_soak_are_free_of_wall_time_and_come_back() {
    let outer = tempfile::tempdir().expect("a temporary folder can be made");
    let (violated, holding) = (sample::violated(50).verdict, sample::holding(200).verdict);
    let soak = sample::soak::soak(&violated, &holding);
    soak.summary.write(outer.path()).expect("the summary can be written");
    let lines: Vec<_> = soak.verdicts.iter().map(|verdict| verdict.soak_line() + "\n").collect();
    assert!(!lines.concat().contains("wall_ns") && !lines.concat().contains("check_ns"));
    overwrite(&outer.path().join(VERDICTS), lines.concat());
    let read = SoakFolder::read(outer.path()).expect("it is whole");
    assert_eq!(read.summary, soak.summary);
    let again: Vec<_> = read.verdicts.iter().map(|verdict| verdict.soak_line() + "\n").collect();
    assert_eq!(again, lines);
}
