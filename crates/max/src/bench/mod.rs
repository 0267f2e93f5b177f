//! `max bench`: what MAX does in a second, beside what the machine can do. Every figure comes from one run.

pub mod documents;
pub mod floor;
pub mod load;
pub mod pipeline;
pub mod stats;
pub mod workload;

use serde::Serialize;

use stats::Figure;

/// The figures of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was run.
    pub name: &'static str,
    /// The version of MAX.
    pub version: &'static str,
    /// Processors.
    pub cores: usize,
    /// The figures in the order in which they were measured.
    pub figures: Vec<Figure>,
}

impl Report {
    /// The report as a table for people.
    pub fn table(&self) -> String {
        let mut text = format!("{} on {} cores, MAX {}\n\n", self.name, self.cores, self.version);
        let width = self.figures.iter().map(|f| f.name.chars().count()).max().unwrap_or(0);
        for figure in &self.figures {
            let target = match figure.target {
                Some(stats::Target::AtLeast(least)) => format!("target >= {}", number(least)),
                Some(stats::Target::AtMost(most)) => format!("target <= {}", number(most)),
                None => String::new(),
            };
            let verdict = match figure.met() {
                Some(true) => "met",
                Some(false) => "NOT MET",
                None => "",
            };
            let latency = match (figure.p50_ms, figure.p99_ms) {
                (Some(p50), Some(p99)) => format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
                _ => String::new(),
            };
            let pad = " ".repeat(width - figure.name.chars().count());
            let value = format!("{} {}", number(figure.value), figure.unit);
            let line =
                format!("{}{pad}  {value:>14}  {target:<18} {verdict:<8} {latency} {}", figure.name, figure.note);
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Thousands for large numbers, decimals for small ones.
fn number(value: f64) -> String {
    match value {
        v if v >= 100.0 => {
            let digits = format!("{v:.0}");
            let mut grouped = String::new();
            for (i, digit) in digits.chars().enumerate() {
                if i > 0 && (digits.len() - i) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            grouped
        }
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_readable() {
        assert_eq!(super::number(1_234_567.4), "1,234,567");
        assert_eq!(super::number(100.0), "100");
        assert_eq!(super::number(12.34), "12.3");
        assert_eq!(super::number(0.126), "0.13");
    }
}
