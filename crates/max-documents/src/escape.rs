//! Makes text from outside harmless in Markdown.

/// Escapes every character that Markdown could read as markup, and joins lines, so that text stays text wherever it
/// stands.
pub fn markdown(text: &str) -> String {
    guard(markdown_within(text))
}

/// The same for text that something of ours stands before on its line.
pub fn markdown_within(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Escapes what would begin a list or underline a heading at the start of a line: `-`, `+`, `=`, `1. `, `1) `.
pub(crate) fn guard(mut line: String) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..).unwrap_or_default();
    let mark = matches!(rest.as_bytes(), [b'.' | b')'] | [b'.' | b')', b' ', ..]);
    if digits > 0 && mark {
        line.insert(digits, '\\');
    } else if digits == 0 && line.starts_with(['-', '+', '=']) {
        line.insert(0, '\\');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_clients_text_stays_text() {
        assert_eq!(markdown("# <b>*hi*</b>\n- x"), "\\# \\<b\\>\\*hi\\*\\</b\\> - x");
        assert_eq!(markdown("- a"), "\\- a");
        assert_eq!(markdown("12. a"), "12\\. a");
        assert_eq!(markdown("1.5 days"), "1.5 days");
        assert_eq!(markdown("[x](javascript:1)"), "\\[x\\](javascript:1)");
    }
}
