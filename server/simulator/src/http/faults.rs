use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::json_answer;
use super::page;
use crate::desk::{Fault, Rule, Step};
use crate::world::World;

/// A fault as the page offers it.
pub(super) struct Choice {
    pub name: &'static str,
    /// The field its number goes to and what it counts, when it has one.
    pub number: Option<(&'static str, &'static str)>,
    pub label: &'static str,
}

const fn plain(name: &'static str, label: &'static str) -> Choice {
    Choice { name, number: None, label }
}

const fn counted(name: &'static str, field: &'static str, unit: &'static str, label: &'static str) -> Choice {
    Choice { name, number: Some((field, unit)), label }
}

/// Every fault there is, by when it happens.
pub(super) const CHOICES: [(&str, &[Choice]); 4] = [
    (
        "At the door",
        &[
            counted("status", "status", "the code", "answer with a status"),
            plain("bad_key", "refuse the key"),
            plain("drop_answer", "accept, then hang up"),
            plain("garbage", "accept, then answer garbage"),
            counted("never", "seconds", "seconds", "accept, then say nothing"),
            counted("delay_ms", "ms", "ms", "take longer"),
        ],
    ),
    (
        "While it runs",
        &[
            plain("moderation", "refuse the content"),
            counted("completed_with_error", "status", "the code", "complete with an error"),
            plain("truncated_media", "the file ends in the middle"),
            plain("wrong_type_media", "the file is of another type"),
        ],
    ),
    (
        "At the download",
        &[
            plain("expired_media", "the file is gone"),
            counted("huge_media", "bytes", "bytes", "the file is huge"),
            counted("slow_body", "bytes_per_sec", "bytes a second", "the file comes slowly"),
            counted("cut_body", "bytes", "bytes", "the connection breaks"),
        ],
    ),
    (
        "At the webhook",
        &[
            plain("webhook_none", "never told"),
            plain("webhook_duplicate", "told twice"),
            counted("webhook_late_ms", "ms", "ms", "told late"),
            plain("webhook_reordered", "told after the next one"),
            counted("webhook_stale", "seconds", "seconds", "signed long ago"),
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
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct RuleForm {
    #[serde(default)]
    pub fault: String,
    #[serde(default)]
    pub model: String,
    #[serde(default)]
    pub times: String,
    /// A code, milliseconds, seconds or bytes, as the fault needs it.
    #[serde(default)]
    pub number: String,
    #[serde(default)]
    pub step: String,
    #[serde(default)]
    pub request: String,
    #[serde(default)]
    pub prompt: String,
    #[serde(default)]
    pub nth: String,
    /// How Gemini blocks.
    #[serde(default)]
    pub block: String,
    /// A status after it was accepted.
    #[serde(default)]
    pub accepted: String,
}

/// What cannot be done: which field of the page is wrong, and what belongs there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub field: &'static str,
    pub expected: String,
}

impl Wrong {
    pub fn new(field: &'static str, expected: impl Into<String>) -> Self {
        Self { field, expected: expected.into() }
    }
}

pub(crate) async fn add_by_form(State(world): State<Arc<World>>, Form(form): Form<RuleForm>) -> Response {
    match form.read() {
        Ok(rule) => back(world.faults.push(rule).await),
        Err(wrong) => page::refuse(&world, &form, &wrong),
    }
}

/// A rule to be taken off, word for word as the page holds it.
#[derive(Deserialize)]
pub(crate) struct Removal {
    #[serde(default)]
    rule: String,
}

pub(crate) async fn remove_by_form(State(world): State<Arc<World>>, Form(removal): Form<Removal>) -> Response {
    match serde_json::from_str::<Rule>(&removal.rule) {
        // It may have been used up meanwhile: gone is gone.
        Ok(rule) => back(world.faults.remove(&rule).await.map(|_| ())),
        Err(_) => {
            let wrong = Wrong::new("rule", "expected one of the rules below");
            page::refuse(&world, &RuleForm::default(), &wrong)
        }
    }
}

impl RuleForm {
    /// The rule it means, or the first field that is wrong.
    fn read(&self) -> Result<Rule, Wrong> {
        let fault = self.fault()?;
        let step = match self.step.trim() {
            "" => None,
            word => Some(word_of::<Step>(word).ok_or_else(|| Wrong::new("step", "expected a step of the list"))?),
        };
        let words = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Rule {
            model: words(&self.model),
            step,
            request: words(&self.request),
            prompt: words(&self.prompt),
            nth: count("nth", &self.nth)?,
            times: count("times", &self.times)?.unwrap_or(1),
            fault,
        })
    }

    fn fault(&self) -> Result<Fault, Wrong> {
        let mut fault = json!({"fault": self.fault});
        if let Some((field, unit)) = choice(&self.fault).and_then(|(_, choice)| choice.number)
            && let Some(number) = self.number(field, unit)?
        {
            fault[field] = json!(number);
        }
        if self.fault == "moderation" && !self.block.is_empty() {
            fault["as"] = json!(self.block);
        }
        if self.fault == "status" && !self.accepted.is_empty() {
            fault["accepted"] = json!(true);
        }
        let is_blocked = fault.get("as").is_some();
        serde_json::from_value(fault).map_err(|_| match is_blocked {
            true => Wrong::new("block", "expected a way of the list"),
            false => Wrong::new("fault", "expected a fault of the list"),
        })
    }

    /// The number of the fault; faults that have a usual one need none.
    fn number(&self, field: &str, unit: &str) -> Result<Option<u64>, Wrong> {
        let text = self.number.trim();
        let most = if field == "status" { 599 } else { MOST };
        let least = if field == "status" { 100 } else { 0 };
        let is_needed = matches!(self.fault.as_str(), "status" | "delay_ms" | "webhook_late_ms");
        match text.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            Err(_) if text.is_empty() && !is_needed => Ok(None),
            _ => {
                let what = if field == "status" { "a status" } else { unit };
                Err(Wrong::new("number", format!("expected {what}: {least} to {most}")))
            }
        }
    }
}

