//! Answers that were paid for, kept on disk until the object store has them: a crash or an outage between the two does
//! not lose what the money bought.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::{CallId, MicroUsd};
use serde::{Deserialize, Serialize};

/// What files that are being written end with.
const PARTIAL: &str = "partial";

/// What is known of a spooled answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Paid {
    pub(super) cost: MicroUsd,
    pub(super) request_id: Option<String>,
}

/// The folder of spooled answers.
pub(super) struct Spool {
    folder: PathBuf,
}

impl Spool {
    pub(super) fn new(work_dir: &Path) -> Self {
        Self { folder: work_dir.join("spool") }
    }

    fn paths(&self, call: CallId) -> (PathBuf, PathBuf) {
        (self.folder.join(format!("{call}.bytes")), self.folder.join(format!("{call}.json")))
    }

    /// Keeps an answer. The description is written last: with it, the bytes are whole.
    pub(super) async fn keep(&self, call: CallId, bytes: &[u8], paid: &Paid) -> std::io::Result<()> {
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).await?;
        let (bytes_path, paid_path) = self.paths(call);
        write_whole(&bytes_path, bytes).await?;
        write_whole(&paid_path, &serde_json::to_vec(paid)?).await
    }

    /// An answer kept earlier, perhaps by a process that died.
    pub(super) async fn find(&self, call: CallId) -> std::io::Result<Option<(Vec<u8>, Paid)>> {
        let (bytes_path, paid_path) = self.paths(call);
        let paid = match tokio::fs::read(&paid_path).await {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some((tokio::fs::read(&bytes_path).await?, paid)))
    }

    /// Forgets an answer the object store has.
    pub(super) async fn forget(&self, call: CallId) {
        let (bytes_path, paid_path) = self.paths(call);
        let partial = bytes_path.with_extension(PARTIAL);
        for path in [paid_path, bytes_path, partial] {
            match tokio::fs::remove_file(&path).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(call.id = %call, %error, "spooled answer of call {call} could not be removed");
                }
                _ => {}
            }
        }
    }

    /// Calls there is something of, whole or not, and how long ago it was written; at most so many.
    pub(super) async fn list(&self, most: usize) -> std::io::Result<HashMap<CallId, Duration>> {
        let mut found = HashMap::new();
        let mut entries = match tokio::fs::read_dir(&self.folder).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            entries => entries?,
        };
        while found.len() < most
            && let Some(entry) = entries.next_entry().await?
        {
            let name = entry.file_name();
            let call = name.to_str().and_then(|name| name.split_once('.')).and_then(|(id, _)| id.parse().ok());
            // It may be gone by now.
            let (Some(call), Ok(data)) = (call, entry.metadata().await) else { continue };
            let age = data.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
            let youngest: &mut Duration = found.entry(call).or_insert(age);
            *youngest = age.min(*youngest);
        }
        Ok(found)
    }
}

async fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let partial = path.with_extension(PARTIAL);
    let mut file = tokio::fs::File::create(&partial).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(&partial, path).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn an_answer_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let call = CallId::from_uuid(uuid::Uuid::now_v7());
        let paid = Paid { cost: MicroUsd::new(35_880), request_id: Some("r1".to_owned()) };
        assert!(Spool::new(folder.path()).find(call).await.unwrap().is_none());
        Spool::new(folder.path()).keep(call, b"picture", &paid).await.unwrap();
        let (bytes, found) = Spool::new(folder.path()).find(call).await.unwrap().unwrap();
        assert_eq!((bytes.as_slice(), found.cost), (b"picture".as_slice(), paid.cost));
        Spool::new(folder.path()).forget(call).await;
        assert!(Spool::new(folder.path()).find(call).await.unwrap().is_none());
    }
}
