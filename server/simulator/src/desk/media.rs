use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{off_thread, read_json, replace_file, replace_json};

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
}

impl MediaFile {
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
    /// Opens the shelf and throws away what has expired.
    pub(crate) fn open(folder: &Path, lifetime_secs: u64) -> io::Result<Self> {
        let folder = folder.join("media");
        fs::create_dir_all(&folder)?;
        let lifetime = i64::try_from(lifetime_secs).ok().and_then(TimeDelta::try_seconds).unwrap_or(TimeDelta::MAX);
        let shelf = Self { folder, lifetime };
        shelf.discard_expired()?;
        Ok(shelf)
    }

    /// Announces an upload; its bytes follow with [`MediaShelf::fill`].
    pub(crate) async fn announce(&self, name: &str, content_type: &str) -> io::Result<MediaFile> {
        let file = self.describe(name, content_type, true);
        let (path, described) = (self.facts_path(file.key), file.clone());
        off_thread(move || replace_json(&path, &described)).await?;
        Ok(file)
    }

    /// Stores the bytes of an announced upload; `false` when nobody announced it.
    pub(crate) async fn fill(&self, key: Uuid, bytes: Bytes) -> io::Result<bool> {
        let (facts, content) = (self.facts_path(key), self.content_path(key));
        off_thread(move || {
            let Some(mut file) = read_json::<MediaFile>(&facts)? else { return Ok(false) };
            replace_file(&content, &bytes)?;
            file.size_bytes = bytes.len().try_into().unwrap_or(u64::MAX);
            file.awaited = false;
            replace_json(&facts, &file)?;
            Ok(true)
        })
        .await
    }

    /// Puts a finished file on the shelf.
    pub(crate) async fn put(&self, name: &str, content_type: &str, bytes: Bytes) -> io::Result<MediaFile> {
        let mut file = self.describe(name, content_type, false);
        file.size_bytes = bytes.len().try_into().unwrap_or(u64::MAX);
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
    pub(crate) async fn get(&self, key: Uuid) -> io::Result<Option<(MediaFile, Bytes)>> {
        let (facts, content) = (self.facts_path(key), self.content_path(key));
        off_thread(move || {
            let Some(file) = read_json::<MediaFile>(&facts)? else { return Ok(None) };
            if file.awaited || file.expires_at <= Utc::now() {
                return Ok(None);
            }
            Ok(Some((file, Bytes::from(fs::read(content)?))))
        })
        .await
    }

    fn describe(&self, name: &str, content_type: &str, awaited: bool) -> MediaFile {
        let now = Utc::now();
        MediaFile {
            key: Uuid::now_v7(),
            file_name: tidy_name(name),
            content_type: content_type.to_owned(),
            size_bytes: 0,
            expires_at: now.checked_add_signed(self.lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC),
            awaited,
        }
    }

    fn discard_expired(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let Ok(Some(file)) = read_json::<MediaFile>(&path) else { continue };
            if file.expires_at <= Utc::now() {
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

/// A name that is safe in a URL path.
fn tidy_name(name: &str) -> String {
    let tidy: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' })
        .take(120)
        .collect();
    if tidy.trim_matches('.').is_empty() { "file".to_owned() } else { tidy }
}
