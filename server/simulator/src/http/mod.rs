//! The routes: the vendors' on one origin, and our own beside them.

mod account;
mod answer;
mod body;
mod clock;
mod faults;
mod gemini;
mod invoice;
mod page;
mod queue;
mod serve;
mod storage;
mod target;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};

use crate::world::World;

pub(crate) use answer::{Refusal, json_answer};
pub(crate) use serve::serve;

/// Requests with larger bodies are refused.
const MOST_BODY_BYTES: usize = 128 * 1024 * 1024;

/// Every route. What no other route knows is a fal endpoint.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/", get(page::show))
        .route("/faults", get(faults::list).put(faults::replace).post(faults::add).delete(faults::clear))
        .route("/faults/add", post(faults::add_by_form))
        .route("/faults/remove", post(faults::remove_by_form))
        .route("/faults/clear", post(faults::clear_by_form))
        .route("/clock", get(clock::show).put(clock::set))
        .route("/clock/advance", post(clock::advance_by_form))
        .route("/invoice", get(invoice::show))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/v1/meta", get(account::meta))
        .route("/v1/models/requests/by-endpoint", get(account::requests))
        .route("/v1/models/pricing", get(account::prices))
        .route("/v1/models", get(gemini::list))
        .route("/v1/models/{call}", get(gemini::show).post(gemini::call))
        .route("/v1beta/models", get(gemini::list))
        .route("/v1beta/models/{call}", get(gemini::show).post(gemini::call))
        .merge(storage::routes())
        .fallback(queue::route)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .with_state(world)
}

async fn jwks(State(world): State<Arc<World>>) -> axum::Json<serde_json::Value> {
    axum::Json(world.signer.jwks())
}
