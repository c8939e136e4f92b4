//! Locks, transactions, accounts and chains: there and back.

use super::*;
use crate::atomic_commit::{Ballot, Begun, CommitRecord, Decision, Fate, Told, Vote};
use crate::chain_audit::{Block, ChainRecord, Digest, Erasure, Head, Snapshot};
use crate::conservation::{AccountRecord, Balances, Direction, Effect, Opened, State, Status, Workflow};
use crate::judge::Records;
use crate::mutual_exclusion::{Access, Grant, LockRecord, Section};

fn locks() -> impl Strategy<Value = Records> {
    let record = (0..3, any::<[u64; 4]>(), option::of(any::<u64>()), any::<u32>(), any::<bool>()).prop_map(
        |(kind, [lock, holder, token, at_ns], until_ns, resource, is_accepted)| match kind {
            0 => LockRecord::Section(Section { lock, holder, from_ns: at_ns, until_ns }),
            1 => LockRecord::Grant(Grant { lock, token, holder, at_ns }),
            _ => LockRecord::Access(Access { lock, resource, token, holder, at_ns, is_accepted }),
        },
    );
    let promise = prop_oneof![Just(Exclusion::Sections), Just(Exclusion::Fencing), Just(Exclusion::Epochs)];
    (vec(record, 0..6), promise).prop_map(|(records, promise)| Records::Locks { records, promise })
}

fn commits() -> impl Strategy<Value = Records> {
    let record = (0..4, any::<(u64, u64)>(), vec(any::<u32>(), 1..4), any::<bool>(), any::<bool>()).prop_map(
        |(kind, (transaction, at_ns), participants, is_good, is_alone)| {
            let fate = if is_good { Fate::Commit } else { Fate::Abort };
            let participant = participants[0];
            match kind {
                0 => CommitRecord::Begun(Begun { transaction, participants, at_ns }),
                1 => {
                    let vote = if is_good { Ballot::Yes } else { Ballot::No };
                    CommitRecord::Vote(Vote { transaction, participant, vote, at_ns })
                }
                2 => {
                    let participant = is_alone.then_some(participant);
                    CommitRecord::Decision(Decision { transaction, participant, fate, at_ns })
                }
                _ => CommitRecord::Told(Told { transaction, fate, at_ns }),
            }
        },
    );
    vec(record, 0..6).prop_map(Records::Commits)
}

fn accounts() -> impl Strategy<Value = Records> {
    let balances = vec(any::<(u64, i64)>(), 0..4);
    let record = (0..5, any::<[u64; 3]>(), balances, any::<(u32, i64, bool)>(), option::of(any::<u64>()));
    let record =
        record.prop_map(|(kind, [number, account, at_ns], balances, (step, amount, is_so), returned)| {
            match kind {
                0 => AccountRecord::Opened(Opened { account, balance: amount }),
                1 => AccountRecord::Workflow(Workflow { workflow: number, steps: balances, at_ns }),
                2 => AccountRecord::Effect(Effect {
                    workflow: number,
                    step,
                    direction: if is_so { Direction::Forward } else { Direction::Compensation },
                    account,
                    amount,
                    invoked_ns: at_ns,
                    returned_ns: returned,
                }),
                3 => {
                    let state = match step % 3 {
                        0 => State::InProgress,
                        1 => State::Completed,
                        _ => State::Compensated,
                    };
                    AccountRecord::Status(Status { workflow: number, state, at_ns })
                }
                _ => {
                    let (invoked_ns, returned_ns) = (at_ns, returned.unwrap_or(at_ns));
                    AccountRecord::Balances(Balances { reader: number, invoked_ns, returned_ns, balances })
                }
            }
        });
    let end = prop_oneof![Just(End::Settled), Just(End::CutOff)];
    (vec(record, 0..6), end).prop_map(|(records, end)| Records::Accounts { records, end })
}

fn chains() -> impl Strategy<Value = Records> {
    let digests = any::<[[u8; 32]; 4]>().prop_map(|digests| digests.map(Digest));
    let record = (0..4, any::<[u32; 2]>(), any::<[u64; 3]>(), digests, any::<bool>()).prop_map(
        |(kind, [replica, witness], [index, depth, at_ns], [hash, previous, computed, state], is_so)| {
            match kind {
                0 => ChainRecord::Block(Block { replica, index, hash, previous, computed, at_ns }),
                1 => ChainRecord::Head(Head { replica, witness, index, hash, depth, at_ns }),
                2 => {
                    let witness = is_so.then_some(witness);
                    ChainRecord::Erasure(Erasure { erasure: depth, replica, first: index, witness, at_ns })
                }
                _ => {
                    let derived = is_so.then_some(previous);
                    let (projection, block) = (witness, hash);
                    ChainRecord::Snapshot(Snapshot {
                        replica,
                        projection,
                        index,
                        block,
                        state,
                        computed,
                        derived,
                        at_ns,
                    })
                }
            }
        },
    );
    (vec(record, 0..6), any::<(u64, u32)>()).prop_map(|(records, (finality_depth, difficulty_bits))| {
        Records::Chain { records, rules: ChainRules { finality_depth, difficulty_bits } }
    })
}

