//! What is redacted has the verdict that it had, at every level, in every format that it can be written in.

use proptest::prelude::*;

use super::*;
use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::format::{edn_writing, jsonl, parse, test_families};
use crate::judge::{OperationsVisitor, judge_by};
use crate::lattice::Level;
use crate::spec::revisions::Revisions;
use crate::test_histories::Shape;
use crate::test_histories::full_size::{Chance, legal_history, with_another_answer};

const BUDGET: Budget = Budget { steps_max: 20_000 };

fn verdicts(families: &[Family]) -> Vec<(Level, Vec<&'static str>)> {
    let of = |level| judge_by(families, level, BUDGET).iter().map(|check| check.verdict.word()).collect();
    Level::ALL.into_iter().map(|level| (level, of(level))).collect()
}

/// Judges a family, redacted and not, and what is read again after it was written.
fn check(kind: FamilyKind) {
    let family = Family { name: "secret".to_owned(), kind };
    let hidden = redacted(vec![family.clone()]).unwrap();
    let want = verdicts(std::slice::from_ref(&family));
    assert_eq!(verdicts(&hidden), want, "{family:?}\n{hidden:?}");
    let mut written = Vec::new();
    jsonl::write(&hidden, &mut written).unwrap();
    let again = jsonl::read(&written).unwrap();
    assert_eq!(verdicts(&again), want, "as JSON lines: {}", String::from_utf8_lossy(&written));
    // A tally is written as a counter.
    assert_eq!(as_edn(&hidden[0]), as_edn(&family), "as EDN: {family:?}");
}

/// The verdicts of a family that was written as Jepsen's maps, if it can be.
fn as_edn(family: &Family) -> Option<Vec<(Level, Vec<&'static str>)>> {
    let mut written = Vec::new();
    edn_writing::write(family, &mut written).ok().filter(|()| !family.kind.is_empty())?;
    let again = parse(&written, &crate::format::Options::default());
    let text = String::from_utf8_lossy(&written);
    Some(verdicts(&again.unwrap_or_else(|error| panic!("{error}\n{text}"))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_family_of_any_model_keeps_its_verdicts(kind in test_families::operations_of_any_model()) {
        check(kind);
    }
}

/// Legal histories and such with an answer replaced: where verdicts differ.
fn of_words<S: Drawable>(spec: &S, words: &[&str], kind: impl Fn(KeyedHistory<S>) -> FamilyKind) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    for seed in 0..40 {
        let mut chance = Chance::new(seed);
        let shape = Shape { operations: 2 + chance.below(5), clients: 1 + chance.below(3) };
        let legal = legal_history(spec, &words, shape, &mut chance);
        let history = if seed % 2 == 0 { legal } else { with_another_answer(legal, &words, &mut chance) };
        check(kind(KeyedHistory::single("the secret", history)));
    }
}

#[test]
fn registers_strings_logs_and_stores_keep_their_verdicts() {
    use crate::spec::{log::Log, register::Register, text::Text};
    let spec = Register { initial: Some(2) };
    of_words(&spec, &["w1", "w7", "r1", "r2", "r7", "c1>2", "c2>7!", "rn"], |history| FamilyKind::Register {
        spec,
        history,
    });
    let spec = Text::default();
    of_words(&spec, &["pxy", "ay", "ax", "g", "gxy", "gxyy", "gyx"], |history| FamilyKind::Text {
        spec: Text::default(),
        history,
    });
    of_words(&Log, &["a11", "a12", "a13@0", "a14@1", "l", "l11", "l11,12", "e1", "1e12"], |history| {
        FamilyKind::AppendLog { spec: Log, history }
    });
    let words = ["pk=a@2", "pk=b@3", "pl=a@2", "gk@1", "gk~2=a@2", "gk~3=b@3", "gl@2", "dk@3", "ck~2=b@3"];
    of_words(&Revisions, &words, |history| FamilyKind::Revisions { spec: Revisions, history });
}

#[test]
fn no_key_value_or_name_is_left() {
    let told = "{\"format\":\"counterclock-history\",\"version\":1,\"families\":[{\"name\":\"accounts\",\"model\":\"multi-register\"}]}\n\
        {\"family\":\"accounts\",\"type\":\"invoke\",\"at\":1,\"process\":0,\"f\":\"txn\",\"key\":\"bank\",\"value\":[[\"w\",\"alice\",4711]]}\n\
        {\"family\":\"accounts\",\"type\":\"ok\",\"at\":2,\"process\":0,\"value\":[]}\n";
    let families = parse(told.as_bytes(), &crate::format::Options::default()).unwrap();
    let mut written = Vec::new();
    jsonl::write(&redacted(families).unwrap(), &mut written).unwrap();
    let text = String::from_utf8(written).unwrap();
    for secret in ["accounts", "bank", "alice", "4711"] {
        assert!(!text.contains(secret), "{secret} is left in {text}");
    }
    assert!(text.contains("register-00001"), "{text}");
}

#[test]
fn records_are_refused() {
    let family = Family { name: "reads".to_owned(), kind: FamilyKind::Reads(Vec::new()) };
    let error = redacted(vec![family]).unwrap_err().to_string();
    assert_eq!(error, "reads: records of model reads cannot be redacted; expected --family with another one");
}

/// What a family tells of its operations, for the test of ranges.
struct Count;

impl OperationsVisitor for Count {
    type Output = usize;

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) -> usize {
        history.len()
    }
}

#[test]
fn keys_of_ranges_keep_their_order() {
    let line = |client: u32, at: u32, input: &str, output: &str| {
        format!(
            r#"{{"ClientId":{client},"Input":{{{input}}},"Call":{at},"Output":{{{output}}},"Return":{}}}"#,
            at + 1
        )
    };
    let put = r#""Type":"txn","Txn":{"OperationsOnSuccess":[{"Type":"put-operation","Put":{"Key":"/pods/b","Value":{"Value":"v"}}}]}"#;
    let done = r#""Txn":{"Failure":false,"Results":[{}]},"Revision":2"#;
    let list = r#""Type":"range","Range":{"Start":"/pods/","End":"/pods0","Limit":0,"Revision":0}"#;
    let listed =
        r#""Range":{"KVs":[{"Key":"/pods/b","Value":{"Value":"v"},"ModRevision":2}],"Count":1},"Revision":2"#;
    let text = [line(1, 0, put, done), line(2, 10, list, listed)].join("\n");
    let families = parse(text.as_bytes(), &crate::format::Options::default()).unwrap();
    assert_eq!(families[0].kind.visit(Count), Some(2));
    check(families.into_iter().next().unwrap().kind);
}
