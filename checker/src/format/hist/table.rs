//! Compact text about objects of a table: `0 i write 3`, `0 o write`, `1 o read 3`.

use crate::format::FormatError;
use crate::format::source::Source;
use crate::format::table_events::{End, TableObjects, Told};
use crate::history::SourcePlace;
use crate::judge::Family;
use crate::spec::table::Table;

/// Whether the line is an event: a process, one of four letters, a word.
pub(in crate::format) fn is_line(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let is_process = words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    is_process && words.next().is_some_and(|word| super::EVENTS.contains(&word)) && words.next().is_some()
}

/// Reads the events. Lines that begin with `#` are passed over: the table says what they would.
pub(super) fn read(source: &mut Source<'_>, table: &Table) -> Result<Vec<Family>, FormatError> {
    let is_keyed = table.definition().is_keyed;
    let mut objects = TableObjects::new(table);
    while let Some(line) = source.line()? {
        let mut words = line.tokens();
        let process = words.next();
        if process.text.is_empty() || process.text.starts_with('#') {
            continue;
        }
        let number = process.number("the number of a process")?;
        let kind = words.next();
        let name = words.next().filled("the name of an operation")?;
        let is_question = kind.text == "i";
        let key = match words.peek() {
            _ if !is_keyed => None,
            key if key.text.is_empty() && !is_question => None,
            _ => Some(words.next().filled("a key")?.text),
        };
        let values_place = words.peek().place();
        let mut values = Vec::new();
        while !words.peek().text.is_empty() {
            values.push(words.next().text.to_owned());
        }
        objects.at(SourcePlace::at_line(process.place().line));
        let told = Told {
            process: number,
            process_place: process.place(),
            name: name.text,
            name_place: name.place(),
            key,
            values,
            values_place,
            at_ns: 0,
        };
        match kind.text {
            "i" => objects.invoke(&told)?,
            "o" => objects.end(&told, End::Ok)?,
            "f" => objects.end(&told, End::Fail)?,
            "u" => objects.end(&told, End::Info)?,
            _ => return Err(kind.unexpected("i, o, f or u")),
        }
    }
    // An `f` line is counted nowhere in this format.
    Ok(objects.finish()?.families)
}
