//! Writes the table and the picture.

use std::fmt::Write as _;
use std::path::Path;

/// A line of the table.
pub struct Row {
    what: String,
    floor: String,
    ours: String,
    result: String,
    target: Option<Target>,
}

struct Target {
    words: &'static str,
    used: f64,
}

impl Row {
    /// A figure without a target.
    pub fn new(what: impl Into<String>, floor: impl Into<String>, ours: impl Into<String>) -> Self {
        Self { what: what.into(), floor: floor.into(), ours: ours.into(), result: String::new(), target: None }
    }

    /// What floor and figure come to.
    pub fn result(self, result: impl Into<String>) -> Self {
        Self { result: result.into(), ..self }
    }

    /// The target in words, and which share of it is used: up to one it is met.
    pub fn target(self, words: &'static str, used: f64) -> Self {
        Self { target: Some(Target { words, used }), ..self }
    }
}

/// The table, in Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut text = "| what | floor | ours | comes to | target | met |\n|---|---|---|---|---|---|\n".to_owned();
    for Row { what, floor, ours, result, target } in rows {
        let (words, met) = target.as_ref().map_or(("", ""), |target| (target.words, met(target)));
        let _ = writeln!(text, "| {what} | {floor} | {ours} | {result} | {words} | {met} |");
    }
    text
}

fn met(target: &Target) -> &'static str {
    if target.used <= 1.0 { "yes" } else { "**no**" }
}

/// The table in Markdown and the picture, side by side.
pub fn write(directory: &Path, name: &str, heading: &str, rows: &[Row]) {
    std::fs::create_dir_all(directory).unwrap();
    std::fs::write(directory.join(format!("{name}.md")), format!("{heading}\n\n{}", table(rows))).unwrap();
    std::fs::write(directory.join(format!("{name}.svg")), picture(rows)).unwrap();
}

const ROW: usize = 24;
const WORDS: usize = 380;
const WHOLE: f64 = 320.0;
/// How far beyond its target a bar is drawn.
const MOST: f64 = 1.6;

/// A bar for each target: how much of it is used.
fn picture(rows: &[Row]) -> String {
    let aims: Vec<(&str, f64)> =
        rows.iter().filter_map(|row| Some((row.what.as_str(), row.target.as_ref()?.used))).collect();
    let (width, height) = (WORDS as f64 + WHOLE * MOST + 60.0, (aims.len() + 2) * ROW);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (place, (what, used)) in aims.iter().enumerate() {
        let (top, colour) = ((place + 1) * ROW, if *used <= 1.0 { "#2a7" } else { "#c43" });
        let (bar, middle) = (used.clamp(0.004, MOST) * WHOLE, top + ROW / 2 + 2);
        let (end, words, thick) = (WORDS as f64 + bar + 6.0, WORDS - 10, ROW - 8);
        let _ = writeln!(
            svg,
            "<text x=\"{words}\" y=\"{middle}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{WORDS}\" y=\"{top}\" width=\"{bar:.0}\" height=\"{thick}\" fill=\"{colour}\"/>\
             <text x=\"{end:.0}\" y=\"{middle}\">{:.0} %</text>",
            plain(what),
            used * 100.0
        );
    }
    let line = WORDS as f64 + WHOLE;
    let _ = writeln!(
        svg,
        "<line x1=\"{line}\" y1=\"{}\" x2=\"{line}\" y2=\"{height}\" stroke=\"#444\" stroke-dasharray=\"4 3\"/>\
         <text x=\"{line}\" y=\"{}\" text-anchor=\"middle\">target</text>\n</svg>",
        ROW - 4,
        ROW - 8
    );
    svg
}

fn plain(text: &str) -> String {
    text.replace('`', "").replace('&', "&amp;").replace('<', "&lt;")
}
