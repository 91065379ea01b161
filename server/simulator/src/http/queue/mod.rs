//! fal's queue and its direct endpoint: which path means what.

mod requests;
mod submit;

use std::sync::Arc;

use axum::body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use serde_json::{Value, json};

use super::MOST_BODY_BYTES;
use super::answer::{fal_refusal, json_answer};
use crate::world::World;

/// Paths of direct calls, fal.run's, begin with this.
const DIRECT: &str = "run";

/// A query, decoded.
type Pairs = Vec<(String, String)>;

/// Finds the endpoint and the verb in a path that belongs to no other route.
pub(crate) async fn route(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, raw) = request.into_parts();
    if let Some(refusal) = fal_refusal(&world, &parts.headers) {
        return refusal;
    }
    let path = parts.uri.path().trim_matches('/').to_owned();
    let segments: Vec<&str> = path.split('/').collect();
    let query = match Query::<Pairs>::try_from_uri(&parts.uri) {
        Ok(Query(query)) => query,
        Err(error) => return json_answer(400, json!({"detail": error.to_string()})),
    };
    let place = segments.iter().rposition(|segment| *segment == "requests");
    if let Some(place) = place.filter(|place| *place >= 2)
        && let Some(id) = segments.get(place + 1)
    {
        let app = segments[..place].join("/");
        let rest = segments[place + 2..].join("/");
        return requests::ask(&world, &parts.method, &app, id, &rest, &query).await;
    }
    if parts.method != Method::POST || segments.len() < 2 {
        return json_answer(404, json!({"detail": "Not Found"}));
    }
    let Ok(bytes) = body::to_bytes(raw, MOST_BODY_BYTES).await else {
        return json_answer(413, json!({"detail": "Request body too large"}));
    };
    let Ok(input) = serde_json::from_slice::<Value>(&bytes) else {
        return json_answer(
            422,
            json!({"detail": [{"loc": ["body"], "msg": "JSON decode error", "type": "json_invalid"}]}),
        );
    };
    match segments.split_first() {
        Some((first, endpoint)) if *first == DIRECT => {
            submit::run_directly(&world, &endpoint.join("/"), input, &parts.headers).await
        }
        _ => submit::submit(&world, &path, input, &query, &parts.headers).await,
    }
}

fn value_of<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn with_id(mut answer: Response, id: &str) -> Response {
    if let Ok(id) = HeaderValue::from_str(id) {
        answer.headers_mut().insert("x-fal-request-id", id);
    }
    answer
}
