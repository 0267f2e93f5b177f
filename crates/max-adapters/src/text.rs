//! Making a stranger's text fit for one line.

/// One line of at most `most` characters: control characters become spaces, and spaces do not pile up. Nothing in it
/// can begin a header, a variable or a log line of its own.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text of several lines: line ends become `\n`, and other control characters go, except tabs.
pub(crate) fn lines(text: &str, most: usize) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).take(most).collect()
}
