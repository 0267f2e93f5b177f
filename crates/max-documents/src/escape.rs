//! Makes text from outside harmless in Markdown.

/// Escapes every character that Markdown could read as markup, and joins lines, so that text stays text.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut line_start = true;
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            // These mean something at the start of a line only.
            '-' | '+' | '=' if line_start => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        line_start = false;
    }
    out
}

/// Turns the small Markdown of clauses and letters (paragraphs, `- ` lists, `**bold**`) into HTML. Template slots
/// (`{{ … }}`) pass through untouched, so that the engine escapes what fills them.
pub fn small_markdown_to_html(source: &str) -> String {
    let mut html = String::new();
    for block in source.replace("\r\n", "\n").split("\n\n") {
        let block = block.trim();
        if block.is_empty() {
            continue;
        }
        if block.lines().all(|l| l.trim_start().starts_with("- ")) {
            html.push_str("<ul>");
            for line in block.lines() {
                html.push_str(&format!("<li>{}</li>", inline(line.trim_start().trim_start_matches("- "))));
            }
            html.push_str("</ul>\n");
        } else {
            html.push_str(&format!("<p>{}</p>\n", inline(block)));
        }
    }
    html
}

fn inline(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', " ");
    let mut html = String::with_capacity(escaped.len());
    for (i, part) in escaped.split("**").enumerate() {
        match (i, i % 2) {
            (0, _) => {}
            (_, 1) => html.push_str("<strong>"),
            _ => html.push_str("</strong>"),
        }
        html.push_str(part);
    }
    if escaped.matches("**").count() % 2 == 1 {
        html.push_str("</strong>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_clients_text_stays_text() {
        assert_eq!(markdown("# <b>*hi*</b>\n- x"), "\\# \\<b\\>\\*hi\\*\\</b\\> - x");
        assert_eq!(markdown("- a"), "\\- a");
        assert_eq!(markdown("[x](javascript:1)"), "\\[x\\](javascript:1)");
    }

    #[test]
    fn clauses_become_html_and_keep_their_slots() {
        let html = small_markdown_to_html("One **two** {{ a }} < 3\n\n- x\n- y");
        assert_eq!(html, "<p>One <strong>two</strong> {{ a }} &lt; 3</p>\n<ul><li>x</li><li>y</li></ul>\n");
    }
}
