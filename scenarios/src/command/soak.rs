//! `soak`: many seeds.

use std::path::{Path, PathBuf};

use clap::Args;
use reports::run_folder::{self, Outcome, RunVerdict, SoakSummary};
use scenarios::folder::folder;
use scenarios::plan::{Build, VERSION};
use scenarios::soak::{self, Part};
use scenarios::{runner, scenario};
use serde_json::{Value, json};

use super::{BuildArguments, CommandError, Seeds, load_all, output, shown, write_file};

/// Run many seeds, and keep the first violations
#[derive(Args)]
pub(crate) struct Soak {
    /// Names from `list`, or paths of scenario files; all of them if none is given
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// A up to but not including B
    #[arg(long, value_name = "A..B")]
    seeds: Seeds,
    #[command(flatten)]
    build: BuildArguments,
    /// Change one value of each scenario, as `run` does
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Runs at the same time; the answers do not depend on it
    #[arg(long, value_name = "J", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// Hand out no more seeds after this long, as in 90s, 10m, 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    time_limit_ns: Option<u64>,
    /// Stop after the K-th violation in seed order
    #[arg(long, value_name = "K", conflicts_with = "time_limit_ns", value_parser = clap::value_parser!(u32).range(1..))]
    stop_after: Option<u32>,
    /// Keep verdicts, summary and the first violations' run folders here, from time to time and in the end;
    /// the same folder again resumes
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print each verdict as a JSON object, then the summary
    #[arg(long)]
    json: bool,
}

impl Soak {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let known = self.out.as_deref().map_or(Ok(Vec::new()), |dir| self.resume(dir))?;
        let known_count = known.len() as u64;
        let soak = self.prepare(known)?;
        self.expect_in_order(&soak)?;
        let mut progress = output::Progress::new("runs", soak.count());
        let summary_of = |part: &Part<'_>| {
            let count = part.verdicts.len() as u64;
            part.summary(self.arguments(), count - known_count.min(count))
        };
        if let Some(dir) = &self.out {
            // A folder that takes nothing is an error before the first run, not after the last one.
            let part = Part { verdicts: soak.known.iter().collect(), violations: Vec::new(), wall_ns: 0 };
            write(dir, &part, &summary_of(&part))?;
        }
        let keep = |part: &Part<'_>| {
            if let Some(dir) = &self.out {
                // What cannot be kept now is tried again at the end, and an error then.
                let _ = write(dir, part, &summary_of(part));
            }
        };
        let soaked = soak.run_keeping(|verdict| progress.tick(verdict.verdict == Outcome::Violated), keep)?;
        let summary = summary_of(&soaked.part());
        if let Some(dir) = &self.out {
            write(dir, &soaked.part(), &summary)?;
        }
        if self.json {
            for verdict in &soaked.verdicts {
                output::print(&verdict.soak_line())?;
            }
            output::print(&summary.json())?;
        } else {
            output::print(&reports::text::soak(&summary))?;
        }
        Ok(Outcome::worst(soaked.verdicts.iter().map(|verdict| verdict.verdict)).exit_code())
    }

    fn prepare(&self, known: Vec<RunVerdict>) -> Result<soak::Soak, CommandError> {
        let takes_all = self.scenarios.is_empty();
        let Build { defect, substrate, .. } = self.build.build();
        let mut scenarios = load_all(&self.scenarios, &self.settings, |scenario| {
            scenario::accept_settings(scenario, &self.settings, substrate)?;
            match scenario::accept_defect(scenario, defect) {
                Err(_) if takes_all => Ok(false),
                accepted => Ok(accepted.map(|()| true)?),
            }
        })?;
        scenarios.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        Ok(soak::Soak {
            scenarios,
            seeds: self.seeds.0.clone(),
            build: self.build.build(),
            plan: runner::plan_for,
            jobs: usize::from(self.jobs),
            stop_after: self.stop_after.map(|count| count as usize),
            time_limit_ns: self.time_limit_ns,
            known,
        })
    }

    /// What tells this soak from others; a folder of another soak is not resumed.
    fn arguments(&self) -> Value {
        let build = self.build.build();
        json!({
            "scenarios": self.scenarios,
            "settings": self.settings,
            "seeds": [self.seeds.0.start, self.seeds.0.end],
            "variant": build.variant,
            "mutant": build.defect,
            "substrate": build.substrate,
            "stop_after": self.stop_after,
        })
    }

    /// The verdicts of an earlier, unfinished soak in the same folder.
    fn resume(&self, dir: &Path) -> Result<Vec<RunVerdict>, CommandError> {
        let summary = dir.join(run_folder::SUMMARY);
        if !dir.exists() || has_begun_only(dir) {
            return Ok(Vec::new());
        }
        let before = SoakSummary::read(&summary)?;
        if before.version != VERSION || before.arguments != self.arguments() {
            return Err(CommandError::Usage(format!(
                "{}: holds another soak (version {}, {}); expected an empty folder, or the same arguments ({})",
                shown(dir),
                before.version,
                before.arguments,
                self.arguments()
            )));
        }
        Ok(run_folder::read_verdicts(&dir.join(run_folder::VERDICTS))?)
    }

    /// The verdicts of the earlier soak must be those of the first runs, one after the other.
    fn expect_in_order(&self, soak: &soak::Soak) -> Result<(), CommandError> {
        let Some(dir) = &self.out else { return Ok(()) };
        for (index, found) in soak.known.iter().enumerate() {
            let expected = soak.run_at(index).map(|((scenario, _), seed)| (scenario.name.as_str(), seed));
            if expected != Some((found.scenario.as_str(), found.seed)) {
                let expected = expected
                    .map_or_else(|| "the end".to_owned(), |(name, seed)| format!("{name}, seed {seed}"));
                return Err(CommandError::Usage(format!(
                    "{}:{}: found {}, seed {}; expected {expected}: cut the file off before that line, or give an empty folder",
                    shown(&dir.join(run_folder::VERDICTS)),
                    index + 1,
                    found.scenario,
                    found.seed
                )));
            }
        }
        Ok(())
    }
}

