//! What is written is read again; what is wrong is said in one line.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::admission::LimitSchedule;
use crate::format::test_families::{kinds, operations_of_any_model};
use crate::history::{ClientId, OperationIndex};
use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedBuilder;
use crate::replication::{Append, Delivery, LogHistory, Reader};
use crate::session::{Access, Read};
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use crate::spec::kinds::{Kinds, KindsAnswer, KindsCall, Zone};
use crate::switch_timing::{
    Adoption, BatchEntry, Load, PromiseKind, Publication, StoreRead, SwitchHistory, Task, Use,
};

mod records;

const HEADER: &str = r#"{"format":"counterclock-history","version":1,"families":[{"name":"r","model":"register-cas","init":null},{"name":"s","model":"bcounter","capacity":5},{"name":"e","model":"log"}]}"#;

fn task() -> impl Strategy<Value = Task> {
    let used = prop_oneof![
        Just(Use::Refused),
        (any::<u64>(), any::<u64>()).prop_map(|(oldest, newest)| Use::Version { oldest, newest }),
    ];
    let batch = option::of(
        (any::<u64>(), any::<u32>(), any::<u64>()).prop_map(|(batch, entry, began_ns)| BatchEntry {
            batch,
            entry,
            began_ns,
        }),
    );
    (any::<u32>(), any::<u64>(), any::<[i64; 3]>(), used, batch).prop_map(
        |(node, at_ns, [local_ns, earliest_ns, latest_ns], used, batch)| Task {
            node,
            at_ns,
            local_ns,
            earliest_ns,
            latest_ns,
            used,
            batch,
        },
    )
}

fn switch() -> impl Strategy<Value = FamilyKind> {
    let publications = vec(any::<(u64, i64, u64)>(), 0..4);
    let records = (publications, vec(task(), 0..6), vec(any::<(u32, u64, u64, i64)>(), 0..4));
    let kind = prop_oneof![
        Just(PromiseKind::Strict),
        any::<u64>().prop_map(|epsilon_ns| PromiseKind::Epsilon { epsilon_ns })
    ];
    let load = |[store_reads_count, cache_hits_count, cache_misses_count, replica_lag_ns_max]: [u64; 4]| {
        Load { store_reads_count, cache_hits_count, cache_misses_count, replica_lag_ns_max }
    };
    let load = option::of(any::<[u64; 4]>().prop_map(load));
    let ends = (option::of(any::<u64>()), any::<[u64; 3]>(), load);
    (records, vec(any::<(u32, u64)>(), 0..4), kind, ends).prop_map(
        |(
            (publications, tasks, adoptions),
            reads,
            kind,
            (healed_ns, [ended_ns, lead_ns, converge_within_ns], load),
        )| {
            let publication =
                |(version, start_ns, committed_ns)| Publication { version, start_ns, committed_ns };
            let adoption = |(node, version, at_ns, local_ns)| Adoption { node, version, at_ns, local_ns };
            let store_read = |(node, at_ns)| StoreRead { node, at_ns };
            let history = SwitchHistory {
                publications: publications.into_iter().map(publication).collect(),
                tasks,
                adoptions: adoptions.into_iter().map(adoption).collect(),
                store_reads: reads.into_iter().map(store_read).collect(),
                load,
                healed_ns,
                ended_ns,
            };
            FamilyKind::Switch { history, promise: Promise { kind, lead_ns, converge_within_ns } }
        },
    )
}

fn log() -> impl Strategy<Value = FamilyKind> {
    let append = (any::<u64>(), any::<u64>(), option::of(any::<u64>()))
        .prop_map(|(entry, invoked_ns, acknowledged_ns)| Append { entry, invoked_ns, acknowledged_ns });
    let run = (0..u64::MAX - 2_000, vec(any::<u64>(), 1..1_200), any::<u64>());
    let deliveries = vec(run, 0..3).prop_map(|runs| {
        let deliver = |(offset, entries, at_ns): (u64, Vec<u64>, u64)| {
            (offset..).zip(entries).map(move |(offset, entry)| Delivery { offset, entry, at_ns })
        };
        runs.into_iter().flat_map(deliver).collect()
    });
    let reader = (".{0,8}", any::<u32>(), deliveries, any::<bool>())
        .prop_map(|(name, node, deliveries, is_complete)| Reader { name, node, deliveries, is_complete });
    (vec(append, 0..4), vec(reader, 0..4))
        .prop_map(|(appends, readers)| FamilyKind::Log(LogHistory { appends, readers }))
}

fn reads() -> impl Strategy<Value = FamilyKind> {
    let read = any::<(u64, u32, u64, u64, bool)>().prop_map(|(client, server, at_ns, position, is_read)| {
        let access = if is_read { Access::Read } else { Access::Write };
        Read { client, server, at_ns, position, access }
    });
    vec(read, 0..5).prop_map(FamilyKind::Reads)
}

