//! `report`: draws a run folder, a soak folder or clock samples.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reports::run_folder::{self, ClockSample, RunFolder, SoakFolder};
use reports::{junit, markdown, page, text};

use super::{CommandError, output, shown, write_file};

/// Draw a run folder, a soak folder or clock samples
#[derive(Args)]
pub(crate) struct Report {
    /// A run folder, a soak folder, or a clocks.jsonl from anywhere
    #[arg(value_name = "DIR|clocks.jsonl")]
    source: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
    /// Where to; without it, to stdout
    #[arg(short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One page that needs no network
    Html,
    /// For a terminal of 80 columns
    Text,
    /// Test cases, for CI systems
    Junit,
    /// For a pull request
    Markdown,
}

impl Report {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let drawn = self.draw()?;
        match &self.output {
            Some(file) => write_file(file, &drawn)?,
            None => output::print(&drawn)?,
        }
        Ok(0)
    }

    fn draw(&self) -> Result<String, CommandError> {
        if self.source.is_file() {
            return self.draw_clocks();
        }
        if self.source.join(run_folder::SUMMARY).exists() || self.source.join(run_folder::VERDICTS).exists() {
            let folder = SoakFolder::read(&self.source)?;
            return Ok(match self.format {
                Format::Html => page::soak(&folder),
                Format::Text => text::soak(&folder.summary),
                Format::Junit => junit::soak(&folder),
                Format::Markdown => markdown::soak(&folder),
            });
        }
        let folder = RunFolder::read(&self.source)?;
        Ok(match self.format {
            Format::Html => page::run(&folder),
            Format::Text => text::run(&folder),
            Format::Junit => junit::run(&folder),
            Format::Markdown => markdown::run(&folder),
        })
    }

    fn draw_clocks(&self) -> Result<String, CommandError> {
        let samples = ClockSample::read(&self.source)?;
        if self.format != Format::Html {
            let found = "clock samples alone are drawn as a page; expected --format html";
            return Err(CommandError::Usage(format!("{}: {found}", shown(&self.source))));
        }
        Ok(page::clocks(&samples))
    }
}