/// Whether a folder has no more than a soak has made that was killed before it kept anything.
fn has_begun_only(dir: &Path) -> bool {
    let has_nothing = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0)
            || std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
    };
    let is_begun = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_ours = name.contains(run_folder::RUNS) || name.contains(run_folder::VERDICTS);
        is_ours && has_nothing(path) || name.contains(run_folder::SUMMARY) && name != run_folder::SUMMARY
    };
    std::fs::read_dir(dir).is_ok_and(|entries| entries.flatten().all(|entry| is_begun(&entry.path())))
}

fn write(dir: &Path, part: &Part<'_>, summary: &SoakSummary) -> Result<(), CommandError> {
    let unwritable = |source| CommandError::Unwritable { path: shown(dir), source };
    std::fs::create_dir_all(dir.join(run_folder::RUNS)).map_err(unwritable)?;
    for run in &part.violations {
        folder(run).write(&dir.join(run_folder::RUNS).join(soak::run_name(&run.verdict)))?;
    }
    let lines: String = part.verdicts.iter().map(|verdict| verdict.soak_line() + "\n").collect();
    write_file(&dir.join(run_folder::VERDICTS), &lines)?;
    Ok(summary.write(dir)?)
}

fn parse_duration(text: &str) -> Result<u64, String> {
    let expected = || format!("expected a whole number of s, m or h, as in 90s, found `{text}`");
    let unit = text.chars().last().ok_or_else(expected)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return Err(expected()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| expected())?;
    let ns = number.checked_mul(seconds).and_then(|seconds| seconds.checked_mul(1_000_000_000));
    ns.filter(|ns| *ns > 0).ok_or_else(expected)
}
