//! From a drawing to events, in the order in which they happened.

use super::{Drawable, DrawingError};
use crate::history::ClientId;
use crate::spec::Spec;

/// Something that happens in a drawing.
pub(super) struct Event<S: Spec> {
    pub(super) column: usize,
    pub(super) client: ClientId,
    pub(super) kind: EventKind<S>,
}

/// What happens.
pub(super) enum EventKind<S: Spec> {
    /// The client asks this of an object.
    Begins { key: String, call: S::Call },
    /// It is answered.
    Ends { answer: S::Answer },
}

/// What a word stands for.
pub(super) struct Word<S: Spec> {
    key: String,
    call: S::Call,
    answer: Option<S::Answer>,
}

/// A word of an object that needs no name.
pub(super) fn plain<S: Drawable>(word: &str) -> Option<Word<S>> {
    let (call, answer) = S::read_word(word)?;
    Some(Word { key: String::new(), call, answer })
}

/// A word after the name of its object.
pub(super) fn keyed<S: Drawable>(word: &str) -> Option<Word<S>> {
    let named = word.split_once('.').and_then(|(key, word)| {
        let Word { call, answer, .. } = plain::<S>(word)?;
        Some(Word { key: key.to_owned(), call, answer })
    });
    named.or_else(|| plain(word))
}

/// All events of a drawing, as `read` reads its words.
pub(super) fn events<S: Drawable>(
    drawing: &str,
    read: fn(&str) -> Option<Word<S>>,
) -> Result<Vec<Event<S>>, DrawingError> {
    let lanes = lanes::<S>(drawing, read)?;
    let names: Option<Vec<u64>> = lanes.iter().map(|lane| lane.name.parse().ok()).collect();
    let mut events = Vec::new();
    for (index, lane) in lanes.into_iter().enumerate() {
        let client = ClientId(names.as_ref().map_or(index as u64, |names| names[index]));
        for DrawnOperation { word: Word { key, call, answer }, from, to } in lane.operations {
            events.push(Event { column: from, client, kind: EventKind::Begins { key, call } });
            let ends = to.zip(answer);
            events.extend(ends.map(|(column, answer)| Event {
                column,
                client,
                kind: EventKind::Ends { answer },
            }));
        }
    }
    events.sort_by_key(|event| (event.column, matches!(event.kind, EventKind::Ends { .. })));
    Ok(events)
}

struct Lane<S: Spec> {
    name: String,
    operations: Vec<DrawnOperation<S>>,
}

struct DrawnOperation<S: Spec> {
    word: Word<S>,
    from: usize,
    to: Option<usize>,
}

fn lanes<S: Drawable>(
    drawing: &str,
    read: fn(&str) -> Option<Word<S>>,
) -> Result<Vec<Lane<S>>, DrawingError> {
    let mut lanes: Vec<Lane<S>> = Vec::new();
    for (line, text) in (1..).zip(drawing.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let Some((name, rest)) = text.split_once(':') else {
            return Err(DrawingError::NoClient { line });
        };
        let offset = name.chars().count() + 1;
        let name = name.trim().to_owned();
        if lanes.iter().any(|lane| lane.name == name) {
            return Err(DrawingError::SecondLane { line, client: name });
        }
        let marks: Vec<(usize, char)> = (offset..).zip(rest.chars()).collect();
        lanes.push(Lane { name, operations: operations(line, &marks, read)? });
    }
    Ok(lanes)
}

fn operations<S: Drawable>(
    line: usize,
    marks: &[(usize, char)],
    read: fn(&str) -> Option<Word<S>>,
) -> Result<Vec<DrawnOperation<S>>, DrawingError> {
    let stray = |(column, mark)| DrawingError::Stray { line, column: column + 1, mark };
    let mut operations = Vec::new();
    let mut rest = marks;
    while let Some((&(from, mark), inside)) = rest.split_first() {
        rest = inside;
        if mark.is_whitespace() {
            continue;
        }
        if mark != '[' {
            return Err(stray((from, mark)));
        }
        let end = inside.iter().position(|(_, mark)| *mark == ']');
        let (word, after) = inside.split_at(end.unwrap_or(inside.len()));
        if let Some(&nested) = word.iter().find(|(_, mark)| *mark == '[') {
            return Err(stray(nested));
        }
        let word: String = word.iter().map(|(_, mark)| mark).collect();
        let Some(read) = read(word.trim()) else {
            let word = word.trim().to_owned();
            return Err(DrawingError::Word { line, column: from + 2, word });
        };
        let to = after.first().map(|(column, _)| *column);
        if let (Some(column), None) = (to, &read.answer) {
            return Err(stray((column, ']')));
        }
        operations.push(DrawnOperation { word: read, from, to });
        rest = after.get(1..).unwrap_or_default();
    }
    Ok(operations)
}
