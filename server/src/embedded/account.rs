//! Whom a private server runs as, and the command line that makes it so.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
};

use super::{EmbeddedError, program};

/// Unprivileged users that a root process may lend to Postgres, in order of preference.
const LENT: [&str; 2] = ["postgres", "nobody"];

/// The user to become, when we are root and may not stay it.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// `None` when this process is not root and simply stays who it is.
    pub(super) async fn for_postgres() -> Result<Option<Self>, EmbeddedError> {
        if ask_id(&["-u"]).await != Some(0) {
            return Ok(None);
        }
        for name in LENT {
            let uid = ask_id(&["-u", name]).await;
            let gid = ask_id(&["-g", name]).await;
            if let (Some(uid), Some(gid)) = (uid, gid) {
                return Ok(Some(Self { uid, gid }));
            }
        }
        Err(EmbeddedError::NoAccount)
    }
}

/// The POSIX `id` program knows every source of users that the machine has.
async fn ask_id(arguments: &[&str]) -> Option<u32> {
    let output = tokio::process::Command::new("id").args(arguments).output().await.ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A command for `program` that runs as `account` and, where the system can (util-linux `setpriv`),
/// is interrupted when the thread that starts it ends. `folder` is what it has to reach.
pub(super) fn command(program: &Path, account: Option<&Account>, folder: &Path) -> Command {
    let Some(setpriv) = setpriv() else {
        let mut command = Command::new(program);
        if let Some(account) = account {
            command.uid(account.uid).gid(account.gid);
        }
        return command;
    };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "INT"]);
    if let Some(Account { uid, gid }) = account {
        command.args(["--reuid", &uid.to_string(), "--regid", &gid.to_string()]).arg("--clear-groups");
        if !is_open_to_all(folder) {
            // Root's home is closed to others. The server keeps the one right it needs to walk
            // through to its own folder, and nothing else of root.
            command.args(["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]);
        }
    }
    command.arg("--").arg(program);
    command
}

fn setpriv() -> Option<std::path::PathBuf> {
    if cfg!(target_os = "linux") { program::find("setpriv") } else { None }
}

/// Whether every user may walk down to `folder`.
fn is_open_to_all(folder: &Path) -> bool {
    folder
        .ancestors()
        .filter(|path| path.as_os_str() != OsStr::new(""))
        .all(|path| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o001 != 0))
}
