//! The folders stages work in. A worker that is killed leaves its folders and half-written answers behind; the next one
//! that starts removes what nobody can want any more. Several workers may share one work folder.

use std::{
    fs::{File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use tempfile::TempDir;

use super::spool::Spool;
use crate::{Engine, Error, calls};

/// What folders of stages begin with.
const PREFIXES: [&str; 5] = ["still-", "clip-", "encode-", "export-", "poster-"];
/// The file whose lock says that somebody works here. The lock is the kernel's: it goes with the process however it ends.
const LOCK: &str = "lock";
/// A folder without a lock is nobody's after this long: no job may take longer than a day.
const UNLOCKED_AGE: Duration = Duration::from_secs(25 * 3_600);
/// An answer to a call this database does not know is kept for so long: the folder may be shared with another shop.
const STRANGE_AGE: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Folders, and answers, looked at in one sweep.
const SWEEP_MOST: usize = 10_000;
/// A folder is taken anew when a sweeper was faster.
const OPEN_TRIES: u32 = 3;

/// A folder of one stage's run, gone when it is dropped.
pub(crate) struct Workplace {
    folder: TempDir,
    _lock: File,
}

impl Workplace {
    /// Makes a folder whose name begins with `prefix`; nobody else can read it.
    pub(crate) fn open(work_dir: &Path, prefix: &'static str) -> io::Result<Self> {
        for _ in 0..OPEN_TRIES {
            let mine = Permissions::from_mode(0o700);
            let folder = tempfile::Builder::new().prefix(prefix).permissions(mine).tempdir_in(work_dir)?;
            let path = folder.path().join(LOCK);
            let lock = match File::create_new(&path) {
                Ok(lock) => lock,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            // A file system without locks is swept by age.
            let taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
            if !taken && path.exists() {
                return Ok(Self { folder, _lock: lock });
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Engine {
    /// Removes from the work folder what killed workers left: folders nobody works in, and spooled answers of calls that
    /// are over. Meant for the start of a worker. Answers how many folders and answers it removed.
    ///
    /// # Errors
    /// [`Error::Internal`] when the folder cannot be read, [`Error::Unavailable`] without the database.
    pub async fn sweep_work_dir(&self) -> Result<(usize, usize), Error> {
        let work_dir = self.settings().work_dir.clone();
        let folders = tokio::task::spawn_blocking(move || sweep_folders(&work_dir)).await.map_err(Error::internal)?;
        let folders = folders.map_err(Error::internal)?;
        let answers = self.sweep_spool().await?;
        if folders + answers > 0 {
            tracing::info!("removed {folders} folders and {answers} answers that killed workers left behind");
        }
        Ok((folders, answers))
    }

    async fn sweep_spool(&self) -> Result<usize, Error> {
        let spool = Spool::new(&self.settings().work_dir);
        let kept = spool.list(SWEEP_MOST).await.map_err(Error::internal)?;
        if kept.is_empty() {
            return Ok(0);
        }
        let ids: Vec<_> = kept.keys().copied().collect();
        let mut conn = self.pg().acquire().await?;
        let states = calls::store::states(&mut conn, &ids).await?;
        drop(conn);
        let mut removed = 0;
        for (call, age) in kept {
            let is_over = match states.get(&call) {
                Some(state) => !matches!(state, domain::CallState::Planned | domain::CallState::Intent),
                None => age > STRANGE_AGE,
            };
            if is_over {
                spool.forget(call).await;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn sweep_folders(work_dir: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(work_dir)?.take(SWEEP_MOST) {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = PREFIXES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix));
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        match remove_if_left(&entry.path()) {
            Ok(true) => removed += 1,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "{} could not be removed: {error}", entry.path().display()),
        }
    }
    Ok(removed)
}

/// True when nobody worked here any more and the folder is gone. The lock is held while it is removed.
fn remove_if_left(folder: &Path) -> io::Result<bool> {
    let lock = match OpenOptions::new().write(true).open(folder.join(LOCK)) {
        Ok(lock) => Some(lock),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let is_left = match lock.as_ref().map(File::try_lock) {
        Some(Ok(())) => true,
        Some(Err(TryLockError::WouldBlock)) => false,
        Some(Err(TryLockError::Error(_))) | None => age(folder).is_some_and(|age| age > UNLOCKED_AGE),
    };
    if is_left {
        match std::fs::remove_dir_all(folder) {
            // Its worker was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            done => done?,
        }
    }
    Ok(is_left)
}

fn age(path: &Path) -> Option<Duration> {
    std::fs::metadata(path).ok()?.modified().ok()?.elapsed().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::SystemTime;

    use super::*;

    fn make_older(folder: &Path, by: Duration) {
        File::open(folder).unwrap().set_modified(SystemTime::now() - by).unwrap();
    }

    #[test]
    fn a_folder_is_removed_when_its_worker_is_gone_and_not_before() {
        let work_dir = tempfile::tempdir().unwrap();
        let used = Workplace::open(work_dir.path(), "encode-").unwrap();
        std::fs::write(used.path().join("original.mp4"), b"clip").unwrap();
        assert_eq!(std::fs::metadata(used.path()).unwrap().permissions().mode() & 0o077, 0);
        make_older(used.path(), 2 * UNLOCKED_AGE);
        assert_eq!(sweep_folders(work_dir.path()).unwrap(), 0, "somebody works there, however long");
        // A killed process runs no destructor; its lock goes all the same.
        let Workplace { folder, _lock } = used;
        let left = folder.keep();
        drop(_lock);
        std::fs::create_dir(work_dir.path().join("spool")).unwrap();
        std::fs::write(work_dir.path().join("clip-notes"), b"not a folder").unwrap();
        assert_eq!(sweep_folders(work_dir.path()).unwrap(), 1);
        assert!(
            !left.exists() && work_dir.path().join("spool").exists() && work_dir.path().join("clip-notes").exists()
        );
        assert_eq!(sweep_folders(work_dir.path()).unwrap(), 0);
    }

    #[test]
    fn a_folder_without_a_lock_is_removed_by_age() {
        let work_dir = tempfile::tempdir().unwrap();
        let folder = work_dir.path().join("clip-old");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(sweep_folders(work_dir.path()).unwrap(), 0, "it may be about to be locked");
        make_older(&folder, UNLOCKED_AGE + Duration::from_secs(60));
        assert_eq!(sweep_folders(work_dir.path()).unwrap(), 1);
    }
}
