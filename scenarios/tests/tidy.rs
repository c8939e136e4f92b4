//! What a machine can check of the house's rules: layers, lengths, the map of files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file.
const LINES_MAX: usize = 500;
/// Longest crate root.
const ROOT_LINES_MAX: usize = 60;

/// What each crate may import of ours.
const LAYERS: [(&str, &[&str]); 5] = [
    ("sim", &[]),
    ("model", &["sim"]),
    ("checker", &[]),
    ("reports", &["sim", "checker"]),
    ("scenarios", &["sim", "model", "checker", "reports"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate lies in the workspace").to_owned()
}

/// Every source file of the workspace, relative to its root, in order.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = LAYERS.iter().map(|(name, _)| root().join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_is_short_enough_to_be_read_at_once() {
    for source in sources() {
        let lines = fs::read_to_string(root().join(&source)).unwrap().lines().count();
        let is_root = source.ends_with("lib.rs");
        let lines_max = if is_root { ROOT_LINES_MAX } else { LINES_MAX };
        assert!(
            lines <= lines_max,
            "{} has {lines} lines, at most {lines_max} are allowed",
            source.display()
        );
    }
}

#[test]
fn crates_import_only_what_lies_below_them() {
    let crates: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in LAYERS {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
        for section in sections.iter().filter_map(|section| manifest.get(*section)) {
            for dependency in section.as_table().unwrap().keys() {
                let is_ours = crates.contains(&dependency.as_str());
                let is_allowed = allowed.contains(&dependency.as_str());
                assert!(!is_ours || is_allowed, "{name} imports {dependency}, which the layers forbid");
            }
        }
    }
}

#[test]
fn the_architecture_names_every_source_file_and_none_that_is_gone() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let name = line.trim_start_matches("| `").split('`').next().unwrap();
        if name.ends_with(".rs") {
            *named.entry(name.to_owned()).or_default() += 1;
        }
    }
    let sources: Vec<String> = sources().iter().map(|source| source.display().to_string()).collect();
    for source in &sources {
        assert_eq!(named.get(source), Some(&1), "ARCHITECTURE.md must name {source} in one row");
    }
    for name in named.keys() {
        assert!(sources.contains(name), "ARCHITECTURE.md names {name}, which is gone");
    }
}

/// Whether cargo finds the file by itself.
fn is_crate_root(source: &Path) -> bool {
    let is_inside = source.components().any(|part| part.as_os_str() == "src");
    let roots: &[&str] = if is_inside { &["bin"] } else { &["tests", "benches", "examples", "fuzz_targets"] };
    ["lib.rs", "main.rs", "build.rs"].iter().any(|name| source.ends_with(name))
        || roots.iter().any(|root| source.parent().unwrap().ends_with(root))
}

/// Whether the parent is where a module in this folder is declared.
fn may_declare(parent: &Path, folder: &Path) -> bool {
    let is_first = is_crate_root(parent) || parent.ends_with("mod.rs");
    (is_first && parent.parent() == Some(folder)) || parent == folder.with_extension("rs")
}

#[test]
fn every_module_is_compiled() {
    let sources = sources();
    for source in sources.iter().filter(|source| !is_crate_root(source)) {
        let module = if source.ends_with("mod.rs") { source.parent().unwrap() } else { source };
        let declaration = format!("mod {};", module.file_stem().unwrap().display());
        let declares = |parent: &&PathBuf| {
            let text = fs::read_to_string(root().join(parent)).unwrap();
            text.lines().any(|line| line == declaration || line.ends_with(&format!(" {declaration}")))
        };
        let parents = sources.iter().filter(|parent| may_declare(parent, module.parent().unwrap()));
        assert!(parents.filter(declares).count() > 0, "nothing declares {}", source.display());
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for source in sources() {
        let text = fs::read_to_string(root().join(&source)).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} does not begin with a sentence on what it is for",
            source.display()
        );
    }
}
