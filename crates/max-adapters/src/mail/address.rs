//! What may stand in a mail's headers as an address or an id.

/// True for one plain address, `local@domain`, that cannot be taken for two or for anything else in a header.
pub(crate) fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c);
    let parts = text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    parts && text.len() <= 254 && !text.contains(odd)
}

/// True for a Message-ID without its brackets that can stand in a header.
pub(crate) fn is_message_id(text: &str) -> bool {
    (1..=500).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>')
}
