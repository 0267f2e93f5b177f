//! Where an answer ends and the mail it quotes begins.

/// Splits a text into what was written and the quoted history below it. Answers between quoted lines stay whole:
/// there the quotes are needed to understand them.
pub(super) fn split(text: &str) -> (String, Option<String>) {
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = (0..lines.len()).find(|&at| begins_history(&lines, at)) else { return (text.trim().into(), None) };
    let written = lines[..at].join("\n").trim().to_owned();
    if written.is_empty() {
        return (text.trim().into(), None);
    }
    (written, Some(lines[at..].join("\n").trim().to_owned()))
}

fn begins_history(lines: &[&str], at: usize) -> bool {
    let rest = &lines[at..];
    let line = rest[0].trim();
    if is_divider(line) || is_header_block(rest) {
        return true;
    }
    let quoted_to_the_end =
        |rest: &[&str]| rest.iter().any(|l| is_quote(l)) && rest.iter().all(|l| is_quote(l) || l.trim().is_empty());
    if is_quote(line) {
        return quoted_to_the_end(rest);
    }
    // Programs wrap the line that names the author, so two lines are looked at together.
    let pair = rest.get(1).map(|next| format!("{line} {}", next.trim()));
    if is_attribution(line) {
        // A reply written in HTML loses its quote marks; then everything below is the quote.
        return quoted_to_the_end(&rest[1..]) || !rest[1..].iter().any(|l| is_quote(l));
    }
    pair.is_some_and(|pair| is_attribution(&pair)) && !is_attribution(rest[1].trim()) && quoted_to_the_end(&rest[2..])
}

fn is_quote(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// `On Monday, … wrote:` and its sisters.
fn is_attribution(line: &str) -> bool {
    let line = line.to_lowercase();
    let pairs = [("on ", "wrote:"), ("am ", ":"), ("le ", "a écrit :"), ("el ", "escribió:")];
    line.len() < 300
        && line.contains(|c: char| c.is_ascii_digit())
        && pairs.iter().any(|(first, last)| line.starts_with(first) && line.ends_with(last))
        && (!line.starts_with("am ") || line.contains(" schrieb"))
}

fn is_divider(line: &str) -> bool {
    let words = line.trim_matches(['-', '_', ' ']).to_lowercase();
    let ruled = line.starts_with("--") && line.ends_with("--");
    ruled
        && [
            "original message",
            "ursprüngliche nachricht",
            "original-nachricht",
            "originalnachricht",
            "forwarded message",
            "weitergeleitete nachricht",
        ]
        .contains(&words.as_str())
}

/// The headers of the quoted mail in plain text, as Outlook writes them.
fn is_header_block(lines: &[&str]) -> bool {
    let starts = |line: &str, names: &[&str]| {
        let line = line.trim().trim_start_matches('*').to_lowercase();
        names.iter().any(|name| line.starts_with(name))
    };
    let block = &lines[..lines.len().min(6)];
    starts(block[0], &["from:", "von:"])
        && block.iter().any(|line| starts(line, &["sent:", "date:", "gesendet:", "datum:"]))
        && block.iter().any(|line| starts(line, &["subject:", "betreff:"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_history_is_set_apart() {
        for (text, written) in [
            ("Yes please.\n\nOn Mon, 2 Nov 2026, MAX wrote:\n> Shall we?\n> Best", "Yes please."),
            ("Gern.\n\nAm 02.11.26 um 10:00 schrieb Mike:\n> Passt das?\n", "Gern."),
            (
                "Yes.\n\nOn Monday, 2 November 2026 at 10:00, a very long name\n<mike@agency.example> wrote:\n> Hi",
                "Yes.",
            ),
            ("Ok\n-----Original Message-----\nFrom: Mike\n\nHello", "Ok"),
            ("Ok\n\nVon: Mike\nGesendet: Montag\nAn: Anna\nBetreff: Angebot\n\nHallo", "Ok"),
            ("Ok\n\n> Shall we?\n", "Ok"),
            ("No history here.\nOn 2 days we met.", "No history here.\nOn 2 days we met."),
            ("> which colour?\nBlue.\n> how many?\nThree.", "> which colour?\nBlue.\n> how many?\nThree."),
            ("> only a quote", "> only a quote"),
            ("", ""),
        ] {
            assert_eq!(split(text).0, written, "{text:?}");
        }
    }
}
