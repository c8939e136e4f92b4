//! `list`: the scenarios that come with the command.

use clap::Args;
use scenarios::{catalog, scenario};
use serde_json::json;

use super::{CommandError, output};

/// List the scenarios
#[derive(Args)]
pub(crate) struct List {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        for name in catalog::names() {
            let scenario = scenario::load(name, &[])?;
            if self.json {
                let line = json!({
                    "name": scenario.name,
                    "system": scenario.system.name(),
                    "variants": ["hardened", "naive"],
                    "checks": scenario.checks,
                    "summary": scenario.summary,
                });
                output::print(&line.to_string())?;
            } else {
                output::print(&format!("{name}  ({})", scenario.system.name()))?;
                output::print(&reports::text::wrapped(&scenario.summary, 4))?;
            }
        }
        Ok(0)
    }
}