fn families() -> impl Strategy<Value = Vec<Family>> {
    let kind = prop_oneof![4 => operations_of_any_model(), 1 => kinds(), 1 => switch(), 1 => log(), 1 => reads(), 2 => records::records()];
    vec(kind, 0..4).prop_map(|kinds| {
        let family = |(index, kind)| Family { name: format!("family {index}"), kind };
        (0..).zip(kinds).map(family).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read_again(families in families()) {
        let mut bytes = Vec::new();
        write(&families, &mut bytes).unwrap();
        prop_assert_eq!(read(&bytes).unwrap(), families);
    }

    #[test]
    fn no_line_makes_reading_panic(line in r#"\{("family":"[rse]",|"type":"(invoke|ok|refused|fail|reader|delivery)",|"f":"(read|write|cas|reserve)",|"value":(null|1|\[1,2\]|\{"order":1,"units":2\}|"ü"),|"at":1,|"process":1,|"reader":0,|"offset":18446744073709551615,|"entries":\[1\],|"name":"n",|"node":1,|"is_complete":true,){0,9}"at":2\}"#) {
        let _ = read(format!("{HEADER}\n{line}\n{line}").as_bytes());
    }
}

#[track_caller]
fn check_error(lines: &[&str], want: &str) {
    let text = [&[HEADER], lines].concat().join("\n");
    assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), want, "{text}");
}

#[test]
fn the_lines_of_a_small_history_are_these() {
    let mut builder = KeyedBuilder::<Capacity>::default();
    builder.invoke(ClientId(3), "slot-7", CapacityCall::Reserve { order: Some(12), units: 3 }, 17).unwrap();
    let terms = Terms { limit: Some(9), version: Some(2) };
    builder.answer(ClientId(3), CapacityAnswer::Accepted(terms), 19).unwrap();
    let kind = FamilyKind::Capacity {
        spec: Capacity { capacity: None },
        history: builder.finish(),
        witness: [("slot-7".to_owned(), vec![OperationIndex(0)])].into(),
        schedule: Some(LimitSchedule { steps: vec![(0, 9)] }),
        uncertainty_ns: 5,
    };
    let reads = FamilyKind::Reads(vec![
        Read { client: 1, server: 2, at_ns: 18, position: 4, access: Access::Read },
        Read { client: 1, server: 2, at_ns: 18, position: 5, access: Access::Write },
    ]);
    let families =
        [("slots", kind), ("overview", reads)].map(|(name, kind)| Family { name: name.to_owned(), kind });
    let mut bytes = Vec::new();
    write(&families, &mut bytes).unwrap();
    let want = r#"{"format":"counterclock-history","version":1,"families":[{"name":"slots","model":"bcounter","capacity":null,"uncertainty_ns":5,"schedule":[[0,9]]},{"name":"overview","model":"reads"}]}
{"family":"slots","type":"invoke","at":17,"process":3,"f":"reserve","key":"slot-7","value":{"order":12,"units":3}}
{"family":"overview","type":"read","client":1,"server":2,"at":18,"position":4}
{"family":"overview","type":"read","client":1,"server":2,"at":18,"position":5,"access":"write"}
{"family":"slots","type":"ok","at":19,"process":3,"f":"reserve","key":"slot-7","value":{"limit":9,"version":2}}
{"family":"slots","type":"order","key":"slot-7","value":[0]}
"#;
    assert_eq!(String::from_utf8(bytes).unwrap(), want);
}

