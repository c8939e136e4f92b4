//! `verify`: checks the evidence that `check --evidence` wrote, with code of its own.

use std::fs;
use std::path::PathBuf;

use checker::format::evidence::{Evidence, Reading};
use checker::format::{Contents, Format, Initial, Model, NilReads, Options, table_file};
use checker::verify::{Verified, verify};
use clap::Args;

use super::{CommandError, histories, output, shown};

/// Check the evidence for a verdict
#[derive(Args)]
pub(crate) struct Verify {
    /// The history that the evidence is about
    #[arg(value_name = "HISTORY")]
    history: PathBuf,
    /// What `check --evidence` wrote
    #[arg(value_name = "EVIDENCE")]
    evidence: PathBuf,
}

impl Verify {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let unreadable = |source| CommandError::Unreadable { path: shown(&self.evidence), source };
        let bytes = fs::read(&self.evidence).map_err(unreadable)?;
        let evidence = Evidence::read(&bytes)
            .map_err(|error| CommandError::Usage(format!("{}: {error}", shown(&self.evidence))))?;
        let options = self.options(&evidence.history)?;
        let Contents { families, .. } = histories::read(&self.history, &options)?;
        match verify(&families, &evidence) {
            Ok(verified) => {
                verified.iter().map(in_words).try_for_each(|line| output::print(&line))?;
                Ok(u8::from(verified.iter().any(|one| one.result.is_err())))
            }
            Err(refusal) => {
                output::print(&format!("refused: {refusal}"))?;
                Ok(1)
            }
        }
    }

    /// How the history was read when the evidence was made.
    fn options(&self, reading: &Reading) -> Result<Options, CommandError> {
        let unknown = |what: &str, name: &str| {
            CommandError::Usage(format!("{}: {what} {name:?} is not known here", shown(&self.evidence)))
        };
        let format = Format::named(&reading.format).ok_or_else(|| unknown("the format", &reading.format))?;
        let model = match &reading.model {
            Some(name) => Some(Model::named(name).ok_or_else(|| unknown("the model", name))?),
            None => None,
        };
        let nil = match &reading.nil {
            Some(name) => Some(NilReads::named(name).ok_or_else(|| unknown("--nil", name))?),
            None => None,
        };
        let table = match &reading.table {
            Some(text) => {
                let malformed = |source| CommandError::ModelFile { path: shown(&self.evidence), source };
                Some(table_file::read(text).map_err(malformed)?.0)
            }
            None => None,
        };
        Ok(Options { format: Some(format), model, initial: reading.init.clone().map(Initial), nil, table })
    }
}

fn in_words(verified: &Verified) -> String {
    let Verified { family, check, verdict, result } = verified;
    let verdict = verdict.word();
    match result {
        Ok(()) => format!("{family}: {check} {verdict}: accepted"),
        Err(refusal) => format!("{family}: {check} {verdict}: refused: {refusal}"),
    }
}
