//! The only place that prints: results to stdout, progress and complaints to stderr.

use std::io::{ErrorKind, IsTerminal, Write};

use super::CommandError;

/// Prints results; a reader that went away has seen enough, and is no error.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    let mut stdout = std::io::stdout().lock();
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    match write!(stdout, "{text}{newline}").and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => {
            Err(CommandError::Unwritable { path: "standard output".to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says in one message why a command could not do its work.
pub(crate) fn complain(error: &CommandError) {
    say(&format!("counterclock: {error}"));
}

/// Says something beside the results.
pub(crate) fn say(text: &str) {
    // Without a stderr there is nobody left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// How far a long command has come: a bar on a terminal, plain lines otherwise.
pub(crate) struct Progress {
    /// What is counted, such as `runs`.
    what: &'static str,
    total: usize,
    done: usize,
    violated: usize,
    shown_percent: usize,
    is_terminal: bool,
}

impl Progress {
    /// Of `total` runs, or whatever `what` says, none is done.
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { what, total, done: 0, violated: 0, shown_percent: 0, is_terminal }
    }

    /// One more is done.
    pub(crate) fn tick(&mut self, is_violated: bool) {
        self.done += 1;
        self.violated += usize::from(is_violated);
        let percent = self.done * 100 / self.total.max(1);
        let step = if self.is_terminal { 1 } else { 10 };
        if percent >= self.shown_percent + step {
            self.shown_percent = percent;
            self.show(percent);
        }
    }

    fn show(&self, percent: usize) {
        let Self { what, total, done, violated, .. } = self;
        let line = format!("{done} of {total} {what}, {violated} violated");
        if self.is_terminal {
            let filled = percent * 30 / 100;
            let (full, empty) = ("#".repeat(filled), ".".repeat(30 - filled));
            let end = if percent >= 100 { "\n" } else { "" };
            let _ = write!(std::io::stderr().lock(), "\r[{full}{empty}] {line}{end}");
        } else {
            say(&line);
        }
    }
}
