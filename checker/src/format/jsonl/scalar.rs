//! A register's value as JSON: null, a number, or in a string how EDN writes what is neither.
//!
//! `"\"a\""` is the string `a`, `":a"` the keyword.

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

use crate::format::edn::Edn;
use crate::spec::register::symbol;

/// What a value may be.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(i64),
    Written(String),
}

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
pub(super) fn serialize<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        None => serializer.serialize_none(),
        Some(value) => match symbol::text(*value) {
            Some(written) => serializer.serialize_str(&written),
            None => serializer.serialize_i64(*value),
        },
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    match Option::<Scalar>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Scalar::Number(value)) => Ok(Some(value)),
        Some(Scalar::Written(written)) => of_text(&written)
            .map(Some)
            .ok_or_else(|| D::Error::custom("expected null, a number, or a value as EDN writes it")),
    }
}

/// The number of a value that is no number, as EDN writes it.
pub(super) fn of_text(written: &str) -> Option<i64> {
    Edn::parse(written)?.register()?.filter(|value| symbol::is_reserved(*value))
}
