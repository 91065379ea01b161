//! What a client and Postgres say to each other, as far as it tells which writes become permanent. The protocol:
//! https://www.postgresql.org/docs/current/protocol.html

use std::{
    collections::{HashMap, VecDeque},
    io,
};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest message that is passed on.
const FRAME_MAX_BYTES: usize = 64 << 20;
/// So much of a statement names it.
const STATEMENT_CHARS: usize = 60;

/// Names of the one still and of the other.
const ALIKE: [&str; 3] = ["start", "still_start", "still_end"];

/// One message with its type; the first of a connection has none.
pub struct Frame {
    pub kind: u8,
    /// As it came, type and length included.
    pub bytes: Vec<u8>,
    body_at: usize,
}

impl Frame {
    /// Reads a message without a type: how a client begins.
    pub async fn read_first(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        Self::read_rest(from, Vec::new()).await
    }

    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let kind = from.read_u8().await?;
        Self::read_rest(from, vec![kind]).await
    }

    async fn read_rest(from: &mut (impl AsyncRead + Unpin), mut bytes: Vec<u8>) -> io::Result<Self> {
        let length = from.read_u32().await?;
        let body_bytes = (length as usize).checked_sub(4).filter(|size| *size <= FRAME_MAX_BYTES);
        let body_bytes = body_bytes.ok_or(io::ErrorKind::InvalidData)?;
        let kind = bytes.first().copied().unwrap_or_default();
        bytes.extend(length.to_be_bytes());
        let body_at = bytes.len();
        bytes.resize(body_at + body_bytes, 0);
        from.read_exact(&mut bytes[body_at..]).await?;
        Ok(Self { kind, bytes, body_at })
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body_at..]
    }

    /// Whether it asks for an encrypted connection.
    pub fn asks_for_encryption(&self) -> bool {
        const SSL: [u8; 4] = 80_877_103_u32.to_be_bytes();
        const GSS: [u8; 4] = 80_877_104_u32.to_be_bytes();
        self.body() == SSL || self.body() == GSS
    }
}

/// What the client asks to make permanent with a message.
pub enum Asks {
    Nothing,
    /// The writes of its transaction.
    Commit(Vec<String>),
    /// One write, at once.
    Write(String),
}

/// What the server says with a message.
pub enum Says {
    Something,
    /// It is ready for the next statement, and these writes are permanent.
    Ready(Vec<String>),
}

/// One connection, seen from between.
#[derive(Default)]
pub struct Conversation {
    statements: HashMap<String, String>,
    bound: String,
    /// What was sent and not answered; `None` ends a turn.
    asked: VecDeque<Option<String>>,
    /// Writes of the transaction that is open.
    writes: Vec<String>,
    in_transaction: bool,
    is_open: bool,
}

impl Conversation {
    /// Whether the server owes an answer, so that what it says should be kept together.
    pub fn is_waited_for(&self) -> bool {
        self.is_open && !self.asked.is_empty()
    }

    /// Takes note of a message of the client.
    pub fn hear_client(&mut self, frame: &Frame) -> Asks {
        let mut fields = Fields(frame.body());
        match frame.kind {
            b'P' => {
                let name = fields.text();
                self.statements.insert(name, fields.text());
            }
            b'B' => {
                fields.text();
                let sql = self.statements.get(&fields.text()).map_or("", String::as_str);
                self.bound = name_statement(sql, &fields.words());
            }
            b'E' => {
                self.asked.push_back(Some(self.bound.clone()));
                if !self.in_transaction && !self.bound.is_empty() {
                    return Asks::Write(self.bound.clone());
                }
            }
            b'S' => self.asked.push_back(None),
            b'Q' => {
                let sql = fields.text();
                self.asked.extend([Some(name_statement(&sql, &[])), None]);
                if sql.trim().eq_ignore_ascii_case("commit") && !self.writes.is_empty() {
                    return Asks::Commit(self.writes.clone());
                }
            }
            _ => {}
        }
        Asks::Nothing
    }

    /// Takes note of a message of the server.
    pub fn hear_server(&mut self, frame: &Frame) -> Says {
        match frame.kind {
            b'C' => {
                let tag = Fields(frame.body()).text();
                let asked =
                    if let Some(Some(_)) = self.asked.front() { self.asked.pop_front().flatten() } else { None };
                if tag == "ROLLBACK" {
                    self.writes.clear();
                } else if let Some(statement) = asked.filter(|_| has_written(&tag)) {
                    self.writes.push(statement);
                }
                Says::Something
            }
            b'Z' => {
                while let Some(Some(_)) = self.asked.pop_front() {}
                self.is_open = true;
                self.in_transaction = frame.body() != b"I";
                Says::Ready(if self.in_transaction { Vec::new() } else { std::mem::take(&mut self.writes) })
            }
            _ => Says::Something,
        }
    }
}

fn has_written(tag: &str) -> bool {
    let mut words = tag.split(' ');
    matches!(words.next(), Some("INSERT" | "UPDATE" | "DELETE" | "MERGE")) && words.next_back() != Some("0")
}

/// A short name for a statement that writes, with the plain words it was given; empty for one that only reads.
fn name_statement(sql: &str, words: &[String]) -> String {
    let plain = sql.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let begins = |at: usize| {
        let rest = &plain[at..];
        let writes = rest.starts_with("insert into ")
            || rest.starts_with("delete from ")
            || (rest.starts_with("update ") && rest.split(' ').take(4).any(|word| word == "set"));
        writes && (at == 0 || plain[..at].ends_with([' ', '(']))
    };
    let Some(at) = plain.char_indices().map(|(at, _)| at).find(|at| begins(*at)) else { return String::new() };
    let text: String = plain[at..].chars().take(STATEMENT_CHARS).collect();
    // The columns of an insert say nothing the table does not.
    let text = text.strip_prefix("insert ").map_or(text.as_str(), |_| text.split(" (").next().unwrap_or_default());
    if words.is_empty() { text.to_owned() } else { format!("{text} [{}]", words.join(" ")) }
}

/// Reads the fields of a message one after the other; what is missing is empty.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn text(&mut self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let text = String::from_utf8_lossy(&self.0[..end]).into_owned();
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        text
    }

    fn bytes(&mut self, count: usize) -> &[u8] {
        let (bytes, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    fn count(&mut self) -> usize {
        self.bytes(2).iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte))
    }

    /// The values of a Bind message that are words of the program: names of states, stages and kinds.
    fn words(&mut self) -> Vec<String> {
        let formats = self.count();
        self.bytes(formats * 2);
        let mut words = Vec::new();
        for _ in 0..self.count() {
            let Ok(size) = self.bytes(4).try_into().map(i32::from_be_bytes) else { break };
            // Null has the size -1.
            let value = self.bytes(usize::try_from(size).unwrap_or(0));
            let is_word = value.len() > 3 && value.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
            // Both stills are made at once: which of them is first says nothing.
            if is_word && !ALIKE.iter().any(|alike| value == alike.as_bytes()) {
                words.push(String::from_utf8_lossy(value).into_owned());
            }
        }
        words
    }
}
