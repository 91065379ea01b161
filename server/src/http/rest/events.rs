//! Generations as they change, over server-sent events: the first event of one is a full snapshot, and so is every other.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::State as FromState,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response, sse::Event},
};
use domain::{GenerationId, Locale, Scope, generation::GenerationView};
use futures::{StreamExt as _, stream};
use tokio::sync::broadcast::error::RecvError;

use super::{
    Rest,
    caller::Caller,
    generation::job_of,
    generation_schema::Generation,
    input::Params,
    problem::{self, Problem},
    refused,
};
use crate::http::{
    events::{HEARTBEAT, RETRY, answer, last_event_id, next_of},
    hub::Hub,
};

/// One generation as it changes, to its end.
///
/// Events are called `generation`, their data is a Generation, their id is its version. `Last-Event-ID` goes on where a
/// connection broke off; 204 says that its end was seen.
#[utoipa::path(
    get, path = "/api/admin/video-generation/{jobId}/events", operation_id = "watchGeneration", tag = "generations",
    params(("jobId" = Uuid, Path, description = "The generation.")),
    responses(
        (status = 200, description = "Events until it ends.", body = String, content_type = "text/event-stream"),
        (status = 204, description = "Its end was seen."),
    ),
    security(("token" = ["generation:read"]), ("session" = [])),
)]
pub async fn one(
    FromState(rest): FromState<Arc<Rest>>,
    FromState(hub): FromState<Arc<Hub>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Scope::GenerationRead)?;
    let id = params.id("jobId", GenerationId::from_uuid)?;
    let locale = problem::locale_of(&headers);
    // Listening begins before the snapshot is read: nothing falls between the two.
    let changes = hub.subscribe();
    let snapshot = rest.engine.generation_view(id).await.map_err(refused)?;
    if snapshot.state.is_final() && last_event_id(&headers).is_some_and(|seen| seen >= snapshot.version) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let first = stream::iter([event(&rest, &snapshot, locale).await]);
    let over = ends_with(rest.clone(), caller);
    let start = (rest, changes, snapshot.version, snapshot.state.is_final());
    let following = stream::unfold(start, move |(rest, mut changes, seen, ended)| async move {
        if ended {
            return None;
        }
        let view = next_of(&rest.engine, &mut changes, id, seen).await?;
        let told = event(&rest, &view, locale).await;
        Some((told, (rest, changes, view.version, view.state.is_final())))
    });
    Ok(answer(first.chain(following).take_until(over)))
}

/// Every generation as it changes, for as long as the connection lasts.
///
/// Begins with everything that is under way and what changed since `Last-Event-ID`.
#[utoipa::path(
    get, path = "/api/admin/video-generation/events", operation_id = "watchGenerations", tag = "generations",
    responses((status = 200, description = "Events without an end.", body = String, content_type = "text/event-stream")),
    security(("token" = ["generation:read"]), ("session" = [])),
)]
pub async fn all(
    FromState(rest): FromState<Arc<Rest>>,
    FromState(hub): FromState<Arc<Hub>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Scope::GenerationRead)?;
    let locale = problem::locale_of(&headers);
    let seen = last_event_id(&headers);
    let changes = hub.subscribe();
    let first = opening(&rest, seen, locale).await.map_err(refused)?;
    let over = ends_with(rest.clone(), caller);
    let following = stream::unfold((rest, changes, seen), move |(rest, mut changes, seen)| async move {
        let (events, seen) = match changes.recv().await {
            Ok(view) => (vec![event(&rest, &view, locale).await], seen.max(Some(view.version))),
            // What was missed is told from the last version this reader has.
            Err(RecvError::Lagged(_)) => (opening(&rest, seen, locale).await.ok()?, seen),
            Err(RecvError::Closed) => return None,
        };
        Some((stream::iter(events), (rest, changes, seen)))
    });
    Ok(answer(stream::iter(first).chain(following.flatten()).take_until(over)))
}

/// What a reader is told first.
async fn opening(
    rest: &Rest,
    seen: Option<i64>,
    locale: Locale,
) -> Result<Vec<Result<Event, Infallible>>, engine::Error> {
    let mut views = rest.engine.live_generations().await?;
    if let Some(version) = seen {
        let (missed, _) = rest.engine.changed_since(version).await?;
        let missed: Vec<_> = missed.into_iter().filter(|id| views.iter().all(|view| view.id != *id)).collect();
        views.extend(rest.engine.views(&missed).await?);
    }
    views.sort_by_key(|view| view.version);
    let mut events = Vec::with_capacity(views.len());
    for view in &views {
        events.push(event(rest, view, locale).await);
    }
    // Headers are sent with the first byte: nothing to tell is told as well.
    if events.is_empty() {
        events.push(Ok(Event::default().retry(RETRY).comment("nothing is under way")));
    }
    Ok(events)
}

async fn event(rest: &Rest, view: &GenerationView, locale: Locale) -> Result<Event, Infallible> {
    // A snapshot without its addresses is as true.
    let job = job_of(rest, view).await.ok().flatten();
    let generation = Generation::of(view, job.as_ref(), rest, locale);
    let named = Event::default().event("generation").id(view.version.to_string()).retry(RETRY);
    // Our own types always serialise; a comment is what would be left.
    Ok(named.json_data(&generation).unwrap_or_else(|_| Event::default().comment("lost")))
}

/// Waits until who asked may not ask any more.
async fn ends_with(rest: Arc<Rest>, caller: Caller) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        if !caller.still_stands(&rest).await {
            return;
        }
    }
}
