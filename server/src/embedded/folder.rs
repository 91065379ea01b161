//! One server's folder under the state folder: its lock, its port, its log.

use std::{
    fs::{self, File, TryLockError},
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use super::EmbeddedError;

/// Ports where a server of somebody else is expected.
const STANDARD_PORTS: [u16; 2] = [5432, 6379];
const PORT_TRIES: usize = 16;
const TAIL_BYTES: usize = 2_000;

/// An exclusively held folder. The lock is the kernel's, so it goes with the process however it ends.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Creates `state_dir/name` when needed and takes it for this process.
    pub(super) fn open(state_dir: &Path, name: &str) -> Result<Self, EmbeddedError> {
        let path = state_dir.join(name);
        fs::create_dir_all(&path).map_err(failed("create", &path))?;
        let path = fs::canonicalize(&path).map_err(failed("resolve", &path))?;
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(failed("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(EmbeddedError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(failed("lock", &lock_path)(source)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The port of the last run, if there was one.
    pub(super) fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.path.join("port")).ok()?.trim().parse().ok()
    }

    /// The port of the last run when it is still free, else a new one, which is then remembered.
    pub(super) fn choose_port(&self) -> Result<u16, EmbeddedError> {
        if let Some(port) = self.last_port().filter(|port| is_free(*port)) {
            return Ok(port);
        }
        let port = free_port().map_err(EmbeddedError::NoPort)?;
        let path = self.path.join("port");
        fs::write(&path, port.to_string()).map_err(failed("write", &path))?;
        Ok(port)
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.path.join("log")
    }

    /// An empty log for this run; the one before is kept as `log.old`.
    pub(super) fn open_log(&self) -> Result<File, EmbeddedError> {
        let path = self.log_path();
        if path.exists() {
            fs::rename(&path, self.path.join("log.old")).map_err(failed("rename", &path))?;
        }
        File::create(&path).map_err(failed("create", &path))
    }

    /// The end of the log, for an error message.
    pub(super) fn log_tail(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        tail(&bytes)
    }
}

/// The last lines of some output as one line of text.
pub(super) fn tail(bytes: &[u8]) -> String {
    let start = bytes.len().saturating_sub(TAIL_BYTES);
    let text = String::from_utf8_lossy(&bytes[start..]);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" | ")
}

/// Says what was being done to which file.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |source| EmbeddedError::File { action, path, source }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn free_port() -> io::Result<u16> {
    for _ in 0..PORT_TRIES {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if !STANDARD_PORTS.contains(&port) {
            return Ok(port);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
