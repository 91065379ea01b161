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

/// A fault as the page offers it.
pub(super) struct Choice {
    pub name: &'static str,
    /// The field its number goes to, when it has one.
    pub number: Option<&'static str>,
    pub label: &'static str,
}

const fn plain(name: &'static str, label: &'static str) -> Choice {
    Choice { name, number: None, label }
}

const fn counted(name: &'static str, number: &'static str, label: &'static str) -> Choice {
    Choice { name, number: Some(number), label }
}

/// Every fault there is, by when it happens.
pub(super) const CHOICES: [(&str, &[Choice]); 4] = [
    (
        "At the door",
        &[
            counted("status", "status", "answer with a status (number: the code)"),
            plain("bad_key", "refuse the key"),
            plain("drop_answer", "accept, then hang up"),
            plain("garbage", "accept, then answer garbage"),
            counted("never", "seconds", "accept, then say nothing (number: seconds)"),
            counted("delay_ms", "ms", "take longer (number: ms)"),
        ],
    ),
    (
        "While it runs",
        &[
            plain("moderation", "refuse the content"),
            counted("completed_with_error", "status", "complete with an error (number: the code)"),
            plain("truncated_media", "the file ends in the middle"),
            plain("wrong_type_media", "the file is of another type"),
        ],
    ),
    (
        "At the download",
        &[
            plain("expired_media", "the file is gone"),
            counted("huge_media", "bytes", "the file is huge (number: bytes)"),
            counted("slow_body", "bytes_per_sec", "the file comes slowly (number: bytes a second)"),
            counted("cut_body", "bytes", "the connection breaks (number: bytes)"),
        ],
    ),
    (
        "At the webhook",
        &[
            plain("webhook_none", "never told"),
            plain("webhook_duplicate", "told twice"),
            counted("webhook_late_ms", "ms", "told late (number: ms)"),
            plain("webhook_reordered", "told after the next one"),
            counted("webhook_stale", "seconds", "signed long ago (number: seconds)"),
            plain("webhook_bad_signature", "signed with a foreign key"),
            plain("webhook_tampered", "changed after signing"),
            plain("webhook_rotated_key", "signed with a new key"),
            plain("webhook_unknown_request", "told for a request nobody made, too"),
        ],
    ),
];

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

/// Adds one rule behind the others.
pub(crate) async fn add(State(world): State<Arc<World>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Rule>(&body) {
        Ok(rule) => stored(world.faults.push(rule).await),
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

/// One rule from the page's form. Fields that are left empty say nothing.
#[derive(Deserialize)]
pub(crate) struct RuleForm {
    fault: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    times: String,
    /// A code, milliseconds, seconds or bytes, as the fault needs it.
    #[serde(default)]
    number: String,
    #[serde(default)]
    step: String,
    #[serde(default)]
    request: String,
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    nth: String,
    /// How Gemini blocks.
    #[serde(default)]
    block: String,
    /// A status after it was accepted.
    #[serde(default)]
    accepted: String,
}

pub(crate) async fn add_by_form(State(world): State<Arc<World>>, Form(form): Form<RuleForm>) -> Response {
    match serde_json::from_value::<Rule>(form.to_json()) {
        Ok(rule) => back(world.faults.push(rule).await),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// A rule to be taken off, word for word as the page shows it.
#[derive(Deserialize)]
pub(crate) struct Removal {
    rule: String,
}

pub(crate) async fn remove_by_form(State(world): State<Arc<World>>, Form(removal): Form<Removal>) -> Response {
    match serde_json::from_str::<Rule>(&removal.rule) {
        // It may have been used up meanwhile: gone is gone.
        Ok(rule) => back(world.faults.remove(&rule).await.map(|_| ())),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

impl RuleForm {
    fn to_json(&self) -> Value {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let mut rule = json!({"fault": self.fault, "times": number(&self.times).unwrap_or(1)});
        let words =
            [("model", &self.model), ("step", &self.step), ("request", &self.request), ("prompt", &self.prompt)];
        for (field, text) in words {
            if !text.trim().is_empty() {
                rule[field] = json!(text.trim());
            }
        }
        if let Some(nth) = number(&self.nth) {
            rule["nth"] = json!(nth);
        }
        if self.fault == "moderation" && !self.block.is_empty() {
            rule["as"] = json!(self.block);
        }
        if self.fault == "status" && !self.accepted.is_empty() {
            rule["accepted"] = json!(true);
        }
        let choice = CHOICES.iter().flat_map(|(_, choices)| choices.iter()).find(|choice| choice.name == self.fault);
        if let (Some(field), Some(number)) = (choice.and_then(|choice| choice.number), number(&self.number)) {
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
