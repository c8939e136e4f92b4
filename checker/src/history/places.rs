//! Where operations are recorded in the file that a history was read from.

use super::OperationIndex;

/// Where a file records an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePlace {
    /// Counts from 1.
    pub line: u32,
    /// The event's own number in the file, such as Jepsen's `:index`.
    pub index: Option<u64>,
}

impl SourcePlace {
    /// A line that has no number of its own.
    pub fn at_line(line: usize) -> Self {
        Self { line: u32::try_from(line).unwrap_or(u32::MAX), index: None }
    }

    /// The same line with the event's own number, if it has one.
    pub fn with_index(self, index: Option<u64>) -> Self {
        Self { index, ..self }
    }
}

/// The places of all operations of a builder, by number.
///
/// Lines cost 8 bytes an operation, and indexes another 8 where the file has any.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Of the invocation and of the response; 0 where there is none.
    lines: Vec<[u32; 2]>,
    /// The same for indexes; [`NO_INDEX`] where there is none. Shorter than `lines` or empty.
    indexes: Vec<[u32; 2]>,
}

/// An index this large or larger is not kept.
const NO_INDEX: u32 = u32::MAX;

/// Which of the two events of an operation.
#[derive(Clone, Copy)]
pub(super) enum End {
    Invocation,
    Response,
}

impl Places {
    pub(super) fn set(&mut self, number: OperationIndex, end: End, place: SourcePlace) {
        let row = number.0 as usize;
        let column = column(end);
        if self.lines.len() <= row {
            self.lines.resize(row + 1, [0; 2]);
        }
        self.lines[row][column] = place.line;
        let index = place.index.and_then(|index| u32::try_from(index).ok()).filter(|index| *index < NO_INDEX);
        if let Some(index) = index {
            if self.indexes.len() <= row {
                self.indexes.resize(row + 1, [NO_INDEX; 2]);
            }
            self.indexes[row][column] = index;
        }
    }

    /// The places of the two events of an operation.
    pub(super) fn of(&self, number: OperationIndex) -> Option<(SourcePlace, Option<SourcePlace>)> {
        Some((self.at(number, End::Invocation)?, self.at(number, End::Response)))
    }

    /// Gives back the room for more operations.
    pub(super) fn shrink(&mut self) {
        self.lines.shrink_to_fit();
        self.indexes.shrink_to_fit();
    }

    fn at(&self, number: OperationIndex, end: End) -> Option<SourcePlace> {
        let row = number.0 as usize;
        let line = self.lines.get(row)?[column(end)];
        let index = self.indexes.get(row).map(|indexes| indexes[column(end)]);
        let index = index.filter(|index| *index != NO_INDEX).map(u64::from);
        (line > 0).then_some(SourcePlace { line, index })
    }
}

fn column(end: End) -> usize {
    match end {
        End::Invocation => 0,
        End::Response => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::SourcePlace;
    use crate::history::{Builder, ClientId, OperationIndex};
    use crate::keyed::KeyedBuilder;
    use crate::spec::register::{Register, RegisterAnswer, RegisterCall};

    fn place(line: usize, index: Option<u64>) -> SourcePlace {
        SourcePlace::at_line(line).with_index(index)
    }

    #[test]
    fn a_history_without_places_answers_none_and_keeps_nothing() {
        let mut builder = Builder::<Register>::default();
        builder.invoke(ClientId(1), RegisterCall::Read, 0).unwrap();
        let history = builder.finish();
        assert_eq!(history.place_of(OperationIndex(0)), None);
        assert!(history.places.is_none());
    }

    #[test]
    fn both_events_are_found_also_under_keys_and_after_a_dropped_operation() {
        let mut builder = KeyedBuilder::<Register>::default();
        let clients = [ClientId(1), ClientId(2), ClientId(3)];
        for (line, (client, key)) in (1..).zip(clients.into_iter().zip(["x", "y", "x"])) {
            builder.at(place(line, Some(line as u64 - 1)));
            builder.invoke(client, key, RegisterCall::Read, 0).unwrap();
        }
        builder.at(place(4, None));
        builder.did_not_happen(clients[0], 0).unwrap();
        builder.at(place(5, Some(u64::MAX)));
        builder.answer(clients[2], RegisterAnswer::Value(None), 0).unwrap();
        builder.at(place(6, Some(7)));
        builder.unknown(clients[1]).unwrap();
        let history = builder.finish();
        let places: Vec<_> = (0..4).map(|number| history.place_of(OperationIndex(number))).collect();
        let asked = |line, end| Some((place(line, Some(line as u64 - 1)), Some(end)));
        // The first one did not happen: it is no operation of the history.
        assert_eq!(places, [None, asked(2, place(6, Some(7))), asked(3, place(5, None)), None]);
        let part = &history.parts()["x"];
        assert_eq!(part.place_of(OperationIndex(0)), Some((place(1, Some(0)), Some(place(4, None)))));
    }
}
