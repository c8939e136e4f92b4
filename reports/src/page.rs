//! One page, in one file that needs nothing from elsewhere: a run, a soak, judged files, or clocks.
//!
//! ```text
//!   RunFolder ──► geometry ──► SVG ──┐
//!       └──► words and tables ───────┴──► templates/run.html ──► templates/page.html (style inlined)
//! ```
//!
//! The first screen answers: did it hold, what broke, how is it replayed. Everything else can be read without
//! scripts, on a narrow screen, in the dark, and without seeing colours.

mod checks;
mod clocks;
mod finding;
mod matrix;
mod ornament;
mod run;
mod soak;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

pub use checks::checks;
pub use clocks::clocks;
pub use matrix::matrix;
pub use run::run;
pub use soak::soak;

use crate::run_folder::Outcome;

/// A name and its value among the facts of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

/// What stands above and around the body of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Head {
    title: String,
    kicker: String,
    outcome: Outcome,
    headline: String,
    /// What the lede is about, where that has a name.
    subject: Option<String>,
    lede: String,
    command: Option<String>,
    facts: Vec<Fact>,
    footer: String,
}

/// A page around a body that is already HTML.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    head: &'a Head,
    glyph: String,
    style: &'static str,
    body: &'a str,
}

/// The page with this head and body.
fn page(head: &Head, body: &str) -> String {
    let style = include_str!("../templates/style.css");
    let glyph = ornament::glyph(head.outcome);
    render(include_str!("../templates/page.html"), Whole { head, glyph, style, body })
}

/// Fills a template; everything is escaped that the template does not call safe.
fn render(template: &'static str, context: impl Serialize) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let rendered = environment.render_str(template, Value::from(Serde(context)));
    rendered.expect("the templates are ours, and tests fill each of them")
}
