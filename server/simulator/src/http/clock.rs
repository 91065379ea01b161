//! Reading and moving the simulator's clock.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::json_answer;
use super::faults::{RuleForm, Wrong};
use super::page;
use crate::world::World;

/// What to do with the clock: all in this order.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    #[serde(default)]
    now: Option<DateTime<Utc>>,
    #[serde(default)]
    advance_secs: f64,
    #[serde(default)]
    is_running: Option<bool>,
}

pub(crate) async fn show(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({"now": world.clock.now(), "is_running": world.clock.is_running()}))
}

/// Sets it, puts it forward, stops it or lets it run.
pub(crate) async fn set(State(world): State<Arc<World>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Change>(&body) {
        Ok(change) => {
            apply(&world, &change);
            show(State(world)).await.into_response()
        }
        Err(error) => json_answer(400, json!({"error": error.to_string()})),
    }
}

fn apply(world: &World, change: &Change) {
    if let Some(now) = change.now {
        world.clock.set(now);
    }
    if let Ok(by) = Duration::try_from_secs_f64(change.advance_secs)
        && !by.is_zero()
    {
        world.clock.advance(by);
    }
    match change.is_running {
        Some(true) => world.clock.run(),
        Some(false) => world.clock.stop(),
        None => {}
    }
}

/// The page puts it forward by at most ten years at once.
const MOST_SECONDS: f64 = 315_360_000.0;

/// The same for people: back to the page.
#[derive(Deserialize)]
pub(crate) struct Advance {
    #[serde(default)]
    seconds: String,
}

pub(crate) async fn advance_by_form(State(world): State<Arc<World>>, Form(form): Form<Advance>) -> Response {
    match form.seconds.trim().parse::<f64>() {
        Ok(advance_secs) if (1.0..=MOST_SECONDS).contains(&advance_secs) => {
            apply(&world, &Change { advance_secs, ..Change::default() });
            Redirect::to("/").into_response()
        }
        _ => {
            let wrong = Wrong::new("seconds", format!("expected seconds: 1 to {MOST_SECONDS}"));
            page::refuse(&world, &RuleForm::default(), &wrong)
        }
    }
}
