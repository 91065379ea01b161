use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::json_answer;
use crate::desk::Rule;
use crate::world::World;

pub(crate) async fn list(State(world): State<Arc<World>>) -> Response {
    json_answer(200, json!(world.faults.list()))
}

/// Replaces the whole list.
pub(crate) async fn replace(State(world): State<Arc<World>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Vec<Rule>>(&body) {
        Ok(rules) => stored(world.faults.replace(rules).await),
        Err(error) => json_answer(400, json!({"error": error.to_string()})),
    }
}

pub(crate) async fn clear(State(world): State<Arc<World>>) -> Response {
    stored(world.faults.replace(Vec::new()).await)
}

/// The same for people: back to the page.
pub(crate) async fn clear_by_form(State(world): State<Arc<World>>) -> Response {
    back(world.faults.replace(Vec::new()).await)
}

/// One rule from the page's form.
#[derive(Deserialize)]
pub(crate) struct RuleForm {
    fault: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    times: String,
    /// A code, milliseconds or seconds, as the fault needs it.
    #[serde(default)]
    number: String,
}

pub(crate) async fn add(State(world): State<Arc<World>>, Form(form): Form<RuleForm>) -> Response {
    match serde_json::from_value::<Rule>(form.to_json()) {
        Ok(rule) => back(world.faults.push(rule).await),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

impl RuleForm {
    fn to_json(&self) -> Value {
        let mut rule = json!({
            "fault": self.fault, "times": self.times.trim().parse::<u32>().unwrap_or(1),
        });
        if !self.model.trim().is_empty() {
            rule["model"] = json!(self.model.trim());
        }
        let field = match self.fault.as_str() {
            "status" | "completed_with_error" => "status",
            "webhook_late_ms" | "delay_ms" => "ms",
            _ => "seconds",
        };
        if let Ok(number) = self.number.trim().parse::<u64>() {
            rule[field] = json!(number);
        }
        rule
    }
}

fn stored(saved: std::io::Result<()>) -> Response {
    match saved {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => json_answer(500, json!({"error": error.to_string()})),
    }
}

fn back(saved: std::io::Result<()>) -> Response {
    match saved {
        Ok(()) => Redirect::to("/").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
