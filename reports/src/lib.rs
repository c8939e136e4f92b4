//! Draws what a run, a soak or a check left behind. It never runs anything and never re-decides a verdict.

pub mod checked;
mod clock_lane;
pub mod comparison;
mod counterexample;
pub mod drawn;
mod fault_bands;
mod fault_extent;
mod frame;
pub mod junit;
mod lanes;
mod latency;
pub mod markdown;
pub mod matrix;
mod meaning;
pub mod names;
pub mod nemesis_bands;
pub mod page;
pub mod run_folder;
mod scale;
mod svg;
pub mod sweep;
mod switch_chart;
pub mod text;
mod timeline;
mod words;
