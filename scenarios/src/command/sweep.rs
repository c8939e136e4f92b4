//! `sweep`: how far a figure of the world can go until each promise breaks.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use model::rules::Defect;
use reports::text;
use scenarios::sweep::{Dial, SweepError, Sweeping};

use super::{CommandError, Seeds, output, parse_mutant};

/// Find how far a figure can go until each promise breaks
///
/// The figure goes in steps of 1, 2, 5, 10 and so on, from where it does no harm; at each step every seed is run. Nothing
/// else goes wrong, unless `--set cell=COLUMN` asks for the faults of a column of the matrix. The exit code is about
/// hardened variants: 1 if a step broke one of their promises.
#[derive(Args)]
pub(crate) struct Sweep {
    /// A name from `list`, or the path of a scenario file
    scenario: String,
    /// What is changed, step by step
    #[arg(long, value_name = "FIGURE", value_parser = dials())]
    over: Dial,
    /// Seeds of each step, A up to but not including B
    #[arg(long, value_name = "A..B")]
    seeds: Seeds,
    /// Compare the hardened variant with this defect in it (see `mutants`), not with the naive one
    #[arg(long, value_name = "NAME", value_parser = parse_mutant)]
    mutant: Option<Defect>,
    /// Change one value of the scenario throughout, as in shape.slots=10
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Runs at the same time; the answers do not depend on it
    #[arg(long, value_name = "J", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// Print an object for each variant and promise
    #[arg(long)]
    json: bool,
}

/// The names of what can be swept, each with its meaning.
fn dials() -> impl TypedValueParser<Value = Dial> {
    let shown = |dial: Dial| PossibleValue::new(dial.name()).help(dial.meaning());
    let named = |name: &String| Dial::ALL.into_iter().find(|dial| dial.name() == name);
    PossibleValuesParser::new(Dial::ALL.map(shown)).map(move |name| named(&name).expect("it is one of these"))
}

impl Sweep {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let sweeping = Sweeping {
            name: self.scenario.clone(),
            settings: self.settings.clone(),
            over: self.over,
            defect: self.mutant,
            seeds: self.seeds.0.clone(),
            jobs: usize::from(self.jobs),
        };
        let mut progress = output::Progress::new("steps", sweeping.steps()?.len());
        let sweep = sweeping.run(|is_violated| progress.tick(is_violated))?;
        if self.json {
            for line in sweep.json_lines() {
                output::print(&line)?;
            }
        } else {
            output::print(&text::sweep(&sweep))?;
        }
        Ok(sweep.worst().exit_code())
    }
}

impl From<SweepError> for CommandError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Scenario(error) => Self::Scenario(error),
            SweepError::Soak(error) => Self::Soak(error),
            SweepError::Lacks { .. } => Self::Usage(error.to_string()),
        }
    }
}
