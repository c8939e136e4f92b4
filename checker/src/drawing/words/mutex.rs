//! Words for locks.

use crate::drawing::Drawable;
use crate::spec::mutex::{Mutex, MutexAnswer, MutexCall};

impl Drawable for Mutex {
    fn read_word(word: &str) -> Option<(MutexCall, Option<MutexAnswer>)> {
        match word {
            "a" => Some((MutexCall::Acquire, Some(MutexAnswer::Done))),
            "r" => Some((MutexCall::Release, Some(MutexAnswer::Done))),
            _ => None,
        }
    }

    fn word(call: &MutexCall, _answer: Option<&MutexAnswer>) -> String {
        match call {
            MutexCall::Acquire => "a".to_owned(),
            MutexCall::Release => "r".to_owned(),
        }
    }
}