#[test]
fn the_lines_of_a_small_history_of_several_kinds_are_these() {
    let mut builder = KeyedBuilder::<Kinds>::default();
    let reserve = |order, units, zone| KindsCall::Reserve { order, units, zone };
    let terms = Terms { limit: Some(9), version: Some(2) };
    builder.invoke(ClientId(3), "slot-7", reserve(12, [3, 0, 1], Zone::Served), 17).unwrap();
    builder.invoke(ClientId(4), "slot-7", reserve(13, [2, 0, 0], Zone::Unserved), 18).unwrap();
    builder.answer(ClientId(3), KindsAnswer::Accepted(terms), 19).unwrap();
    builder.answer(ClientId(4), KindsAnswer::NotServed, 20).unwrap();
    builder.invoke(ClientId(3), "slot-7", KindsCall::Read, 21).unwrap();
    builder.answer(ClientId(3), KindsAnswer::Use([3, 0, 1]), 22).unwrap();
    let kind = FamilyKind::Kinds {
        spec: Kinds { shares: [100, 60, 80], capacity: None },
        history: builder.finish(),
        witness: [("slot-7".to_owned(), vec![OperationIndex(0)])].into(),
        schedule: Some(LimitSchedule { steps: vec![(0, 9)] }),
        uncertainty_ns: 5,
    };
    let mut bytes = Vec::new();
    write(&[Family { name: "slots".to_owned(), kind }], &mut bytes).unwrap();
    let want = r#"{"format":"counterclock-history","version":1,"families":[{"name":"slots","model":"bcounter-kinds","kinds":[100,60,80],"capacity":null,"uncertainty_ns":5,"schedule":[[0,9]]}]}
{"family":"slots","type":"invoke","at":17,"process":3,"f":"reserve","key":"slot-7","value":{"order":12,"units":[3,0,1]}}
{"family":"slots","type":"invoke","at":18,"process":4,"f":"reserve","key":"slot-7","value":{"order":13,"units":[2],"served":false}}
{"family":"slots","type":"ok","at":19,"process":3,"f":"reserve","key":"slot-7","value":{"limit":9,"version":2}}
{"family":"slots","type":"refused","at":20,"process":4,"f":"reserve","key":"slot-7","value":{"served":false}}
{"family":"slots","type":"invoke","at":21,"process":3,"f":"read","key":"slot-7"}
{"family":"slots","type":"ok","at":22,"process":3,"f":"read","key":"slot-7","value":{"units":[3,0,1]}}
{"family":"slots","type":"order","key":"slot-7","value":[0]}
"#;
    assert_eq!(String::from_utf8(bytes).unwrap(), want);
}

#[test]
fn kinds_that_are_wrong_are_said() {
    let header = |kinds: &str| {
        format!(
            r#"{{"format":"counterclock-history","version":1,"families":[{{"name":"k","model":"bcounter-kinds","kinds":{kinds}}}]}}"#
        )
    };
    for kinds in ["[]", "[0]", "[101]", "[1,2,3,4]", "[50,0,50]"] {
        let error = read(header(kinds).as_bytes()).unwrap_err().to_string();
        assert!(error.contains("`kinds`: expected 1 to 3 shares, each from 1 to 100 percent"), "{error}");
    }
    for units in ["[]", "[1,2,3,4]", "3", "[-1]"] {
        let line = format!(
            r#"{{"family":"k","type":"invoke","at":1,"process":1,"f":"reserve","key":"s","value":{{"order":1,"units":{units}}}}}"#
        );
        let error = read([header("[100]"), line].join("\n").as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("2:"), "{error}");
    }
}

#[test]
fn two_families_of_one_name_are_not_written() {
    let family = Family { name: "a".to_owned(), kind: FamilyKind::Reads(Vec::new()) };
    let error = write(&[family.clone(), family], Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "two families have one name");
}

#[test]
fn a_line_that_is_wrong_is_shown_with_its_place() {
    let ask = r#"{"family":"r","type":"invoke","at":1,"process":1,"f":"read"}"#;
    check_error(&["{"], "2:1: EOF while parsing an object");
    check_error(&[r#"{"family":"r","type":"invoke"}"#], "2:30: missing field `at`");
    check_error(
        &[r#"{"family":"x","type":"ok"}"#],
        "2:2: this line does not belong to a family declared as \"x\"",
    );
    check_error(
        &[r#"{"family":"r","type":"delivery"}"#],
        "2:2: a line of this type does not belong to a family declared as \"r\"",
    );
    check_error(
        &[r#"{"family":"r","type":"invoke","at":1,"process":1,"f":"write"}"#],
        "2:50: found \"write\", expected read, write of null or a number, or cas of a pair of those",
    );
    check_error(
        &[r#"{"family":"r","type":"ok","at":1,"process":4}"#],
        "2:34: client 4 gets an answer at event 0 but has nothing open",
    );
    check_error(&[ask, ask], "3:38: client 1 asks at event 1 while its operation 0 is still open");
    check_error(
        &[ask, r#"{"family":"r","type":"ok","at":1,"process":1}"#],
        "3:15: found \"\\\"type\\\":\\\"ok\\\",\\\"at\\\":1,\\\"process\\\":1}\", expected the value read: null or a number",
    );
    check_error(
        &[r#"{"family":"e","type":"delivery","reader":0,"offset":0,"at":0,"entries":[]}"#],
        "2:33: found \"0\", expected a reader declared before",
    );
}

#[test]
fn a_header_that_is_wrong_is_said() {
    for (text, want) in [
        (
            "",
            "1:1: found the end of the line, expected a header {\"format\":\"counterclock-history\",\"version\":1,\"families\":[…]}",
        ),
        (
            r#"{"format":"counterclock-history","version":2,"families":[]}"#,
            "1:34: found \"2\", expected version 1",
        ),
        (
            r#"{"format":"counterclock-history","version":1,"families":[{"name":"a","model":"log"},{"name":"a","model":"log"}]}"#,
            "1:1: family \"a\" is declared twice",
        ),
    ] {
        assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), want);
    }
}
