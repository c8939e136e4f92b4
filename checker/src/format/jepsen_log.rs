//! Soon.
use super::*;
pub(super) fn read(_: &[u8], _: Value) -> Result<Vec<Family>, FormatError> { Ok(vec![]) }
pub(super) fn is_operation(_: &str) -> bool { false }
