//! Server-sent events as a stream of JSON values.

use futures::{Stream, StreamExt};
use reqwest::Method;
use serde_json::Value;

use super::{Client, ClientError};

/// The longest event that is read; a longer one is an error, not a leak.
const LONGEST: usize = 4 << 20;

impl Client {
    /// Follows `/api/events`: each event's data, as it comes.
    pub async fn events(
        &self,
        path: &str,
    ) -> Result<impl Stream<Item = Result<Value, ClientError>> + use<>, ClientError> {
        let response = self.follow(Method::GET, path).await?;
        let client = self.clone();
        let bytes = Box::pin(response.bytes_stream());
        Ok(futures::stream::unfold((bytes, Vec::new(), client), async |(mut bytes, mut buffer, client)| {
            loop {
                if let Some(data) = next_event(&mut buffer) {
                    let value = serde_json::from_slice(&data).map_err(|e| ClientError::Unreadable(e.to_string()));
                    return Some((value, (bytes, buffer, client)));
                }
                match bytes.next().await? {
                    Ok(chunk) if buffer.len() + chunk.len() <= LONGEST => buffer.extend_from_slice(&chunk),
                    Ok(_) => {
                        let error = ClientError::Unreadable("an event is longer than 4 MiB".into());
                        return Some((Err(error), (bytes, Vec::new(), client)));
                    }
                    Err(error) => return Some((Err(client.lost(&error)), (bytes, Vec::new(), client))),
                }
            }
        }))
    }
}

/// Takes the first whole event with data out of the buffer.
fn next_event(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let end = buffer.windows(2).position(|pair| pair == b"\n\n")?;
        let event: Vec<u8> = buffer.drain(..end + 2).collect();
        let data: Vec<&[u8]> = event
            .split(|byte| *byte == b'\n')
            .filter_map(|line| line.strip_prefix(b"data:"))
            .map(|data| data.strip_prefix(b" ").unwrap_or(data))
            .collect();
        if !data.is_empty() {
            return Some(data.join(&b'\n'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_and_comments_are_skipped() {
        let mut buffer = b": keep-alive\n\nid: 7\nevent: x\ndata: {\"a\":1}\n\ndata: {\"b\"".to_vec();
        assert_eq!(next_event(&mut buffer), Some(b"{\"a\":1}".to_vec()));
        assert_eq!(next_event(&mut buffer), None);
        buffer.extend_from_slice(b":2}\n\n");
        assert_eq!(next_event(&mut buffer), Some(b"{\"b\":2}".to_vec()));
    }
}
