//! Many clients that load one file over and over, each on a connection of its own: the same for every server compared.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use url::Url;

/// A server that says nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many requests a second are answered whole, over so many connections and so long.
pub fn requests_per_second(
    address: &Url,
    more_headers: &str,
    connections: usize,
    lasting: Duration,
) -> anyhow::Result<f64> {
    let (place, request) = request(address, more_headers)?;
    let (begin, is_over) = (Arc::new(Barrier::new(connections + 1)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (place, request, begin, is_over) = (place.clone(), request.clone(), begin.clone(), is_over.clone());
            thread::spawn(move || {
                let connection = Connection::open(&place);
                begin.wait();
                let mut connection = connection?;
                let mut answered = 0_u64;
                while !is_over.load(Ordering::Relaxed) {
                    connection.load(&request)?;
                    answered += 1;
                }
                anyhow::Ok(answered)
            })
        })
        .collect();
    begin.wait();
    let begun = Instant::now();
    thread::sleep(lasting);
    is_over.store(true, Ordering::Relaxed);
    let mut answered = 0;
    for client in clients {
        answered += client.join().ok().context("a client panicked")??;
    }
    Ok(answered as f64 / begun.elapsed().as_secs_f64())
}

/// Loads a file once over each of so many connections at the same time; answers how long that took and how many bytes came.
pub fn load_at_once(address: &Url, connections: usize) -> anyhow::Result<(Duration, u64)> {
    let (place, request) = request(address, "")?;
    let begin = Arc::new(Barrier::new(connections + 1));
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (place, request, begin) = (place.clone(), request.clone(), begin.clone());
            // They only wait and count: small stacks carry 500 of them.
            thread::Builder::new().stack_size(256 * 1024).spawn(move || {
                let connection = Connection::open(&place);
                begin.wait();
                connection?.load(&request)
            })
        })
        .collect::<Result<_, _>>()?;
    begin.wait();
    let begun = Instant::now();
    let mut bytes = 0;
    for client in clients {
        bytes += client.join().ok().context("a client panicked")??;
    }
    Ok((begun.elapsed(), bytes))
}

fn request(address: &Url, more_headers: &str) -> anyhow::Result<(String, String)> {
    let place = format!("{}:{}", address.host_str().context("no host")?, address.port_or_known_default().unwrap_or(80));
    let request = format!("GET {} HTTP/1.1\r\nHost: {place}\r\n{more_headers}\r\n", address.path());
    Ok((place, request))
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(place: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(place)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    /// One request and its whole answer; the bytes of its body.
    fn load(&mut self, request: &str) -> anyhow::Result<u64> {
        self.stream.write_all(request.as_bytes())?;
        let (filled, head_end) = read_head(&mut self.stream, &mut self.buffer)?;
        let head = std::str::from_utf8(self.buffer.get(..head_end).unwrap_or_default())?.to_ascii_lowercase();
        anyhow::ensure!(head.starts_with("http/1.1 20"), "{}", head.lines().next().unwrap_or_default());
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).context("no content-length")?;
        let length: u64 = length.trim().parse()?;
        let mut missing = length.saturating_sub((filled - head_end) as u64);
        while missing > 0 {
            let most = usize::try_from(missing).unwrap_or(usize::MAX).min(self.buffer.len());
            let read = self.stream.read(self.buffer.get_mut(..most).unwrap_or_default())?;
            anyhow::ensure!(read > 0, "the answer ended early");
            missing -= read as u64;
        }
        Ok(length)
    }
}

/// Reads until the head is there: how much was read, and where the head ends.
fn read_head(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<(usize, usize)> {
    let mut filled = 0;
    loop {
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default())?;
        anyhow::ensure!(read > 0, "the connection ended in the head of an answer");
        filled += read;
        let seen = buffer.get(..filled).unwrap_or_default();
        if let Some(at) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok((filled, at + 4));
        }
        anyhow::ensure!(filled < buffer.len(), "a head without an end");
    }
}
