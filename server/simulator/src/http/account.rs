//! fal's platform API: what the account asked for, and what a unit costs.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Detour, detour, fal_refusal, json_answer, refuse_as_fal};
use crate::desk::{Call, FalRequest, Step};
use crate::price;
use crate::world::World;

const USUAL_LIMIT: usize = 50;
const MOST_ITEMS: usize = 100;
const USUAL_HOURS: i64 = 24;
const USUAL_DAYS_BY_ID: i64 = 90;

struct Listing {
    endpoints: Vec<String>,
    request_id: Option<Uuid>,
    status: Option<String>,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    limit: usize,
    page: usize,
    payloads: bool,
}

/// Lists accepted requests of one or more endpoints, newest first. Unlike the
/// original it also lists requests that have not ended, with null times, so
/// that a lost submit answer can be looked up at once.
pub(crate) async fn requests(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    if let Some(refusal) = fal_refusal(&world, &headers) {
        return refusal;
    }
    let listing = match Listing::read(&query, world.clock.now()) {
        Ok(listing) => listing,
        Err(message) => {
            return json_answer(400, json!({"error": {"type": "validation_error", "message": message}}));
        }
    };
    let model = listing.endpoints.first().map(String::as_str).unwrap_or_default();
    let call = Call { model, step: Step::Listing, request: None, prompt: None };
    let mishap = match detour(&world, call, refuse_as_fal).await {
        Detour::Refuse(answer) => return answer,
        Detour::Spoil(mishap) => Some(mishap),
        Detour::Pass => None,
    };
    let mut found: Vec<FalRequest> = world.requests.all().into_iter().filter(|one| listing.wants(one)).collect();
    found.reverse();
    let from = (listing.page - 1).saturating_mul(listing.limit);
    let has_more = found.len() > from.saturating_add(listing.limit);
    let mut items = Vec::new();
    for request in found.iter().skip(from).take(listing.limit) {
        items.push(item(&world, request, listing.payloads).await);
    }
    let next = has_more.then(|| STANDARD.encode((listing.page + 1).to_string()));
    let answer = json_answer(200, json!({"items": items, "next_cursor": next, "has_more": has_more}));
    match mishap {
        Some(mishap) => mishap.befall(&world, answer, refuse_as_fal).await,
        None => answer,
    }
}

impl Listing {
    fn read(query: &[(String, String)], now: DateTime<Utc>) -> Result<Self, String> {
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let endpoints: Vec<String> = query
            .iter()
            .filter(|(key, _)| key == "endpoint_id")
            .flat_map(|(_, value)| value.split(','))
            .map(str::to_owned)
            .collect();
        if endpoints.is_empty() {
            return Err("endpoint_id is required".into());
        }
        let request_id = value("request_id")
            .map(|text| Uuid::parse_str(text).map_err(|_| "request_id is not a UUID"))
            .transpose()?;
        let back = match request_id {
            Some(_) => TimeDelta::days(USUAL_DAYS_BY_ID),
            None => TimeDelta::hours(USUAL_HOURS),
        };
        let limit = match value("limit") {
            None => USUAL_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST_ITEMS).contains(limit))
                .ok_or("limit must be from 1 to 100")?,
        };
        Ok(Self {
            endpoints,
            request_id,
            status: value("status").map(str::to_owned),
            start: value("start").map(read_time).transpose()?.unwrap_or(now - back),
            end: value("end").map(read_time).transpose()?.unwrap_or(now + TimeDelta::seconds(1)),
            limit,
            page: value("cursor").map(read_cursor).transpose()?.unwrap_or(1),
            payloads: value("expand").is_some_and(|text| text.contains("payloads")),
        })
    }

    fn wants(&self, request: &FalRequest) -> bool {
        let code = request.outcome.as_ref().map(|outcome| outcome.status);
        let status_fits = match self.status.as_deref() {
            Some("success") => code.is_some_and(|code| code < 400),
            Some("user_error") => code.is_some_and(|code| (400..500).contains(&code)),
            Some("error") => code.is_some_and(|code| code >= 500),
            _ => true,
        };
        status_fits
            && self.endpoints.contains(&request.endpoint)
            && self.request_id.is_none_or(|id| id == request.id)
            && request.accepted_at >= self.start
            && request.accepted_at < self.end
    }
}

async fn item(world: &World, request: &FalRequest, payloads: bool) -> Value {
    let duration = request.started_at.zip(request.ended_at).map(|(started, ended)| (ended - started).as_seconds_f64());
    let mut item = json!({
        "request_id": request.id,
        "endpoint_id": request.endpoint,
        "sent_at": request.accepted_at,
        "started_at": request.started_at,
        "ended_at": request.ended_at,
        "status_code": request.outcome.as_ref().map(|outcome| outcome.status),
        "duration": duration,
    });
    if payloads {
        item["json_input"] = world.requests.input(request.id).await.ok().flatten().into();
        item["json_output"] = request.outcome.as_ref().map(|one| one.body.clone()).into();
    }
    item
}

/// A moment, or the start of a day.
fn read_time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.with_timezone(&Utc));
    }
    text.parse::<NaiveDate>()
        .ok()
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .map(|time| time.and_utc())
        .ok_or_else(|| format!("{text} is not a date in ISO 8601"))
}

fn read_cursor(text: &str) -> Result<usize, String> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.parse().ok())
        .filter(|page| *page >= 1)
        .ok_or_else(|| "cursor is not one of ours".to_owned())
}

/// Unit prices of the endpoints asked for: a check of the key that costs nothing.
pub(crate) async fn prices(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    if let Some(refusal) = fal_refusal(&world, &headers) {
        return refusal;
    }
    let prices: Vec<Value> = query
        .iter()
        .filter(|(key, _)| key == "endpoint_id")
        .flat_map(|(_, value)| value.split(','))
        .filter_map(unit_price)
        .collect();
    json_answer(200, json!({"prices": prices}))
}

fn unit_price(endpoint: &str) -> Option<Value> {
    let (endpoint, unit, micro_usd_per_million) = price::LIST.iter().find(|line| line.0 == endpoint)?;
    let dollars = *micro_usd_per_million as f64 / 1e12;
    Some(json!({
        "endpoint_id": endpoint, "unit_price": dollars, "unit": unit.name(), "currency": "USD",
    }))
}

/// From where webhooks come: this machine.
pub(crate) async fn meta() -> Response {
    json_answer(200, json!({"webhook_ip_ranges": ["127.0.0.1/32", "::1/128"]}))
}
