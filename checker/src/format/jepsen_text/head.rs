//! What stands in front of an operation's name in a line: logger, time and thread, process and type.

/// How many words may stand before the process: level, date, time, thread, logger.
pub(super) const PREFIX_WORDS_MAX: usize = 12;
/// The types of events.
const KINDS: [&str; 4] = [":invoke", ":ok", ":fail", ":info"];
/// How the names of threads begin.
const THREADS: [&str; 6] = ["jepsen ", "worker", "main", "nemesis", "pool", "clojure-agent"];

/// The process and the type of an operation.
#[derive(Debug)]
pub(super) struct Head<'t> {
    pub(super) process: &'t str,
    pub(super) kind: &'t str,
    /// Where the process begins, in bytes.
    pub(super) start: usize,
    pub(super) kind_at: usize,
    /// Where the type ends.
    pub(super) end: usize,
    /// When the line was logged, in ns since 1970.
    pub(super) at_ns: Option<u64>,
}

impl<'t> Head<'t> {
    /// Of the first process that a type follows.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let mut last: Option<(usize, &str)> = None;
        for (at, word) in words(text).take(PREFIX_WORDS_MAX + 2) {
            if let Some((start, process)) = last
                && is_process(process)
                && KINDS.contains(&word)
            {
                let at_ns = logged_at(&text[..start]);
                return Some(Self { process, kind: word, start, kind_at: at, end: at + word.len(), at_ns });
            }
            last = Some((at, word));
        }
        None
    }
}

/// What is wrong with a line of the logger of operations that has a process or a type, but not both: the part,
/// empty at the end of the line, and what should stand there.
pub(super) fn broken(text: &str) -> Option<(&str, &'static str)> {
    let words = words(text).map(|(_, word)| word).take(PREFIX_WORDS_MAX);
    let mut rest = words.skip_while(|word| !word.starts_with("jepsen.util"));
    rest.next()?;
    let mut process = rest.next()?;
    if process == "-" {
        process = rest.next()?;
    }
    let kind = rest.next().unwrap_or_default();
    if KINDS.contains(&kind) {
        return Some((process, "the number of a process or :nemesis"));
    }
    let is_kind_begun = kind.is_empty() || kind.starts_with(':');
    (is_process(process) && is_kind_begun).then_some((kind, ":invoke, :ok, :fail or :info"))
}

fn is_process(word: &str) -> bool {
    word == ":nemesis" || !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a text, each with where it begins.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(|mark: char| !mark.is_ascii_whitespace())?;
        let length = text[start..].find(|mark: char| mark.is_ascii_whitespace());
        at = length.map_or(text.len(), |length| start + length);
        Some((start, &text[start..at]))
    })
}

/// The text without the names of threads that end it: `[jepsen worker 3]`, `{worker-3}`.
pub(super) fn without_thread(text: &str) -> &str {
    let mut text = text.trim_end();
    loop {
        let cut = match text.as_bytes().last() {
            Some(b']') => text
                .rfind('[')
                .filter(|open| THREADS.iter().any(|thread| text[open + 1..].starts_with(thread))),
            Some(b'}') => text.rfind('{').filter(|open| is_name(&text[open + 1..text.len() - 1])),
            _ => None,
        };
        match cut {
            Some(open) => text = text[..open].trim_end(),
            None => return text,
        }
    }
}

/// Whether what stands in braces is one name, which no map of EDN is.
fn is_name(text: &str) -> bool {
    let is_mark = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(is_mark)
}

/// The date and time in front of an operation: `2022-07-28 07:53:00,100`.
fn logged_at(prefix: &str) -> Option<u64> {
    let is_date = |at: &usize| {
        let text = prefix.as_bytes();
        text.len() >= at + 23 && text[at + 4] == b'-' && text[at + 7] == b'-' && text[at + 13] == b':'
    };
    let start = (0..prefix.len()).find(is_date)?;
    let number =
        |from: usize, to: usize| -> Option<i64> { prefix.get(start + from..start + to)?.parse().ok() };
    let days = days_of(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let seconds = ((days * 24 + number(11, 13)?) * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    let milliseconds = seconds * 1_000 + number(20, 23)?;
    u64::try_from(milliseconds).ok()?.checked_mul(1_000_000)
}

/// Days since 1970 of a date of the Gregorian calendar.
///
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms", 2021.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_found_behind_whatever_a_logger_writes() {
        let lines = [
            "3\t:invoke\t:read\tnil",
            "INFO  jepsen.util - 3 :invoke :read nil",
            "INFO [2024-01-06 15:08:22,530] jepsen worker 3 - jepsen.util 3\t:invoke\t:read\tnil",
            "2022-07-28 07:53:00,100{GMT}\tINFO\t[jepsen worker 3] jepsen.util: 3\t:invoke\t:read\tnil",
            "07:53:00.100 [worker 3] INFO  jepsen.core - 3 :invoke :read nil",
            "{main} 2022-07-28 INFO jepsen.core.worker: 3 :invoke :read nil",
        ];
        for line in lines {
            let head = Head::of(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((head.process, head.kind), ("3", ":invoke"), "{line}");
            assert_eq!(line[head.end..].trim(), line.split(":invoke").nth(1).unwrap().trim(), "{line}");
        }
        for line in ["jepsen.core - Worker 3 starting", "{:process 3, :type :invoke}", "", "3 :invoked :read"]
        {
            assert!(Head::of(line).is_none(), "{line}");
        }
    }

    #[test]
    fn a_line_of_the_logger_of_operations_must_have_a_type() {
        let broken = |line| broken(line).map(|(part, _)| part.to_owned());
        assert_eq!(broken("INFO  jepsen.util - 3 :inv").as_deref(), Some(":inv"));
        assert_eq!(broken("INFO  jepsen.util - 3").as_deref(), Some(""));
        assert_eq!(broken("[jepsen worker 3] jepsen.util: 3\t:in").as_deref(), Some(":in"));
        assert_eq!(broken("INFO  jepsen.util - 0x :invoke :read nil").as_deref(), Some("0x"));
        assert_eq!(broken("INFO  jepsen.util - 3 nodes are up"), None);
        assert_eq!(broken("INFO  jepsen.core - Worker 3 starting"), None);
    }

    #[test]
    fn threads_after_an_operation_are_no_value() {
        let cases = [
            (":read nil [worker 3]", ":read nil"),
            (":cas [1 2] [jepsen worker 3]", ":cas [1 2]"),
            (":cas [1 2]", ":cas [1 2]"),
            (":read nil {worker-3} ", ":read nil"),
            (":read {:a 1}", ":read {:a 1}"),
            (":read nil {GMT} [main]", ":read nil"),
        ];
        for (text, want) in cases {
            assert_eq!(without_thread(text), want, "{text}");
        }
    }

    #[test]
    fn times_are_read_where_there_are_any() {
        assert_eq!(logged_at("1970-01-02 00:00:01,250{GMT} INFO "), Some(86_401_250_000_000));
        assert_eq!(logged_at("INFO [2000-03-01 00:00:00,000] x"), Some(951_868_800_000_000_000));
        assert_eq!(logged_at("INFO  jepsen.util - "), None);
        assert_eq!(logged_at("0000-aa-00 00:00:00,000"), None);
    }
}
