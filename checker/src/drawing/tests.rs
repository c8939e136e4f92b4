//! Drawings there and back.

use proptest::prelude::*;

use super::*;
use crate::keyed::KeyedHistory;
use crate::spec::capacity::Capacity;
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};
use crate::test_histories::{CAPACITY_WORDS, REGISTER_WORDS, Shape, random_history};

/// Each operation with how many begin after its end: drawing again may change nothing else.
fn essence<S: Drawable>(history: &History<S>) -> Vec<(ClientId, String, Option<usize>)> {
    let operations = history.operations();
    let begin_after = |end: u64| operations.iter().filter(|other| end < other.invoked).count();
    let mut all: Vec<_> = operations
        .iter()
        .map(|one| (one.client, in_lane::<S>(one).word, one.returned.map(begin_after)))
        .collect();
    all.sort();
    all
}

fn check<S: Drawable>(history: &KeyedHistory<S>) {
    let Some(part) = history.parts().values().next() else { return };
    let drawing = part.drawing();
    assert!(drawing.lines().all(|line| line.chars().count() <= COLUMNS_MAX), "{drawing}");
    if !drawing.contains("\n\n") {
        let again = History::<S>::draw(&drawing).unwrap_or_else(|error| panic!("{error}\n{drawing}"));
        assert_eq!(essence(&again), essence(part), "{drawing}");
    }
}

#[track_caller]
fn check_error(drawing: &str, want: &str) {
    assert_eq!(History::<Register>::draw(drawing).unwrap_err().to_string(), want, "{drawing}");
}

#[test]
fn columns_are_instants_and_a_missing_end_is_an_unknown_outcome() {
    let history = History::<Register>::draw("a: [w1 ]\nb:   [c1>2!]  [rn").unwrap();
    let [write, swap, read] = history.operations() else { panic!("{history:?}") };
    assert_eq!((write.client, write.call, write.invoked_at), (ClientId(0), RegisterCall::Write(Some(1)), 3));
    assert_eq!((write.returned_at, write.returned), (Some(7), Some(2)));
    assert_eq!((swap.client, swap.answer()), (ClientId(1), Some(&RegisterAnswer::Mismatch)));
    assert_eq!((read.call, read.answer()), (RegisterCall::Read, None));
}

#[test]
fn operations_that_share_a_column_overlap() {
    let history = History::<Register>::draw("a: [w1]\nb:    [r1]").unwrap();
    assert!(history.operations()[1].invoked < history.operations()[0].returned.unwrap());
}

#[test]
fn lanes_named_by_numbers_are_those_clients() {
    let history = History::<Register>::draw("17: [w1]\n 4: [r1]").unwrap();
    assert_eq!(history.operations()[0].client, ClientId(17));
}

#[test]
fn a_bad_drawing_says_where() {
    check_error("a [w1]", "line 1 has no client: it does not begin with a name and a colon");
    check_error("a: [w1]\n\na: [r1]", "line 3 is a second lane of client a");
    check_error("a: [w1]\nb: [x1]", "2:5: \"x1\" is no operation");
    check_error("a: [w1 [r1]", "1:8: '[' should not stand here");
    check_error("a: w1]", "1:4: 'w' should not stand here");
    check_error("a: [r]", "1:6: ']' should not stand here");
    check_error("a: [w1]]", "1:8: ']' should not stand here");
}

#[test]
fn a_picture_has_a_lane_a_client_and_only_the_operations_asked_for() {
    let history = History::<Register>::draw("a: [w1     ]  [w3]\nb:   [r1 ]  [r3").unwrap();
    let numbers = [2, 0, 1, 9].map(OperationIndex);
    assert_eq!(picture(&history, &numbers), "0: [w1 ]\n1: [r1 ] [r\n");
    assert_eq!(picture(&history, &[]), "");
}

#[test]
fn a_wide_picture_goes_on_below_and_cuts_no_word() {
    let history = History::<Register>::draw(&format!("a: {}", "[w100]".repeat(20))).unwrap();
    let picture = history.drawing();
    assert_eq!(picture.matches("[w100").count(), 20, "{picture}");
    assert!(picture.lines().all(|line| line.len() <= COLUMNS_MAX), "{picture}");
    assert_eq!(picture.lines().filter(|line| line.is_empty()).count(), 2, "{picture}");
}

#[test]
fn orders_beyond_the_letters_and_terms_have_words() {
    for word in ["+(26)3", "!a3/10", "+3@7", "-(31)", "~z", "+b1/4@2", "=7", "-3"] {
        let (call, answer) = Capacity::read_word(word).unwrap();
        assert_eq!(Capacity::word(&call, answer.as_ref()), word);
    }
}

proptest! {
    #[test]
    fn what_is_drawn_is_read_again(
        register in random_history::<Register>(&REGISTER_WORDS, Shape { operations: 6, clients: 3 }),
        counter in random_history::<Capacity>(&CAPACITY_WORDS, Shape { operations: 6, clients: 3 }),
    ) {
        check(&register);
        check(&counter);
    }

    #[test]
    fn no_text_makes_drawing_panic(text in "[a-c:\\[\\] r-w0-9!+~=(/>)@\n-]{0,40}") {
        let _ = History::<Register>::draw(&text);
        let _ = History::<Capacity>::draw(&text);
    }
}

#[test]
fn words_over_several_objects_name_theirs() {
    let drawing = "0: [x.w1]     [y.r2]\n1:   [y.w2]\n";
    let history = KeyedHistory::<Register>::draw(drawing).unwrap();
    assert_eq!(history.parts().keys().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(history.parts()["y"].operations()[1].client, ClientId(0));
    assert_eq!(KeyedHistory::<Register>::draw(&history.drawing()).unwrap().drawing(), history.drawing());
    assert_eq!(history.picture(&[OperationIndex(1)]), "1: [y.w2 ]\n");
}

#[test]
fn a_word_without_a_key_is_of_an_object_without_a_name() {
    let history = KeyedHistory::<Register>::draw("a: [w1 ] [r1 ]").unwrap();
    assert_eq!(history.parts().keys().collect::<Vec<_>>(), [""]);
    assert_eq!(
        KeyedHistory::<Register>::draw("a: [x.q1 ]").unwrap_err().to_string(),
        "1:5: \"x.q1\" is no operation"
    );
}
