//! Calls and events of two forms, while programs of several versions run side by side.
//!
//! ```text
//!   form 0: Reserve { units }               one kind, no zone       every program reads it
//!   form 1: ReserveKinds { units, zone }    several kinds, a zone   programs of version 1 and above do
//! ```
//!
//! A newer program reads the older form as what it means in the newer one ([`Call::demand`]): units of the first kind,
//! from no zone. An older program cannot know what the newer form means. It refuses such a question, so that the client
//! asks another node, and does not decide about a slot that has such an event. The journal keeps events as they are and
//! looks into none, so that its own version does not matter.

use sim::node::{Context, NodeId};

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::client::{Ask, Reply};
use crate::counter::kinds::{Demand, Units};
use crate::message::{Answer, Call, Event, Message, Observation};

impl Call {
    /// The oldest version of a program that can read it.
    #[must_use]
    pub const fn form(self) -> u32 {
        match self {
            Self::ReserveKinds { .. } => 1,
            Self::Reserve { .. }
            | Self::Release { .. }
            | Self::Use { .. }
            | Self::Overview
            | Self::Choose { .. } => 0,
        }
    }

    /// What it reserves, if that is what it asks: the older form in the terms of the newer one.
    #[must_use]
    pub const fn demand(self) -> Option<Demand> {
        match self {
            Self::Reserve { order, units, .. } => {
                Some(Demand { order, units: Units::first(units), zone: None })
            }
            Self::ReserveKinds { order, units, zone, .. } => Some(Demand { order, units, zone: Some(zone) }),
            Self::Release { .. } | Self::Use { .. } | Self::Overview | Self::Choose { .. } => None,
        }
    }

    /// What a program of that version takes it for; none if it must refuse it.
    fn known_to(self, version: u32, rules: &Rules) -> Option<Self> {
        if self.form() <= version {
            return Some(self);
        }
        match self {
            // It takes the fields that it knows, and passes over the others.
            Self::ReserveKinds { slot, order, units, .. } if !rules.newer_form_refused.is_taken() => {
                Some(Self::Reserve { slot, order, units: units.0[0] })
            }
            _ => None,
        }
    }
}

/// An event as a program of that version reads it; none if it cannot.
#[must_use]
pub fn event(event: &Event, version: u32, rules: &Rules) -> Option<Event> {
    event.call.known_to(version, rules).map(|call| Event { call, ..*event })
}

/// A message as this program reads it. A question in a form that it cannot read is refused and logged.
pub fn message(
    from: NodeId,
    message: Message,
    rules: &Rules,
    context: &Context<'_>,
    fx: &mut Fx,
) -> Option<Message> {
    let (client, request, call) = match &message {
        Message::Ask(Ask { request, call, .. }) => (from, *request, *call),
        Message::Forward { client, request, call } => (*client, *request, *call),
        _ => return Some(message),
    };
    let Some(call) = call.known_to(context.version(), rules) else {
        fx.observe(Observation::NewerForm { form: call.form() });
        fx.send(client, Message::Answer(Reply { request, answer: Answer::Unavailable }));
        return None;
    };
    Some(match message {
        Message::Ask(ask) => Message::Ask(Ask { call, ..ask }),
        _ => Message::Forward { client, request, call },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Member;
    use crate::ids::{OrderId, RequestKey, SlotId, ZoneId};
    use crate::probe::Probe;
    use crate::rules::Decisions as _;
    use sim::time::Span;

    const CLIENT: NodeId = NodeId(12);

    const OLD: Call = Call::Reserve { slot: SlotId(3), order: OrderId(7), units: 2 };
    const NEW: Call =
        Call::ReserveKinds { slot: SlotId(3), order: OrderId(7), units: Units([2, 4, 0]), zone: ZoneId(1) };

    /// What a node of that version reads, and how many forms it logs that it cannot read.
    fn read(call: Call, version: u32, rules: &Rules) -> (Option<Call>, usize) {
        let request = RequestKey(5);
        let both = [
            (CLIENT, Message::Ask(Ask { request, call, mark: () })),
            (NodeId(4), Message::Forward { client: CLIENT, request, call }),
        ];
        let mut probe = Probe::<Member>::new(Span::ZERO).booted(version, Vec::new());
        let found = both.map(|(from, asked)| {
            let read = probe.ask(|context, fx| message(from, asked, rules, context, fx));
            read.and_then(|message| match message {
                Message::Ask(Ask { call, .. }) | Message::Forward { call, .. } => Some(call),
                _ => None,
            })
        });
        assert_eq!(found[0], found[1], "asked and passed on");
        let done = probe.done();
        assert!(done.sent.iter().all(|(to, _)| *to == CLIENT), "the client is told, whoever passed it on");
        assert_eq!(done.sent.len(), done.observed.len());
        (found[0], done.observed.len())
    }

    #[test]
    fn an_older_program_refuses_what_is_newer_and_logs_it() {
        let hardened = Rules::hardened();
        assert_eq!(read(OLD, 0, &hardened), (Some(OLD), 0));
        assert_eq!(read(NEW, 0, &hardened), (None, 2));
        assert_eq!(read(OLD, 1, &hardened), (Some(OLD), 0));
        assert_eq!(read(NEW, 2, &hardened), (Some(NEW), 0));
    }

    #[test]
    fn the_mutant_takes_the_fields_that_it_knows() {
        assert_eq!(read(NEW, 0, &Rules::mutant("newer-form-misread")), (Some(OLD), 0));
    }

    #[test]
    fn the_older_form_means_units_of_the_first_kind_from_no_zone() {
        let demand = Demand { order: OrderId(7), units: Units([2, 0, 0]), zone: None };
        assert_eq!(OLD.demand(), Some(demand));
    }
}
