//! `--model`: a model by its name, or a file with a table of the user's own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use checker::format::table_file;
use checker::spec::table::Table;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error, ValueEnum};

use super::check::ModelArgument;
use super::{CommandError, output, shown};

/// Longest file that is read as a model, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// What `--model` was given.
#[derive(Clone)]
pub(super) enum ModelChoice {
    /// The name of a model.
    Known(ModelArgument),
    /// A file with a table.
    File(PathBuf),
}

/// Reads what `--model` is given.
#[derive(Clone)]
pub(super) struct ModelParser;

impl TypedValueParser for ModelParser {
    type Value = ModelChoice;

    fn parse_ref(&self, command: &Command, _arg: Option<&Arg>, given: &OsStr) -> Result<ModelChoice, Error> {
        let path = Path::new(given);
        if path.extension().is_some_and(|extension| extension == "toml") {
            return Ok(ModelChoice::File(path.to_owned()));
        }
        let name = given.to_string_lossy();
        ModelArgument::from_str(&name, false).map(ModelChoice::Known).map_err(|_| {
            let names: Vec<String> = ModelArgument::value_variants()
                .iter()
                .filter_map(|model| Some(model.to_possible_value()?.get_name().to_owned()))
                .collect();
            let message = format!(
                "--model: found {name:?}, expected one of {}, or FILE.toml, a table of your own",
                names.join(", ")
            );
            command.clone().error(ErrorKind::InvalidValue, message)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let known = ModelArgument::value_variants().iter().filter_map(ModelArgument::to_possible_value);
        let file = PossibleValue::new("FILE.toml").help("A table of your own: docs/your-own-model.md");
        Some(Box::new(known.chain([file])))
    }
}

/// The table in a file; what is odd about it is said beside the results.
pub(super) fn read(path: &Path) -> Result<Table, CommandError> {
    let unreadable = |source| CommandError::Unreadable { path: shown(path), source };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > BYTES_MAX {
        let message =
            format!("{}: found {bytes} bytes, expected a model of at most {BYTES_MAX}", shown(path));
        return Err(CommandError::Usage(message));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let malformed = |source| CommandError::ModelFile { path: shown(path), source };
    let (table, warnings) = table_file::read(&text).map_err(malformed)?;
    for warning in warnings {
        output::say(&format!("{}:{}: warning: {}", shown(path), warning.place, warning.found));
    }
    Ok(table)
}
