//! What spreadsheets write: UTF-8 with or without a mark, UTF-16, or the old Windows code page.

/// A text with what had to be assumed about it.
pub(super) struct Decoded {
    pub(super) text: String,
    /// What a person should know.
    pub(super) note: Option<String>,
}

/// The text of a file.
pub(super) fn decode(bytes: Vec<u8>) -> Decoded {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return decode(rest.to_vec());
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(rest, u16::from_be_bytes);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Decoded { text, note: None },
        Err(error) => {
            let text = error.as_bytes().iter().map(|byte| windows_1252(*byte)).collect();
            let note =
                "the file is not UTF-8; it was read as Latin-1 (Windows-1252). Look at the umlauts in the report";
            Decoded { text, note: Some(note.into()) }
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    Decoded { text: String::from_utf16_lossy(&units), note: Some("the file was read as UTF-16".into()) }
}

/// Latin-1, with what Windows puts into 0x80 to 0x9f.
fn windows_1252(byte: u8) -> char {
    const SPECIAL: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
        '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => SPECIAL[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_encoding_is_read_and_guesses_are_said_aloud() {
        let plain = decode("Müller".into());
        assert_eq!((plain.text.as_str(), plain.note), ("Müller", None));
        assert_eq!(decode(b"\xef\xbb\xbfname".to_vec()).text, "name");
        let old = decode(b"M\xfcller \x80 5".to_vec());
        assert_eq!(old.text, "Müller € 5");
        assert!(old.note.expect("said").contains("Latin-1"));
        assert_eq!(decode(b"\xff\xfea\0b\0".to_vec()).text, "ab");
    }
}
