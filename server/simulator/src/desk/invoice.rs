use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::off_thread;

/// Whose bill an entry is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Provider {
    Gemini,
    Fal,
}

/// One accepted paid request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub id: Uuid,
    pub provider: Provider,
    pub endpoint: String,
    pub request_id: String,
    /// What was counted: tokens by kind, or billed seconds.
    pub units: Value,
    pub amount_micro_usd: i64,
    pub accepted_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_reference: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
enum Line {
    Charge { entry: Entry },
    Void { id: Uuid, reason: String },
}

#[derive(Default)]
struct Sheet {
    entries: Vec<Entry>,
    voided: HashMap<Uuid, String>,
}

/// The bill, append-only on disk: a line is flushed before anybody is told
/// that the request was accepted.
#[derive(Clone)]
pub(crate) struct Invoice {
    file: Arc<Mutex<File>>,
    sheet: Arc<Mutex<Sheet>>,
}

impl Invoice {
    /// Opens the bill in `folder`, cutting off a line that a kill left half
    /// written: its request was never answered.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(folder.join("invoice.jsonl"))?;
        let mut sheet = Sheet::default();
        let mut whole_bytes: u64 = 0;
        let mut reader = BufReader::new(&mut file);
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = reader.read_until(b'\n', &mut text)?;
            if read == 0 || text.last() != Some(&b'\n') {
                break;
            }
            let Ok(line) = serde_json::from_slice::<Line>(&text) else { break };
            sheet.apply(line);
            whole_bytes += u64::try_from(read).unwrap_or(u64::MAX);
        }
        drop(reader);
        file.set_len(whole_bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file: Arc::new(Mutex::new(file)), sheet: Arc::new(Mutex::new(sheet)) })
    }

    /// Adds a charge; durable when this returns.
    pub(crate) async fn charge(&self, entry: Entry) -> io::Result<()> {
        self.write(Line::Charge { entry }).await
    }

    /// Takes a charge back: the request failed or was cancelled unpaid.
    pub(crate) async fn void(&self, id: Uuid, reason: &str) -> io::Result<()> {
        self.write(Line::Void { id, reason: reason.to_owned() }).await
    }

    /// The charges that stand, oldest first.
    pub(crate) fn standing(&self) -> Vec<Entry> {
        let sheet = self.sheet.lock().unwrap_or_else(PoisonError::into_inner);
        sheet.entries.iter().filter(|entry| !sheet.voided.contains_key(&entry.id)).cloned().collect()
    }

    /// The charges that were taken back, with the reason.
    pub(crate) fn voided(&self) -> Vec<(Entry, String)> {
        let sheet = self.sheet.lock().unwrap_or_else(PoisonError::into_inner);
        sheet.entries.iter().filter_map(|entry| Some((entry.clone(), sheet.voided.get(&entry.id)?.clone()))).collect()
    }

    /// Whether this charge was ever written.
    pub(crate) fn knows(&self, id: Uuid) -> bool {
        let sheet = self.sheet.lock().unwrap_or_else(PoisonError::into_inner);
        sheet.entries.iter().any(|entry| entry.id == id)
    }

    /// Whether this charge was written and not taken back.
    pub(crate) fn stands(&self, id: Uuid) -> bool {
        let sheet = self.sheet.lock().unwrap_or_else(PoisonError::into_inner);
        !sheet.voided.contains_key(&id) && sheet.entries.iter().any(|entry| entry.id == id)
    }

    async fn write(&self, line: Line) -> io::Result<()> {
        let (file, sheet) = (self.file.clone(), self.sheet.clone());
        off_thread(move || {
            let mut text = serde_json::to_vec(&line)?;
            text.push(b'\n');
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&text)?;
            file.sync_data()?;
            sheet.lock().unwrap_or_else(PoisonError::into_inner).apply(line);
            Ok(())
        })
        .await
    }
}

impl Sheet {
    fn apply(&mut self, line: Line) {
        match line {
            Line::Charge { entry } => self.entries.push(entry),
            Line::Void { id, reason } => {
                self.voided.insert(id, reason);
            }
        }
    }
}
