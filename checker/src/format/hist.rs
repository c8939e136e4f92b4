//! Soon.
use super::*;
pub(super) fn read(_: &[u8], _: Option<Value>) -> Result<Vec<Family>, FormatError> { Ok(vec![]) }
pub(super) fn is_line(_: &str) -> bool { false }
