//! The example of a model of one's own prints what its guide shows, and is shown as it is.

#[path = "../examples/own_model.rs"]
#[expect(dead_code, reason = "an example has a function that runs it")]
mod own_model;

const PAGE: &str = include_str!("../../docs/your-own-model.md");

/// The lines of each fenced block of that language that has no name.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut lines = PAGE.lines();
    while lines.any(|line| line == fence) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

/// Code without its indentation: the guide shows parts of functions.
fn flush(text: &str) -> String {
    text.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
}

#[test]
fn the_example_finds_what_its_guide_shows() {
    let told = own_model::told().expect("the example tells a history");
    let shown: Vec<String> = blocks("text").iter().map(|block| block.replace('\n', " ")).collect();
    assert!(shown.contains(&told), "the guide does not show: {told}");
}

#[test]
fn the_guide_shows_the_example_as_it_is() {
    let source = flush(include_str!("../examples/own_model.rs"));
    let shown = blocks("rust");
    assert!(shown.len() > 3, "the guide shows {} pieces of code", shown.len());
    for block in shown {
        assert!(source.contains(&flush(&block)), "the guide shows what the example does not have:\n{block}");
    }
}
