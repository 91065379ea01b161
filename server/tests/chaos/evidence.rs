//! What a run that failed leaves behind: everything that tells how it came to that.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::cluster::Postgres;

/// Collects it in a folder of the seed, over what an earlier run with that seed left.
pub fn keep(seed: u64, folders: &[&Path], postgres: &Postgres) -> io::Result<PathBuf> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chaos").join(format!("seed-{seed}"));
    _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(&kept)?;
    for folder in folders {
        copy(folder, &kept)?;
    }
    let dump = kept.join("database.sql");
    if let Err(why) = postgres.dump(&dump) {
        fs::write(&dump, format!("-- there is no dump: {why}\n"))?;
    }
    Ok(kept)
}

/// Logs, notes and the provider's books, with the folders they are in; pictures and videos tell nothing.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)?.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let is_wanted = path.extension().is_some_and(|kind| ["log", "txt", "json"].iter().any(|one| kind == *one));
        // What the cluster itself keeps is in the dump.
        if path.is_dir() && name != "data" {
            copy(&path, &to.join(name))?;
        } else if is_wanted {
            fs::create_dir_all(to)?;
            // It may be gone by now.
            _ = fs::copy(&path, to.join(name));
        }
    }
    Ok(())
}
