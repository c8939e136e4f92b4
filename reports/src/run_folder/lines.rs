//! JSON that a person can page through: one field a line, and one element of a list a line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// How deep lines are broken; deeper values stay on their line.
const DEPTH_BROKEN_MAX: usize = 2;

/// `value` as JSON with a line for each field and each element of a list, ending in a line end.
///
/// # Panics
/// If `value` has a map whose keys are not text.
pub(crate) fn one_value_a_line(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Lines::default());
    value.serialize(&mut serializer).expect("a plan has text keys only, and memory takes every byte");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is text")
}

/// Breaks lines down to [`DEPTH_BROKEN_MAX`].
#[derive(Default)]
struct Lines {
    depth: usize,
    is_empty: bool,
}

impl Lines {
    fn begin(&mut self, writer: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        writer.write_all(bracket)
    }

    fn item(&mut self, writer: &mut (impl Write + ?Sized), is_first: bool) -> io::Result<()> {
        self.is_empty = false;
        if !is_first {
            writer.write_all(b",")?;
        }
        if self.depth <= DEPTH_BROKEN_MAX { self.indent(writer) } else { Ok(()) }
    }

    fn end(&mut self, writer: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        let is_broken = self.depth <= DEPTH_BROKEN_MAX && !self.is_empty;
        self.depth -= 1;
        self.is_empty = false;
        if is_broken {
            self.indent(writer)?;
        }
        writer.write_all(bracket)
    }

    fn indent(&self, writer: &mut (impl Write + ?Sized)) -> io::Result<()> {
        write!(writer, "\n{:width$}", "", width = 2 * self.depth)
    }
}

impl Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.item(writer, first)
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.item(writer, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_take_a_line_for_each_element_and_no_more() {
        let value = serde_json::json!({"a": [{"b": [1, 2]}, {"c": {}}], "d": [], "e": 1});
        let want = "{\n  \"a\": [\n    {\"b\": [1,2]},\n    {\"c\": {}}\n  ],\n  \"d\": [],\n  \"e\": 1\n}\n";
        assert_eq!(one_value_a_line(&value), want);
        assert_eq!(serde_json::from_str::<serde_json::Value>(want).unwrap(), value);
    }
}
