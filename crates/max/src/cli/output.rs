//! How commands speak: data to stdout, talk to stderr, colour only for people, and nothing from outside reaches a
//! terminal as a control sequence.

use std::io::{IsTerminal, Write};

use serde_json::{Value, json};

use crate::exit::Failure;

/// Where words go and how they look.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether the answer is for a program.
    pub json: bool,
    color_out: bool,
    color_err: bool,
    terminal: bool,
}

/// How a word looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Important.
    Bold,
    /// Less important.
    Dim,
    /// Good.
    Green,
    /// Waits for somebody.
    Yellow,
    /// Bad.
    Red,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Green => "32",
            Style::Yellow => "33",
            Style::Red => "31",
        }
    }
}

impl Output {
    pub(super) fn new(json: bool, no_color: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self {
            json,
            color_out: terminal && !no_color && !json,
            color_err: std::io::stderr().is_terminal() && !no_color,
            terminal,
        }
    }

    /// Whether a person looks at stdout.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Data, a line or more.
    pub fn print(&self, text: &str) {
        // A reader that has seen enough (`| head`) is no error.
        drop(writeln!(std::io::stdout(), "{text}"));
    }

    /// Data for programs.
    pub fn print_json(&self, value: &Value) {
        self.print(&serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// Talk.
    pub fn say(&self, text: &str) {
        drop(writeln!(std::io::stderr(), "{text}"));
    }

    /// What went wrong and what to do; as JSON too when a program listens.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            self.print_json(&json!({
                "error": failure.message, "hint": failure.hint, "exit_code": failure.exit.code(),
            }));
        }
        let label = if self.color_err { "\u{1b}[1;31merror:\u{1b}[0m" } else { "error:" };
        self.say(&format!("{label} {}", lines(&failure.to_string())));
    }

    /// A word with a look.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.color_out { format!("\u{1b}[{}m{text}\u{1b}[0m", style.code()) } else { text.to_owned() }
    }

    /// Rows under a heading.
    pub fn table(&self, heading: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect()).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(heading[column].chars().count())
        };
        let widths: Vec<usize> = (0..heading.len()).map(width).collect();
        let heading: Vec<String> = heading.iter().map(|name| (*name).to_owned()).collect();
        self.print(&self.paint(Style::Dim, &row_text(&heading, &widths)));
        for row in &rows {
            self.print(&row_text(row, &widths));
        }
    }
}

fn row_text(cells: &[String], widths: &[usize]) -> String {
    let mut out = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        out.push_str(cell);
        let gap = width + 2 - cell.chars().count();
        out.push_str(&" ".repeat(gap));
    }
    out.trim_end().to_owned()
}

/// A text from outside as one line that a terminal only shows: control characters become visible.
pub fn line(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { visible(c) }).collect()
}

/// A text from outside with its lines.
pub fn lines(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\n' {
                c
            } else if c == '\t' {
                ' '
            } else {
                visible(c)
            }
        })
        .collect()
}

/// Control characters, and those that turn the direction of writing, as a sign for them.
fn visible(c: char) -> char {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { '\u{fffd}' } else { c }
}

/// At most `most` characters, with an ellipsis where something is missing.
pub fn short(text: &str, most: usize) -> String {
    let text = line(text);
    if text.chars().count() <= most {
        return text;
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// A text with every line moved in.
pub fn indent(text: &str, by: usize) -> String {
    let space = " ".repeat(by);
    lines(text).lines().map(|line| format!("{space}{line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_steers_the_terminal() {
        assert_eq!(line("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb c\u{fffd}d");
        assert_eq!(lines("a\r\nb"), "a\u{fffd}\nb");
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(indent("a\n\nb", 2), "  a\n\n  b");
    }
}
