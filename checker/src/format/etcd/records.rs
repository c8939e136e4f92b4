//! The lines of `operations.json` as Go writes them, and what they mean.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::format::FormatError;
use crate::format::json_objects::Object;
use crate::spec::revisions::{
    ActionResult, Condition, Expected, FoundEntry, FoundRange, KeyRange, StoreAction, StoreAnswer, StoreCall,
    StoreTxn, StoreValue,
};

/// Values of this length and more are kept as hashes.
const HASHED_BYTES_MIN: usize = 20;
/// The revision of a response that is not one of the store.
const NO_REVISION: i64 = -1;

/// An operation of porcupine. `Metadata` is for pictures.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Line {
    pub(super) client_id: u64,
    pub(super) input: Request,
    pub(super) call: i64,
    pub(super) output: Response,
    #[serde(rename = "Return")]
    pub(super) returned: i64,
}

/// What `watch.json` has instead.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(dead_code, reason = "only that the line has these fields is asked")]
pub(super) struct WatchLine {
    request: IgnoredAny,
    responses: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Request {
    #[serde(rename = "Type")]
    kind: RequestKind,
    lease_grant: Option<Lease>,
    lease_revoke: Option<Lease>,
    range: Option<RangeRequest>,
    txn: Option<TxnRequest>,
    #[serde(rename = "Defragment")]
    _defragment: Option<IgnoredAny>,
    compact: Option<CompactRequest>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RequestKind {
    Range,
    Txn,
    LeaseGrant,
    LeaseRevoke,
    Defragment,
    Compact,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lease {
    #[serde(rename = "LeaseID")]
    lease: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CompactRequest {
    revision: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RangeRequest {
    start: Arc<str>,
    #[serde(default)]
    end: Arc<str>,
    #[serde(default)]
    limit: i64,
    #[serde(default)]
    revision: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TxnRequest {
    conditions: Option<Vec<ConditionRecord>>,
    operations_on_success: Option<Vec<OperationRecord>>,
    operations_on_failure: Option<Vec<OperationRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ConditionRecord {
    key: Arc<str>,
    #[serde(default)]
    expected_revision: i64,
    #[serde(default)]
    expected_version: i64,
}

/// An operation of a transaction: nested, or flat as it was at first.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OperationRecord {
    #[serde(rename = "Type")]
    kind: OperationKind,
    range: Option<RangeRequest>,
    put: Option<PutRecord>,
    delete: Option<KeyRecord>,
    key: Option<Arc<str>>,
    #[serde(default)]
    with_prefix: bool,
    #[serde(default)]
    limit: i64,
    value: Option<ValueRecord>,
    #[serde(default, rename = "LeaseID")]
    lease: i64,
}

#[derive(Clone, Copy, Deserialize)]
enum OperationKind {
    #[serde(rename = "range-operation", alias = "range")]
    Range,
    #[serde(rename = "put-operation", alias = "put")]
    Put,
    #[serde(rename = "delete-operation", alias = "delete")]
    Delete,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutRecord {
    key: Arc<str>,
    value: ValueRecord,
    #[serde(default, rename = "LeaseID")]
    lease: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeyRecord {
    key: Arc<str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ValueRecord {
    #[serde(default)]
    value: Arc<str>,
    #[serde(default)]
    hash: u32,
}

/// What a client was told, in every layout since 2023.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Response {
    txn: Option<TxnResponse>,
    range: Option<RangeResponse>,
    lease_grant: Option<IgnoredAny>,
    lease_revoke: Option<IgnoredAny>,
    defragment: Option<IgnoredAny>,
    compact: Option<IgnoredAny>,
    #[serde(default)]
    client_error: String,
    #[serde(default)]
    revision: i64,
    #[serde(default)]
    partial_response: bool,
    #[serde(default)]
    persisted: bool,
    #[serde(default)]
    persisted_revision: i64,
    #[serde(default)]
    error: String,
    /// An error of Go, whose text is lost: it is written as `{}`.
    err: Option<IgnoredAny>,
    #[serde(default)]
    result_unknown: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TxnResponse {
    failure: bool,
    results: Option<Vec<ResultRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RangeResponse {
    #[serde(rename = "KVs")]
    entries: Option<Vec<EntryRecord>>,
    #[serde(default)]
    count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ResultRecord {
    #[serde(rename = "KVs")]
    entries: Option<Vec<EntryRecord>>,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    deleted: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EntryRecord {
    key: Arc<str>,
    #[serde(default)]
    value: ValueRecord,
    #[serde(default)]
    mod_revision: i64,
    #[serde(default)]
    version: i64,
}

impl Request {
    /// What was asked.
    ///
    /// # Errors
    /// If the part that the type names is missing.
    pub(super) fn call(self, object: &Object) -> Result<StoreCall, FormatError> {
        let call = match self.kind {
            RequestKind::Range => self.range.map(RangeRequest::call),
            RequestKind::Txn => match self.txn {
                Some(txn) => Some(StoreCall::Txn(Arc::new(txn.txn(object)?))),
                None => None,
            },
            RequestKind::LeaseGrant => self.lease_grant.map(|grant| StoreCall::GrantLease(grant.lease)),
            RequestKind::LeaseRevoke => self.lease_revoke.map(|revoke| StoreCall::RevokeLease(revoke.lease)),
            RequestKind::Defragment => Some(StoreCall::Defragment),
            RequestKind::Compact => self.compact.map(|compact| StoreCall::Compact(compact.revision)),
        };
        call.ok_or_else(|| object.unexpected("an Input without its request", "the request that Type names"))
    }
}

impl RangeRequest {
    fn range(&self) -> KeyRange {
        let limit = u64::try_from(self.limit).unwrap_or(0);
        KeyRange { start: self.start.clone(), end: self.end.clone(), limit }
    }

    fn call(self) -> StoreCall {
        match self.revision {
            0 => StoreCall::Range(self.range()),
            revision => StoreCall::RangeAt { range: self.range(), revision },
        }
    }
}

impl TxnRequest {
    fn txn(self, object: &Object) -> Result<StoreTxn, FormatError> {
        let actions = |records: Option<Vec<OperationRecord>>| -> Result<Vec<StoreAction>, FormatError> {
            records.into_iter().flatten().map(|record| record.action(object)).collect()
        };
        let conditions = self.conditions.into_iter().flatten().map(ConditionRecord::condition);
        Ok(StoreTxn {
            conditions: conditions.collect(),
            on_success: actions(self.operations_on_success)?,
            on_failure: actions(self.operations_on_failure)?,
        })
    }
}

impl ConditionRecord {
    fn condition(self) -> Condition {
        let expected = if self.expected_version > 0 {
            Expected::Version(self.expected_version)
        } else {
            Expected::Revision(self.expected_revision)
        };
        Condition { key: self.key, expected }
    }
}

impl OperationRecord {
    fn action(self, object: &Object) -> Result<StoreAction, FormatError> {
        let missing = || object.unexpected("an operation without its keys", "the part that Type names");
        match (self.kind, self.key) {
            (OperationKind::Range, None) => Ok(StoreAction::Range(self.range.ok_or_else(missing)?.range())),
            (OperationKind::Range, Some(start)) => {
                let end = if self.with_prefix { prefix_end(&start) } else { Arc::default() };
                let limit = u64::try_from(self.limit).unwrap_or(0);
                Ok(StoreAction::Range(KeyRange { start, end, limit }))
            }
            (OperationKind::Put, None) => {
                let PutRecord { key, value, lease } = self.put.ok_or_else(missing)?;
                Ok(StoreAction::Put { key, value: value.value(), lease })
            }
            (OperationKind::Put, Some(key)) => {
                let value = self.value.unwrap_or_default().value();
                Ok(StoreAction::Put { key, value, lease: self.lease })
            }
            (OperationKind::Delete, key) => {
                let key = key.or_else(|| self.delete.map(|delete| delete.key));
                Ok(StoreAction::Delete { key: key.ok_or_else(missing)? })
            }
        }
    }
}

/// The key after all that begin with `prefix`, as the client of etcd makes it.
fn prefix_end(prefix: &str) -> Arc<str> {
    let mut marks: Vec<char> = prefix.chars().collect();
    while let Some(last) = marks.pop() {
        if let Some(next) = char::from_u32(u32::from(last) + 1) {
            marks.push(next);
            return marks.into_iter().collect::<String>().into();
        }
    }
    "\0".into()
}

impl ValueRecord {
    fn value(self) -> StoreValue {
        if self.hash != 0 {
            StoreValue::Hash(self.hash)
        } else if self.value.len() >= HASHED_BYTES_MIN {
            StoreValue::Hash(fnv_1a(self.value.as_bytes()))
        } else {
            StoreValue::Text(self.value)
        }
    }
}

/// Source: G. Fowler, L. C. Noll, K.-P. Vo, "The FNV non-cryptographic hash algorithm".
fn fnv_1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

impl EntryRecord {
    fn found(self) -> FoundEntry {
        let told = |number: i64| (number != 0).then_some(number);
        let (modified, version) = (told(self.mod_revision), told(self.version));
        FoundEntry { key: self.key, value: self.value.value(), modified, version }
    }
}

fn found(entries: Option<Vec<EntryRecord>>, count: u64) -> FoundRange {
    FoundRange { entries: entries.into_iter().flatten().map(EntryRecord::found).collect(), count }
}

impl Response {
    /// What was answered; none if the outcome is unknown.
    ///
    /// # Errors
    /// If it is no response at all.
    pub(super) fn answer(
        self,
        call: &StoreCall,
        object: &Object,
    ) -> Result<Option<StoreAnswer>, FormatError> {
        if !self.error.is_empty() || self.err.is_some() {
            return Ok(None);
        }
        if self.persisted {
            return Ok(Some(StoreAnswer::Persisted { revision: told(self.persisted_revision) }));
        }
        if self.partial_response || self.result_unknown {
            return Ok(Some(StoreAnswer::Persisted { revision: told(self.revision) }));
        }
        if !self.client_error.is_empty() {
            return client_error(&self.client_error, object).map(Some);
        }
        let revision = told(self.revision);
        if let Some(range) = self.range {
            return Ok(Some(StoreAnswer::Range { found: found(range.entries, range.count), revision }));
        }
        if let Some(TxnResponse { failure, results }) = self.txn {
            let result = |ResultRecord { entries, count, deleted }| ActionResult {
                found: found(entries, count),
                deleted,
            };
            let results = results.into_iter().flatten().map(result).collect();
            return Ok(Some(StoreAnswer::Txn { is_failed: failure, results, revision }));
        }
        let is_expected = match call {
            StoreCall::GrantLease(_) => self.lease_grant.is_some(),
            StoreCall::RevokeLease(_) => self.lease_revoke.is_some(),
            StoreCall::Defragment => self.defragment.is_some(),
            StoreCall::Compact(_) => self.compact.is_some(),
            StoreCall::Range(_) | StoreCall::RangeAt { .. } | StoreCall::Txn(_) => false,
        };
        if !is_expected {
            return Err(object.unexpected("an Output without a response", "the response to the Input"));
        }
        // That of a member, which may lag behind.
        let is_of_member = matches!(call, StoreCall::Defragment | StoreCall::Compact(_));
        Ok(Some(StoreAnswer::Persisted { revision: revision.filter(|_| !is_of_member) }))
    }
}

fn told(revision: i64) -> Option<i64> {
    (revision != 0 && revision != NO_REVISION).then_some(revision)
}

fn client_error(text: &str, object: &Object) -> Result<StoreAnswer, FormatError> {
    if text.contains("has been compacted") {
        Ok(StoreAnswer::Compacted)
    } else if text.contains("future revision") {
        Ok(StoreAnswer::FutureRevision)
    } else {
        Err(object.unexpected(text, "a ClientError on a compacted or a future revision"))
    }
}
