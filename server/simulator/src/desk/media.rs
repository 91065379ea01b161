use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{off_thread, read_json, replace_file, replace_json};

/// Which request made a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub endpoint: String,
    pub request_id: Uuid,
    pub prompt: Option<String>,
}

/// What is known of a stored file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MediaFile {
    pub key: Uuid,
    pub file_name: String,
    pub content_type: String,
    pub size_bytes: u64,
    pub expires_at: DateTime<Utc>,
    /// An upload that was announced but whose bytes have not come yet.
    pub awaited: bool,
    /// Absent for uploads.
    #[serde(default)]
    pub origin: Option<Origin>,
}

impl MediaFile {
    /// A file that is to come or to be stored.
    pub(crate) fn new(key: Uuid, name: &str, content_type: &str, expires_at: DateTime<Utc>) -> Self {
        Self {
            key,
            file_name: tidy_name(name),
            content_type: content_type.to_owned(),
            size_bytes: 0,
            expires_at,
            awaited: true,
            origin: None,
        }
    }

    /// The path part of its public URL.
    pub(crate) fn url_path(&self) -> String {
        format!("/files/b/{}/{}", self.key.simple(), self.file_name)
    }
}

/// Files handed out by URL until they expire.
#[derive(Clone)]
pub(crate) struct MediaShelf {
    folder: PathBuf,
    lifetime: TimeDelta,
}

impl MediaShelf {
    /// Opens the shelf and throws away what has expired by `now`.
    pub(crate) fn open(folder: &Path, lifetime_secs: u64, now: DateTime<Utc>) -> io::Result<Self> {
        let folder = folder.join("media");
        fs::create_dir_all(&folder)?;
        let shelf = Self { folder, lifetime: seconds(lifetime_secs) };
        shelf.discard_expired(now)?;
        Ok(shelf)
    }

    /// When a file stored now expires: by the caller's wish, else as usual.
    pub(crate) fn expiry(&self, now: DateTime<Utc>, wished_secs: Option<u64>) -> DateTime<Utc> {
        let lifetime = wished_secs.map_or(self.lifetime, seconds);
        now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Announces an upload; its bytes follow with [`MediaShelf::fill`].
    pub(crate) async fn announce(&self, file: &MediaFile) -> io::Result<()> {
        let (path, file) = (self.facts_path(file.key), file.clone());
        off_thread(move || replace_json(&path, &file)).await
    }

    /// Stores the bytes of an announced upload; `false` when nobody announced it.
    pub(crate) async fn fill(&self, key: Uuid, bytes: Bytes) -> io::Result<bool> {
        let facts = self.facts_path(key);
        let Some(file) = off_thread(move || read_json::<MediaFile>(&facts)).await? else { return Ok(false) };
        self.put(file, bytes).await?;
        Ok(true)
    }

    /// Puts a file with its bytes on the shelf.
    pub(crate) async fn put(&self, mut file: MediaFile, bytes: Bytes) -> io::Result<MediaFile> {
        file.size_bytes = bytes.len().try_into().unwrap_or(u64::MAX);
        file.awaited = false;
        let (facts, content) = (self.facts_path(file.key), self.content_path(file.key));
        let described = file.clone();
        off_thread(move || {
            replace_file(&content, &bytes)?;
            replace_json(&facts, &described)
        })
        .await?;
        Ok(file)
    }

    /// The file and its bytes; `None` when unknown, not uploaded yet or expired.
    pub(crate) async fn get(&self, key: Uuid, now: DateTime<Utc>) -> io::Result<Option<(MediaFile, Bytes)>> {
        let (facts, content) = (self.facts_path(key), self.content_path(key));
        off_thread(move || {
            let Some(file) = read_json::<MediaFile>(&facts)? else { return Ok(None) };
            if file.awaited || file.expires_at <= now {
                return Ok(None);
            }
            Ok(Some((file, Bytes::from(fs::read(content)?))))
        })
        .await
    }

    fn discard_expired(&self, now: DateTime<Utc>) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let Ok(Some(file)) = read_json::<MediaFile>(&path) else { continue };
            if file.expires_at <= now {
                fs::remove_file(&path)?;
                match fs::remove_file(self.content_path(file.key)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn facts_path(&self, key: Uuid) -> PathBuf {
        self.folder.join(format!("{}.json", key.simple()))
    }

    fn content_path(&self, key: Uuid) -> PathBuf {
        self.folder.join(format!("{}.bin", key.simple()))
    }
}

fn seconds(count: u64) -> TimeDelta {
    i64::try_from(count).ok().and_then(TimeDelta::try_seconds).unwrap_or(TimeDelta::MAX)
}

/// A name that is safe in a URL path.
fn tidy_name(name: &str) -> String {
    let tidy: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' })
        .take(120)
        .collect();
    if tidy.trim_matches('.').is_empty() { "file".to_owned() } else { tidy }
}
