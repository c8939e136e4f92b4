//! What is read is the same after it was written as `jsonl`, and its operations as `jepsen-edn`.

#![no_main]

use std::collections::BTreeMap;

use checker::format::{Options, edn_writing, jsonl, parse};
use checker::judge::{Family, FamilyKind};

/// What a family is without what Jepsen EDN has no place for.
fn in_edn(kind: FamilyKind) -> FamilyKind {
    match kind {
        FamilyKind::Capacity { spec, history, .. } => {
            let witness = BTreeMap::new();
            FamilyKind::Capacity { spec, history, witness, schedule: None, uncertainty_ns: 0 }
        }
        other => other,
    }
}

fn check_jsonl(families: &[Family]) {
    let mut written = Vec::new();
    // A line that would be too long is not written.
    if jsonl::write(families, &mut written).is_ok() {
        assert_eq!(jsonl::read(&written).as_deref(), Ok(families));
    }
}

fn check_edn(family: Family) {
    let family = Family { kind: in_edn(family.kind), ..family };
    let is_ambiguous = matches!(&family.kind, FamilyKind::Text { spec, .. } if &*spec.initial == "nil");
    let mut written = Vec::new();
    if is_ambiguous || family.kind.is_empty() || edn_writing::write(&family, &mut written).is_err() {
        return;
    }
    let text = String::from_utf8(written).expect("EDN is written as text");
    let again = parse(text.as_bytes(), &Options::default()).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again[0].kind, family.kind, "{text}");
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(families) = parse(bytes, &Options::default()) else { return };
    check_jsonl(&families);
    families.into_iter().for_each(check_edn);
});
