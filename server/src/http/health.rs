//! Whether this process lives, and whether everything it needs is there.

use std::path::PathBuf;

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use engine::Engine;
use nix::sys::statvfs::statvfs;
use serde_json::{Value, json};

/// A worker needs so much room in its folder: a clip, its renditions and what paid answers wait there.
const ROOM_BYTES: u64 = 512 * 1024 * 1024;

/// `/health/live` and `/health/ready` of a process that serves.
pub fn routes<S>(engine: Engine) -> Router<S> {
    checks(Checks { engine, work_dir: None })
}

/// The same of a process that works in a folder.
pub fn worker_routes<S>(engine: Engine, work_dir: PathBuf) -> Router<S> {
    checks(Checks { engine, work_dir: Some(work_dir) })
}

#[derive(Clone)]
struct Checks {
    engine: Engine,
    work_dir: Option<PathBuf>,
}

fn checks<S>(checks: Checks) -> Router<S> {
    Router::new().route("/health/live", get(async || "ok")).route("/health/ready", get(ready)).with_state(checks)
}

/// Every part, by name. Redis may be away: jobs are then claimed from Postgres, slower.
async fn ready(State(Checks { engine, work_dir }): State<Checks>) -> (StatusCode, Json<Value>) {
    let (postgres, store, queue) =
        tokio::join!(engine.check_postgres(), engine.store().health(), engine.queue().health());
    let word = |ok: bool| if ok { "ok" } else { "down" };
    let mut parts = json!({
        "postgres": word(postgres.is_ok()),
        "object_store": word(store.is_ok()),
        "redis": word(queue.redis),
    });
    let mut ready = postgres.is_ok() && store.is_ok();
    if let Some(folder) = work_dir {
        let has_room = tokio::task::spawn_blocking(move || has_room(&folder)).await.unwrap_or(false);
        parts["work_dir"] = if has_room { "ok" } else { "full" }.into();
        ready &= has_room;
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "parts": parts })))
}

fn has_room(folder: &std::path::Path) -> bool {
    statvfs(folder).is_ok_and(|disk| has_bytes(disk.blocks_available(), disk.fragment_size()))
}

/// The counts are of other widths on other systems.
fn has_bytes(blocks: impl Into<u64>, block_bytes: impl Into<u64>) -> bool {
    blocks.into().saturating_mul(block_bytes.into()) >= ROOM_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_has_no_room() {
        assert!(!has_room(std::path::Path::new("/no/such/folder")));
        assert!(has_room(&std::env::temp_dir()), "the tests need half a gibibyte themselves");
    }
}
