use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::world::World;

/// The bill: every accepted paid request that was not taken back.
pub(crate) async fn show(State(world): State<Arc<World>>) -> Json<Value> {
    let entries = world.invoice.standing();
    let total: i64 = entries.iter().map(|entry| entry.amount_micro_usd).sum();
    let voided: Vec<Value> = world
        .invoice
        .voided()
        .into_iter()
        .map(|(entry, reason)| {
            json!({
                "id": entry.id, "request_id": entry.request_id,
                "amount_micro_usd": entry.amount_micro_usd, "reason": reason,
            })
        })
        .collect();
    Json(json!({
        "currency": "USD", "total_micro_usd": total, "entries": entries, "voided": voided,
    }))
}
