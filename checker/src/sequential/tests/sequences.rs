//! Logs, texts and transactions: every small history, random ones.

use super::programs::{LENGTHS, asked, check, every_program, history, random};
use super::*;
use crate::spec::log::Log;
use crate::spec::multi_register::MultiRegister;
use crate::spec::text::Text;

const LOG_WORDS: [&str; 9] = ["a1", "a2", "a3@1", "a1@0", "l", "l1", "l1,2", "0e1", "1e"];
const TEXT_WORDS: [&str; 8] = ["aA", "aB", "pC", "g", "gA", "gAB", "gCA", "gBA"];
const TRANSACTION_WORDS: [&str; 8] =
    ["rx0,wx1", "wx2", "rx1", "rx0,ry0", "wy1", "rx1,ry1", "rx2,wy2", "rx1,ry0"];

#[test]
fn every_small_history_of_a_log_gets_the_naive_answer() {
    for lengths in LENGTHS {
        every_program(lengths, &asked::<Log>(&LOG_WORDS, 1), |asked| check(&Log, &history(asked)));
    }
}

#[test]
fn every_small_history_of_a_text_gets_the_naive_answer() {
    for lengths in LENGTHS {
        every_program(lengths, &asked::<Text>(&TEXT_WORDS, 1), |asked| {
            check(&Text::default(), &history(asked));
        });
    }
}

#[test]
fn every_small_history_of_transactions_gets_the_naive_answer() {
    for lengths in LENGTHS {
        every_program(lengths, &asked::<MultiRegister>(&TRANSACTION_WORDS, 1), |asked| {
            check(&MultiRegister::default(), &history(asked));
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_logs_get_the_naive_answer(
        history in random::<Log>(
            &["a1", "a2", "a3", "a4@1", "a5@2", "l", "l1", "l1,4", "1e4", "2e", "2l", "1l4", "l2,4,5", "0e"], 2, 3, 7
        )
    ) {
        check(&Log, &history);
    }

    #[test]
    fn random_texts_get_the_naive_answer(
        history in random::<Text>(
            &["aA", "aB", "aD", "pC", "pE", "g", "gA", "gAB", "gC", "gCA", "gCAB", "gE", "gEB", "gBA"], 2, 3, 7
        )
    ) {
        check(&Text::default(), &history);
    }

    #[test]
    fn random_transactions_get_the_naive_answer(
        history in random::<MultiRegister>(
            &["rx0,wx1", "wx2", "wx3,rx3", "rx1,wx4", "rx0,ry0", "wy1", "wy2,wx5", "rx1,ry1", "rx2,ry2", "ry1,rx0"], 1, 3, 7
        )
    ) {
        check(&MultiRegister::default(), &history);
    }
}
