//! What leaves this crate, whole: folders, pages and texts of a sample such as a real run.

mod located;
mod pages;
mod run_folders;
mod sample;
mod texts;
