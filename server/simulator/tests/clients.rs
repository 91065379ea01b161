//! The vendors' own clients, unchanged but for where they send their requests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use simulator::Settings;
use support::{Desk, product_photo};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(180);

/// Where the clients are installed, pinned; once for all tests.
static FOLDER: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    let done = std::process::Command::new("bash").arg(scripts().join("install")).output();
    let done = done.map_err(|error| format!("bash does not start: {error}"))?;
    if !done.status.success() {
        return Err(format!("the clients cannot be installed: {}", String::from_utf8_lossy(&done.stderr)));
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&done.stdout).trim()))
});

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Runs a script of `clients` against a simulator of its own.
async fn satisfy(script: &str) {
    let folder = tokio::task::spawn_blocking(|| FOLDER.clone()).await.unwrap().unwrap();
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open_with(Settings {
        state_dir: state.path().to_owned(),
        // Long enough to cancel what has just been submitted.
        queue_delay_ms: 300,
        fal_key: Some("key:secret".into()),
        gemini_key: Some("right".into()),
        ..Settings::default()
    })
    .await;
    let photo = desk.upload(&product_photo()).await;
    let is_python = script.ends_with(".py");
    let program = if is_python { folder.join("venv/bin/python") } else { PathBuf::from("node") };
    let mut run = Command::new(program);
    run.arg(scripts().join(script)).arg(&desk.base).arg(&folder).env("PHOTO_URL", photo);
    run.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null()).kill_on_drop(true);
    let done = tokio::time::timeout(PATIENCE, run.output()).await.expect("the script ends").unwrap();
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&said));
    desk.simulator.stop().await;
}

#[tokio::test]
async fn fals_javascript_client_is_satisfied() {
    satisfy("fal.mjs").await;
}

#[tokio::test]
async fn fals_python_client_is_satisfied() {
    satisfy("fal_queue.py").await;
}

#[tokio::test]
async fn googles_javascript_client_is_satisfied() {
    satisfy("genai.mjs").await;
}

#[tokio::test]
async fn googles_python_client_is_satisfied() {
    satisfy("genai_call.py").await;
}
