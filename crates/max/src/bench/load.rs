//! A bounded HTTP/1.1 load generator: so many connections, so many requests, kept alive, one at a time each.
//!
//! Written by hand because it shares two cores with the server it measures: a general client would measure itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::stats::Latencies;

/// What came of a load.
pub struct Load {
    /// Latencies of the successful requests.
    pub latencies: Latencies,
    /// How long it took.
    pub took: Duration,
    /// Answers that were not 2xx.
    pub refused: usize,
}

/// Sends every request once, over `connections` connections, each as fast as it is answered.
///
/// # Errors
/// When a connection cannot be made or an answer cannot be read.
pub async fn run(server: SocketAddr, connections: usize, requests: Vec<Vec<u8>>) -> anyhow::Result<Load> {
    run_paced(server, connections, requests, None).await
}

/// The same at a steady rate of requests per second: latency as clients see it who do not wait for each other.
///
/// # Errors
/// When a connection cannot be made or an answer cannot be read.
pub async fn run_paced(
    server: SocketAddr,
    connections: usize,
    requests: Vec<Vec<u8>>,
    rate: Option<f64>,
) -> anyhow::Result<Load> {
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..connections {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        workers
            .push(tokio::spawn(async move { worker(server, &requests, &next, rate.map(|rate| (start, rate))).await }));
    }
    let mut load = Load { latencies: Latencies::default(), took: Duration::ZERO, refused: 0 };
    for worker in workers {
        let (latencies, refused) = worker.await??;
        load.latencies.add(&latencies);
        load.refused += refused;
    }
    load.took = start.elapsed();
    Ok(load)
}

async fn worker(
    server: SocketAddr,
    requests: &[Vec<u8>],
    next: &AtomicUsize,
    pace: Option<(Instant, f64)>,
) -> anyhow::Result<(Latencies, usize)> {
    let mut connection = Connection::open(server).await?;
    let mut latencies = Latencies::default();
    let mut refused = 0;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(number) else { break };
        if let Some((begun, rate)) = pace {
            tokio::time::sleep_until((begun + Duration::from_secs_f64(number as f64 / rate)).into()).await;
        }
        let start = Instant::now();
        let status = connection.send(request).await?;
        if (200..300).contains(&status) {
            latencies.note(start.elapsed());
        } else {
            refused += 1;
        }
    }
    Ok((latencies, refused))
}

/// One kept-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await.context("connecting to the server under test")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer to the end; the status.
    ///
    /// # Errors
    /// When the answer is no HTTP/1.1 answer with a Content-Length.
    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head]).context("an answer's head is not text")?;
        let status = text.get(9..12).and_then(|s| s.parse().ok()).context("an answer without a status")?;
        let length = text
            .lines()
            .find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            })
            .unwrap_or(0);
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection in the middle of an answer");
            }
        }
        Ok(status)
    }

    /// The last answer's body.
    pub fn body(&self) -> &[u8] {
        find(&self.buffer, b"\r\n\r\n").map_or(&[], |end| &self.buffer[end + 4..])
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
