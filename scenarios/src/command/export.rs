//! `export`: writes a history in another format.

use std::path::PathBuf;

use checker::format::{Options, edn_writing, jsonl, porcupine};
use checker::judge::{Family, FamilyKind};
use checker::redact::redacted;
use clap::{Args, ValueEnum};

use super::{CommandError, expect_no_input, histories, output, shown, write_with};

/// Write a history in another format
#[derive(Args)]
pub(crate) struct Export {
    /// A run folder, or a history
    #[arg(value_name = "RUN_DIR|FILE")]
    source: PathBuf,
    /// What to write
    #[arg(long, value_enum)]
    format: Format,
    /// Only the object family of this name
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    /// Replace keys, values and names one to one: the verdict stays the same
    #[arg(long)]
    redact: bool,
    /// Where to
    #[arg(short, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Our own: every family, nothing lost
    Jsonl,
    /// Jepsen's maps: the operations of one family
    JepsenEdn,
    /// Operations with call and return: registers and keys of one family
    PorcupineJson,
}

impl Export {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        expect_no_input(&self.output, &histories::files(std::slice::from_ref(&self.source)))?;
        let contents = histories::read(&self.source, &Options::default())?;
        if !contents.format.has_real_time() {
            let found = format!(
                "{}: has no times (format {}), which every format to write must have",
                shown(&self.source),
                contents.format
            );
            return Err(CommandError::Usage(found));
        }
        let mut families = self.wanted(contents.families)?;
        if self.redact {
            let refused = |error| CommandError::Usage(format!("{}: {error}", shown(&self.source)));
            families = redacted(families).map_err(refused)?;
        }
        match self.format {
            Format::Jsonl => write_with(&self.output, |file| jsonl::write(&families, file))?,
            Format::JepsenEdn => {
                let family = self.with_operations(&families)?;
                write_with(&self.output, |file| edn_writing::write(family, file))?;
            }
            Format::PorcupineJson => {
                let family = self.with_operations(&families)?;
                write_with(&self.output, |file| porcupine::write(family, file))?;
                if let Some(initial) = porcupine::initial_to_give(&family.kind) {
                    output::say(&format!("{}: to be read with --init {initial}", shown(&self.output)));
                }
            }
        }
        Ok(0)
    }

    /// The families that were asked for.
    fn wanted(&self, mut families: Vec<Family>) -> Result<Vec<Family>, CommandError> {
        let Some(name) = &self.family else { return Ok(families) };
        let known = names(families.iter());
        families.retain(|family| family.name == *name);
        if families.is_empty() {
            let found = format!("{}: has no family {name}; expected one of {known}", shown(&self.source));
            return Err(CommandError::Usage(found));
        }
        Ok(families)
    }

    /// The one family that has operations. Others are left out, and that is said.
    fn with_operations<'f>(&self, families: &'f [Family]) -> Result<&'f Family, CommandError> {
        let (operations, records): (Vec<&Family>, Vec<&Family>) =
            families.iter().partition(|family| has_operations(&family.kind));
        let &[family] = &operations[..] else {
            let found = match operations.len() {
                0 => "no operations".to_owned(),
                count => format!(
                    "operations of {count} families; expected --family with one of {}",
                    names(operations)
                ),
            };
            return Err(CommandError::Usage(format!("{}: has {found}", shown(&self.source))));
        };
        if !records.is_empty() {
            output::say(&format!("left out, for they are no operations: {}", names(records)));
        }
        Ok(family)
    }
}

fn names<'f>(families: impl IntoIterator<Item = &'f Family>) -> String {
    let names: Vec<&str> = families.into_iter().map(|family| family.name.as_str()).collect();
    names.join(", ")
}

fn has_operations(kind: &FamilyKind) -> bool {
    match kind {
        FamilyKind::Register { .. }
        | FamilyKind::KeyValue { .. }
        | FamilyKind::Text { .. }
        | FamilyKind::Counter { .. }
        | FamilyKind::Tally { .. }
        | FamilyKind::AppendLog { .. }
        | FamilyKind::Mutex { .. }
        | FamilyKind::MultiRegister { .. }
        | FamilyKind::Revisions { .. }
        | FamilyKind::Capacity { .. }
        | FamilyKind::Kinds { .. }
        | FamilyKind::Table { .. } => true,
        FamilyKind::Switch { .. } | FamilyKind::Log(_) | FamilyKind::Reads(_) | FamilyKind::Records(_) => {
            false
        }
    }
}
