//! Reading scenario files, and setting single values in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use checker::judge::CHECK_NAMES;
use model::rules::Defect;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sim::clock_profile::ClockProfile;
use sim::disk_profile::DiskProfile;
use sim::network_profile::NetworkProfile;
use sim::substrate::Substrate;

use crate::catalog;
use crate::grammar::column::{Column, UnknownColumn};
use crate::grammar::validity::{Ground, NemesisError};
use crate::scenario::Scenario;
use crate::systems;

/// Why a scenario cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No such scenario.
    #[error("there is no scenario `{name}`: expected one of {known}, or the path of a scenario file")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no scenario.
    #[error("{path}:{line}:{column}: {found}")]
    Malformed {
        /// Which file.
        path: String,
        /// Where, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
        /// What stands there, and what was expected.
        found: String,
    },
    /// A `--set` is not of the form `KEY=VALUE`, or its key leads nowhere.
    #[error("--set {setting}: {found}")]
    Setting {
        /// The argument.
        setting: String,
        /// What is wrong.
        found: String,
    },
    /// The system cannot be built with that defect.
    #[error("--mutant {defect}: {scenario} has no such decision; {system} can be built with {known}")]
    Mutant {
        /// The argument.
        defect: Defect,
        /// Of which scenario.
        scenario: String,
        /// Its system.
        system: &'static str,
        /// What there is.
        known: String,
    },
    /// A kind of faults that can do nothing, or has figures out of range.
    #[error("{path}:{line}:{column}: `faults[{index}].{key}`: {error}", key = .error.key())]
    Fault {
        /// Which file.
        path: String,
        /// Where, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
        /// Which of the faults, from 0.
        index: usize,
        /// What is wrong.
        error: NemesisError,
    },
    /// Two values do not go together.
    #[error("{path}: {found}")]
    Inconsistent {
        /// Which file.
        path: String,
        /// What is wrong and what was expected.
        found: String,
    },
}

impl ScenarioError {
    /// What is wrong, without the place.
    fn found(&self) -> String {
        match self {
            Self::Malformed { found, .. } => found.clone(),
            other => other.to_string(),
        }
    }
}

/// The scenario of that name or path, with `settings` of the form `KEY=VALUE` applied, as in `shape.slots=10`.
///
/// # Errors
/// If there is no such scenario, or it is malformed: names the file, the place and what was expected.
///
/// `cell=COLUMN` sets the faults and the timing that the cells of that column of a matrix have; `config`, `counter` and
/// `log` are short for the keys of `[shape]` that choose a part.
pub fn load(name: &str, settings: &[String]) -> Result<Scenario, ScenarioError> {
    let (path, text) = find(name)?;
    let (cells, settings): (Vec<_>, Vec<_>) =
        settings.iter().cloned().partition(|setting| setting.starts_with(CELL));
    let scenario = if settings.is_empty() {
        let scenario = read(&path, &text)?;
        check_faults(&path, &text, &scenario)?;
        scenario
    } else {
        let mut table = toml::from_str(&text).map_err(|error| malformed(&path, &text, &error))?;
        for setting in &settings {
            set(&mut table, setting)?;
        }
        let text = table.to_string();
        read(&path, &text).map_err(|error| ScenarioError::Setting {
            setting: settings.join(" --set "),
            found: error.found(),
        })?
    };
    check_consistency(&path, &scenario)?;
    let Some(setting) = cells.last() else { return Ok(scenario) };
    let cell = cell(&scenario, setting)?;
    check_consistency(&path, &cell)?;
    Ok(cell)
}

/// What a setting begins with that asks for a cell of the matrix.
const CELL: &str = "cell=";

/// The scenario as in the cells of a column.
fn cell(scenario: &Scenario, setting: &str) -> Result<Scenario, ScenarioError> {
    let wrong = |found: String| ScenarioError::Setting { setting: setting.to_owned(), found };
    let column: Column =
        setting[CELL.len()..].parse().map_err(|error: UnknownColumn| wrong(error.to_string()))?;
    let declares_none =
        || format!("`{}` declares no faults of this column: {}", scenario.name, column.meaning());
    scenario.for_cell(column).ok_or_else(|| wrong(declares_none()))
}