pub(super) fn records() -> impl Strategy<Value = FamilyKind> {
    prop_oneof![locks(), commits(), accounts(), chains()].prop_map(FamilyKind::Records)
}

const RECORDS: &str = r#"{"format":"counterclock-history","version":1,"families":[{"name":"l","model":"locks","promise":"fencing"},{"name":"t","model":"commits"},{"name":"m","model":"accounts","end":"settled"},{"name":"c","model":"chain","finality_depth":6,"difficulty_bits":12}]}"#;

#[test]
fn the_lines_of_each_kind_of_records_are_these() {
    let zero = "00".repeat(32);
    let text = format!(
        r#"{RECORDS}
{{"family":"m","type":"opened","account":1,"balance":100}}
{{"family":"l","type":"grant","lock":1,"token":4,"holder":2,"at_ns":5}}
{{"family":"t","type":"begun","transaction":7,"participants":[1,2],"at_ns":5}}
{{"family":"m","type":"workflow","workflow":3,"steps":[[1,-5],[2,5]],"at_ns":5}}
{{"family":"c","type":"block","replica":0,"index":0,"hash":"{zero}","previous":"{zero}","computed":"{zero}","at_ns":5}}
{{"family":"l","type":"section","lock":1,"holder":2,"from_ns":6,"until_ns":null}}
{{"family":"t","type":"vote","transaction":7,"participant":1,"vote":"yes","at_ns":6}}
{{"family":"m","type":"effect","workflow":3,"step":0,"direction":"forward","account":1,"amount":-5,"invoked_ns":6,"returned_ns":8}}
{{"family":"c","type":"head","replica":0,"witness":9,"index":0,"hash":"{zero}","depth":6,"at_ns":6}}
{{"family":"l","type":"access","lock":1,"resource":0,"token":4,"holder":2,"at_ns":7,"is_accepted":true}}
{{"family":"t","type":"decision","transaction":7,"participant":null,"fate":"commit","at_ns":7}}
{{"family":"m","type":"status","workflow":3,"state":"in-progress","at_ns":7}}
{{"family":"c","type":"erasure","erasure":1,"replica":0,"first":3,"witness":9,"at_ns":7}}
{{"family":"t","type":"told","transaction":7,"fate":"commit","at_ns":8}}
{{"family":"m","type":"balances","reader":6,"invoked_ns":8,"returned_ns":9,"balances":[[1,95],[2,100]]}}
{{"family":"c","type":"snapshot","replica":0,"projection":1,"index":0,"block":"{zero}","state":"{zero}","computed":"{zero}","derived":null,"at_ns":8}}
"#
    );
    let families = read(text.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    write(&families, &mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), text);
    let FamilyKind::Records(Records::Locks { records, promise: Exclusion::Fencing }) = &families[0].kind
    else {
        panic!("{families:?}")
    };
    assert_eq!(records.len(), 3);
}

#[test]
fn a_record_that_is_wrong_is_shown_with_its_place() {
    let check = |line: &str, want: &str| {
        assert_eq!(read(format!("{RECORDS}\n{line}").as_bytes()).unwrap_err().to_string(), want);
    };
    check(
        r#"{"family":"l","type":"vote","transaction":7,"participant":1,"vote":"yes","at_ns":6}"#,
        "2:2: a line of this type does not belong to a family declared as \"l\"",
    );
    check(
        r#"{"family":"l","type":"invoke","at":1,"process":1,"f":"read"}"#,
        "2:2: a line of this type does not belong to a family declared as \"l\"",
    );
    check(r#"{"family":"t","type":"told","transaction":7}"#, "2:1: missing field `fate`");
    check(
        r#"{"family":"l","type":"grant","lock":-1,"token":4,"holder":2,"at_ns":5}"#,
        "2:1: invalid value: integer `-1`, expected u64",
    );
    check(
        r#"{"family":"c","type":"head","replica":0,"witness":9,"index":0,"hash":"0a","depth":6,"at_ns":6}"#,
        "2:1: invalid value: string \"0a\", expected 64 hexadecimal digits",
    );
}
