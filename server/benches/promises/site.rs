//! What the browser half of the desk and the embedded player weigh, from the files the build wrote.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::table::Table;

const BROTLI_BUDGET_KB: f64 = 350.0;
/// The player on pages of others, before compression.
const EMBED_BUDGET_KB: f64 = 10.0;

/// Folder of the built site.
pub fn root() -> PathBuf {
    let built_here = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    env::var_os("LEPTOS_SITE_ROOT").map_or_else(built_here, PathBuf::from)
}

/// Reads the sizes.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let pkg = root().join("pkg");
    if !pkg.is_dir() {
        table.note("the site is not built, so it is not weighed");
        return Ok(());
    }
    let weigh = |ending: &str| -> anyhow::Result<f64> {
        for entry in fs::read_dir(&pkg)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(ending) {
                return Ok(entry.metadata()?.len() as f64 / 1_000.0);
            }
        }
        None.with_context(|| format!("{} holds no {ending}", pkg.display()))
    };
    table.promise("desk's WASM, brotli", weigh(".wasm.br")?, BROTLI_BUDGET_KB, "kB");
    table.detail("gzip", weigh(".wasm.gz")?, "kB");
    table.detail("raw", weigh(".wasm")?, "kB");
    let kilobytes = |name: &str| -> anyhow::Result<f64> {
        let path = root().join(name);
        Ok(fs::metadata(&path).with_context(|| path.display().to_string())?.len() as f64 / 1_000.0)
    };
    table.promise("embed.js, raw", kilobytes("embed.js")?, EMBED_BUDGET_KB, "kB");
    table.detail("brotli", kilobytes("embed.js.br")?, "kB");
    table.detail("hls.light.min.js, where it is needed, brotli", kilobytes("hls.light.min.js.br")?, "kB");
    Ok(())
}