/// The scenario in the text of a file, by the system that it names.
fn read(path: &str, text: &str) -> Result<Scenario, ScenarioError> {
    #[derive(serde::Deserialize)]
    struct Head {
        system: toml::Spanned<String>,
    }
    let head: Head = toml::from_str(text).map_err(|error| malformed(path, text, &error))?;
    let system = systems::find(head.system.get_ref()).ok_or_else(|| {
        let (line, column) = place(text, head.system.span().start);
        let known = systems::ALL.iter().map(|system| system.name()).collect::<Vec<_>>().join("`, `");
        let found = format!("unknown system `{}`, expected one of `{known}`", head.system.get_ref());
        ScenarioError::Malformed { path: path.to_owned(), line, column, found }
    })?;
    system.read(text).map_err(|error| malformed(path, text, &error))
}

/// Whether each kind of faults can do something, by its place in the file.
fn check_faults(path: &str, text: &str, scenario: &Scenario) -> Result<(), ScenarioError> {
    let Some((index, error)) = first_wrong_fault(scenario) else { return Ok(()) };
    let (line, column) = place(text, fault_offset(text, index, error.key()));
    Err(ScenarioError::Fault { path: path.to_owned(), line, column, index, error })
}

fn first_wrong_fault(scenario: &Scenario) -> Option<(usize, NemesisError)> {
    let ground = Ground::from(scenario);
    let validated = scenario.faults.iter().map(|nemesis| nemesis.validate(&ground));
    validated.enumerate().find_map(|(index, result)| Some((index, result.err()?)))
}

/// Where a key of a kind of faults stands in the file, or all of it if the key is not given.
fn fault_offset(text: &str, index: usize, key: &str) -> usize {
    #[derive(serde::Deserialize)]
    struct Places {
        faults: Vec<toml::Spanned<BTreeMap<String, toml::Spanned<toml::Value>>>>,
    }
    let places: Result<Places, _> = toml::from_str(text);
    let found = places.ok().and_then(|places| {
        let table = places.faults.get(index)?;
        Some(table.get_ref().get(key).map_or(table.span(), toml::Spanned::span))
    });
    found.map_or(0, |span| span.start)
}

/// Line and column of a place in a text, from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1)
}

/// Whether the system of `scenario` can be built with that defect.
///
/// # Errors
/// Names the defects that it can be built with.
pub fn accept_defect(scenario: &Scenario, defect: Option<Defect>) -> Result<(), ScenarioError> {
    let defects = scenario.system.defects();
    let Some(defect) = defect.filter(|defect| !defects.contains(defect)) else { return Ok(()) };
    let names: Vec<_> = defects.iter().map(ToString::to_string).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let system = scenario.system.name();
    Err(ScenarioError::Mutant { defect, scenario: scenario.name.clone(), system, known })
}

/// Whether a substrate can do what `settings` have asked of `scenario`. What the scenario itself has beyond that is
/// left out in silence there, and named in the plan.
///
/// # Errors
/// Names the first setting that asks for what the substrate lacks, and why it does.
pub fn accept_settings(
    scenario: &Scenario,
    settings: &[String],
    substrate: Substrate,
) -> Result<(), ScenarioError> {
    for setting in settings {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        let found = match key {
            "faults" => lacking_fault(scenario, substrate),
            _ => lacking_figure(scenario, (key, value), substrate),
        };
        if let Some(found) = found {
            return Err(ScenarioError::Setting { setting: setting.clone(), found });
        }
    }
    Ok(())
}

/// The first fault of a scenario that a substrate cannot express, in words.
fn lacking_fault(scenario: &Scenario, substrate: Substrate) -> Option<String> {
    scenario.faults.iter().zip(0..).find_map(|(nemesis, index)| {
        let families = nemesis.kind.families().iter();
        let (family, reason) =
            families.copied().find_map(|family| Some((family, substrate.lacks(family)?)))?;
        Some(format!("`faults[{index}]` is {family}: {substrate} cannot do this: {reason}"))
    })
}

/// The figure of the network that a setting gives and a substrate leaves out, in words.
fn lacking_figure(scenario: &Scenario, (key, value): (&str, &str), substrate: Substrate) -> Option<String> {
    let is_set =
        |name: &&str| key == format!("network.{name}") || (key == "network" && value.contains(*name));
    let name = substrate.left_out_of(&scenario.network).into_iter().find(is_set)?;
    Some(format!("{substrate} cannot do this: `{name}` is not in its network"))
}

