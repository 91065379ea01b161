//! Where the installed programs are.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::EmbeddedError;

const POSTGRES_INSTALL: &str = "install Postgres (Debian, Ubuntu: `apt install postgresql`; macOS: \
     `brew install postgresql@17`), set PG_BINDIR to the folder that holds it, or set DATABASE_URL to \
     use a server you run yourself";
const REDIS_INSTALL: &str = "install Redis (Debian, Ubuntu: `apt install redis-server`; macOS: \
     `brew install redis`) or set REDIS_URL to use a server you run yourself";

/// Folders whose children are named after a Postgres version and hold a `bin`.
const POSTGRES_HOMES: [&str; 4] =
    ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"];

/// Folders that Homebrew fills but that are not always on `PATH`.
const BREW_BINS: [&str; 2] = ["/opt/homebrew/bin", "/usr/local/bin"];

/// The folder with `initdb` and `postgres`: `PG_BINDIR`, else the version that made the data
/// (`wanted_version`, the content of its `PG_VERSION`), else the newest installed, else `PATH`.
pub(super) fn find_postgres(wanted_version: Option<&str>) -> Result<PathBuf, EmbeddedError> {
    let missing = EmbeddedError::Missing { program: "initdb", install: POSTGRES_INSTALL };
    if let Some(folder) = env::var_os("PG_BINDIR").filter(|folder| !folder.is_empty()).map(PathBuf::from) {
        return holds_postgres(&folder).then_some(folder).ok_or(missing);
    }
    let mut installed: Vec<(u32, PathBuf)> =
        POSTGRES_HOMES.iter().flat_map(|home| versions_under(Path::new(home))).collect();
    installed.sort();
    let wanted = wanted_version.and_then(|version| version.trim().parse::<u32>().ok());
    installed
        .iter()
        .find(|(version, _)| Some(*version) == wanted)
        .or(installed.last())
        .map(|(_, folder)| folder.clone())
        .or_else(|| search_path().find(|folder| holds_postgres(folder)))
        .ok_or(missing)
}

/// The `redis-server` program.
pub(super) fn find_redis() -> Result<PathBuf, EmbeddedError> {
    find("redis-server").ok_or(EmbeddedError::Missing { program: "redis-server", install: REDIS_INSTALL })
}

/// A program of this name on `PATH` or where Homebrew puts programs.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    search_path().map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn search_path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(BREW_BINS.iter().map(PathBuf::from)).collect::<Vec<_>>().into_iter()
}

/// `15/bin` (Debian) and `postgresql@15/bin` (Homebrew) below `home`, with their version.
fn versions_under(home: &Path) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir(home) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix("postgresql@").unwrap_or(&name);
            let folder = entry.path().join("bin");
            let version = version.parse().ok()?;
            holds_postgres(&folder).then_some((version, folder))
        })
        .collect()
}

fn holds_postgres(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}
