//! An image and the events behind it make the slot that all events make, wherever it is cut and whoever reads it.

use super::*;
use crate::counter::kinds::Kinds;
use crate::ids::{SlotId, ZoneId};
use crate::message::{Call, Event, Ground};
use crate::rules::Decisions as _;
use sim::chance::{Seed, Stream};

const SLOT: SlotId = SlotId(0);

fn program(version: u32) -> Program {
    Program { kinds: Kinds::new(&[100, 60], 3), version }
}

/// Reservations in one form or two, releases, and repeats of both, of a few orders under a limit that is soon reached.
fn call(chance: &mut Stream, forms: u64) -> Call {
    let order = OrderId(chance.below(12));
    let units = 1 + (order.0 as u32) % 4;
    match chance.below(2 + forms) {
        0 => Call::Release { slot: SLOT, order },
        3 => {
            let zone = ZoneId(chance.below(3) as u8);
            Call::ReserveKinds { slot: SLOT, order, units: Units([units, 2, 0]), zone }
        }
        _ => Call::Reserve { slot: SLOT, order, units },
    }
}

/// What a slot journals of forty questions, some of them asked again.
fn events(seed: Seed, forms: u64) -> Vec<Event> {
    let mut chance = seed.stream("image", 0);
    let (rules, mut slot, mut events) = (Rules::hardened(), Slot::default(), Vec::new());
    slot.program = program(1);
    for number in 0..40 {
        let request = RequestKey(if chance.below(5) == 0 { chance.below(number + 1) } else { number });
        let call = call(&mut chance, forms);
        if slot.recall(request, call, &rules).is_some() {
            continue;
        }
        let ground = Ground { limit: 14, version: Version(1 + number as u32 / 10) };
        let answer = match (call, call.demand()) {
            (Call::Release { order, .. }, _) => slot.decide_release(order),
            (_, demand) => slot.decide_reserve(demand.unwrap().units, ground),
        };
        let event = Event { request, call, answer };
        slot.apply(&event);
        events.push(event);
    }
    events
}

/// Wherever the events are cut: what one program makes an image of, another reads.
#[track_caller]
fn check(forms: u64, writer: u32, reader: u32) {
    let rules = Rules::hardened();
    for seed in Seed::range(0..100) {
        let events = events(seed, forms);
        let whole = Slot::of(&events, program(reader), &rules).unwrap();
        for cut in 0..=events.len() {
            let image = Slot::of(&events[..cut], program(writer), &rules).unwrap().image(&rules);
            let slot = Slot::behind(Some(&image), &events[cut..], program(reader), &rules);
            assert_eq!(slot.as_ref(), Some(&whole), "{seed}, behind {cut} events");
        }
    }
}

#[test]
fn an_image_and_the_events_behind_it_make_what_all_events_make() {
    check(2, 1, 1);
    check(2, 1, 2);
    check(1, 0, 0);
}

#[test]
fn a_newer_program_reads_the_older_form_as_what_it_means_in_the_newer_one() {
    check(1, 0, 1);
}

#[test]
fn an_older_program_reads_no_newer_image_even_of_older_events() {
    let rules = Rules::hardened();
    let slot = Slot::of(&events(Seed(1), 1), program(1), &rules).unwrap();
    let image = slot.image(&rules);
    assert_eq!((image.form(), image.read(program(0))), (1, None));
    assert_eq!(image.read(program(1)), Some(slot));
}

#[test]
fn the_mutant_forgets_what_was_answered_before() {
    let (rules, mutant) = (Rules::hardened(), Rules::mutant("snapshot-without-keys"));
    let events = events(Seed(1), 1);
    let slot = Slot::of(&events, program(1), &rules).unwrap();
    let recalled = |rules| {
        let slot = slot.image(&rules).read(program(1)).unwrap();
        let releases = events.iter().filter(|event| matches!(event.call, Call::Release { .. }));
        releases.filter(|event| slot.recall(event.request, event.call, &rules).is_some()).count()
    };
    assert!(recalled(rules) > 0);
    assert_eq!(recalled(mutant), 0);
}