fn find(name: &str) -> Result<(String, String), ScenarioError> {
    if let Some(text) = catalog::text(name) {
        return Ok((format!("{name}.toml"), text.to_owned()));
    }
    let looks_like_a_path = name.contains(['/', '\\']) || Path::new(name).extension().is_some();
    if !looks_like_a_path {
        let known = catalog::names().collect::<Vec<_>>().join(", ");
        return Err(ScenarioError::Unknown { name: name.to_owned(), known });
    }
    let unreadable = |source| ScenarioError::Unreadable { path: name.to_owned(), source };
    Ok((name.to_owned(), fs::read_to_string(name).map_err(unreadable)?))
}

fn malformed(path: &str, text: &str, error: &toml::de::Error) -> ScenarioError {
    let (line, column) = place(text, error.span().map_or(0, |span| span.start));
    let found = error.message().lines().collect::<Vec<_>>().join(" ");
    ScenarioError::Malformed { path: path.to_owned(), line, column, found }
}

/// Keys that name a part of a system, and stand for those of `[shape]`.
const PARTS: [&str; 3] = ["config", "counter", "log"];

/// Puts the figures of a named profile in the place of its name, where `key` is one of them.
fn spell_out(table: &mut toml::Table, key: &str) {
    let Some((name, _)) = key.split_once('.') else { return };
    let Some(value) = table.get_mut(name).filter(|value| value.is_str()) else { return };
    let figures = match name {
        "clock" => figures_of::<ClockProfile>(value),
        "network" => figures_of::<NetworkProfile>(value),
        "disk" => figures_of::<DiskProfile>(value),
        _ => None,
    };
    if let Some(figures) = figures {
        *value = figures;
    }
}

/// The figures of the profile of that name, if there is one.
fn figures_of<P: DeserializeOwned + Serialize>(name: &toml::Value) -> Option<toml::Value> {
    let profile: P = name.clone().try_into().ok()?;
    toml::Value::try_from(profile).ok()
}

fn set(table: &mut toml::Table, setting: &str) -> Result<(), ScenarioError> {
    let wrong = |found: String| ScenarioError::Setting { setting: setting.to_owned(), found };
    let (key, value) = setting
        .split_once('=')
        .ok_or_else(|| wrong("expected KEY=VALUE, as in shape.slots=10".to_owned()))?;
    let long = PARTS.contains(&key).then(|| format!("shape.{key}"));
    let key = long.as_deref().unwrap_or(key);
    let parsed: toml::Table = toml::from_str(&format!("value = {value}"))
        .or_else(|_| toml::from_str(&format!("value = {}", toml::Value::from(value))))
        .map_err(|error| wrong(error.message().to_owned()))?;
    spell_out(table, key);
    let mut place = table;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            place.insert(part.to_owned(), parsed["value"].clone());
            break;
        }
        place = match place.get_mut(part) {
            Some(toml::Value::Table(inner)) => inner,
            _ => return Err(wrong(format!("there is no table `{part}` in the scenario"))),
        };
    }
    Ok(())
}

/// Relations that no single value shows.
pub(crate) fn check_consistency(path: &str, scenario: &Scenario) -> Result<(), ScenarioError> {
    let wrong = |found: String| Err(ScenarioError::Inconsistent { path: path.to_owned(), found });
    let is_safe = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let name = &scenario.name;
    if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(is_safe) {
        return wrong(format!(
            "`name` is `{name}`: expected 1 to 64 of a-z, A-Z, 0-9, - _ and ., to name a folder"
        ));
    }
    if let Some(unknown) = scenario.checks.iter().find(|check| !CHECK_NAMES.contains(&check.as_str())) {
        return wrong(format!("`checks` names `{unknown}`: expected some of {}", CHECK_NAMES.join(", ")));
    }
    if scenario.checks.is_empty() {
        return wrong("`checks` is empty: a run that promises nothing shows nothing".to_owned());
    }
    if let Err(found) = scenario.system.check() {
        return wrong(found);
    }
    if let Some((index, error)) = first_wrong_fault(scenario) {
        return wrong(format!("`faults[{index}].{}`: {error}", error.key()));
    }
    let profile = |error: String| ScenarioError::Inconsistent { path: path.to_owned(), found: error };
    scenario.clock.validate().map_err(|error| profile(format!("`clock`: {error}")))?;
    scenario.network.validate().map_err(|error| profile(format!("`network`: {error}")))?;
    scenario.disk.validate().map_err(|error| profile(format!("`disk`: {error}")))?;
    Ok(())
}