/// Longest wait and largest file that are asked for by the page.
const MOST: u64 = 10_000_000_000;

/// A count from 1; none when nothing is said.
fn count(field: &'static str, text: &str) -> Result<Option<u32>, Wrong> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(count) if count > 0 => Ok(Some(count)),
            _ => Err(Wrong::new(field, format!("expected a whole number from 1 to {}", u32::MAX))),
        },
    }
}

/// The fault of this name as the page offers it, and when it happens.
pub(super) fn choice(name: &str) -> Option<(&'static str, &'static Choice)> {
    let choices = CHOICES.iter().flat_map(|(when, choices)| choices.iter().map(|choice| (*when, choice)));
    choices.into_iter().find(|(_, choice)| choice.name == name)
}

fn word_of<T: serde::de::DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(Value::from(word)).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fault: &str, number: &str) -> RuleForm {
        RuleForm { fault: fault.to_owned(), number: number.to_owned(), ..RuleForm::default() }
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        let field = |form: RuleForm| form.read().err().map(|wrong| wrong.field);
        assert_eq!(field(form("status", "503")), None);
        assert_eq!(field(form("huge_media", "")), None, "it has a usual size");
        for number in ["", "99", "600", "soon", "-1", "5.5"] {
            assert_eq!(field(form("status", number)), Some("number"), "{number}");
        }
        assert_eq!(field(form("delay_ms", "")), Some("number"));
        assert_eq!(field(form("explode", "")), Some("fault"));
        assert_eq!(field(RuleForm { step: "lunch".into(), ..form("garbage", "") }), Some("step"));
        assert_eq!(field(RuleForm { block: "shout".into(), ..form("moderation", "") }), Some("block"));
        for count in ["0", "often", "4294967296"] {
            assert_eq!(field(RuleForm { times: count.into(), ..form("garbage", "") }), Some("times"), "{count}");
            assert_eq!(field(RuleForm { nth: count.into(), ..form("garbage", "") }), Some("nth"), "{count}");
        }
    }
}
