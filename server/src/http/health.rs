//! Whether this process lives, and whether everything it needs is there.

use axum::{Json, extract::State, http::StatusCode};
use engine::Engine;
use serde_json::{Value, json};

/// The process answers.
pub async fn live() -> &'static str {
    "ok"
}

/// Every part, by name. Redis may be away: jobs are then claimed from Postgres, slower.
pub async fn ready(State(engine): State<Engine>) -> (StatusCode, Json<Value>) {
    let (postgres, store, queue) =
        tokio::join!(engine.check_postgres(), engine.store().health(), engine.queue().health());
    let word = |ok: bool| if ok { "ok" } else { "down" };
    let ready = postgres.is_ok() && store.is_ok();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        "parts": {
            "postgres": word(postgres.is_ok()),
            "object_store": word(store.is_ok()),
            "redis": word(queue.redis),
        },
    });
    (status, Json(body))
}
