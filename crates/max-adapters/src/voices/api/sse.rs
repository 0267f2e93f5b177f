//! Server-sent events, as far as models send them: the data of each event, in order.

/// Reads a stream piece by piece; a piece may end anywhere, also inside a character.
#[derive(Debug, Default)]
pub struct Events {
    pending: Vec<u8>,
    data: Vec<u8>,
}

impl Events {
    /// The data of the events that are complete with this piece.
    pub fn feed(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        self.pending.extend_from_slice(piece);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(length) = self.pending[start..].iter().position(|b| *b == b'\n') {
            let line = &self.pending[start..start + length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                if !self.data.is_empty() {
                    events.push(std::mem::take(&mut self.data));
                }
            } else if let Some(data) = line.strip_prefix(b"data:") {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
            }
            start += length + 1;
        }
        self.pending.drain(..start);
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let stream = "event: a\r\ndata: {\"x\":\"ü🎉\"}\r\n\r\n: a comment\ndata:one\ndata: two\n\nid: 7\n\ndata: [DONE]\n\ndata: cut";
        let whole = ["{\"x\":\"ü🎉\"}", "one\ntwo", "[DONE]"];
        for size in 1..=stream.len() {
            let mut events = Events::default();
            let found: Vec<Vec<u8>> = stream.as_bytes().chunks(size).flat_map(|piece| events.feed(piece)).collect();
            let found: Vec<&str> = found.iter().map(|e| std::str::from_utf8(e).expect("text")).collect();
            assert_eq!(found, whole, "in pieces of {size}");
        }
    }
}
