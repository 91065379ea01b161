//! Live progress over server-sent events (WHATWG HTML, 9.2). The first event is always a full snapshot, so a missed
//! message is never missed for long; the id of an event is the version of its generation and only grows.

use std::{convert::Infallible, sync::Arc, time::Duration};

use app::live::LiveEvent;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{GenerationId, GenerationState, UserId, generation::GenerationView};
use engine::Engine;
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tower_sessions::Session;

use super::hub::{Change, Hub};

/// After so long without a change the bell is told anew: reports and alarms come by the clock.
const BELL_EVERY: Duration = Duration::from_secs(60);
/// A comment is sent this often, so that proxies keep the connection; as often it is checked whose stream it is.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A browser that lost the connection comes back after this long.
pub(super) const RETRY: Duration = Duration::from_secs(2);

/// `GET /events/generations/{id}`: one generation, to its end.
pub async fn one(
    State(engine): State<Engine>,
    State(hub): State<Arc<Hub>>,
    Path(id): Path<String>,
    session: Session,
    headers: HeaderMap,
) -> Response {
    let Ok(id) = id.parse::<GenerationId>() else { return StatusCode::NOT_FOUND.into_response() };
    // Listening begins before the snapshot is read: nothing falls between the two.
    let changes = hub.subscribe();
    let snapshot = match engine.generation_view(id).await {
        Ok(view) => view,
        Err(error) => return refuse(&error),
    };
    if snapshot.state.is_final() && last_event_id(&headers).is_some_and(|seen| seen >= snapshot.version) {
        // The viewer has seen the end: this answer tells it not to come back.
        return StatusCode::NO_CONTENT.into_response();
    }
    let ended = snapshot.state.is_final();
    let first = stream::iter([generation_event(&snapshot, snapshot.version)]);
    let version = snapshot.version;
    let over = session_over(engine.clone(), session);
    let rest =
        stream::unfold((engine, changes, version, ended), move |(engine, mut changes, seen, ended)| async move {
            if ended {
                return None;
            }
            let view = next_of(&engine, &mut changes, id, seen).await?;
            let state = (engine, changes, view.version, view.state.is_final());
            Some((generation_event(&view, view.version), state))
        });
    answer(first.chain(rest).take_until(over))
}

/// The next newer snapshot of one generation.
pub(super) async fn next_of(
    engine: &Engine,
    changes: &mut Receiver<Arc<Change>>,
    id: GenerationId,
    seen: i64,
) -> Option<Arc<GenerationView>> {
    loop {
        match changes.recv().await {
            Ok(change) if change.view.id == id && change.view.version > seen => return Some(change.view.clone()),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => {
                let view = engine.generation_view(id).await.ok()?;
                if view.version > seen {
                    return Some(Arc::new(view));
                }
            }
            Err(RecvError::Closed) => return None,
        }
    }
}

/// `GET /events/generations`: everything that changes, the bell and the limits of the person who watches.
pub async fn all(
    State(engine): State<Engine>,
    State(hub): State<Arc<Hub>>,
    session: Session,
    headers: HeaderMap,
) -> Response {
    let person = match app::auth::session_person(&engine, &session).await {
        Ok(Some(person)) => person.id,
        Ok(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Err(error) => return refuse(&error),
    };
    let changes = hub.subscribe();
    let first = match opening(&engine, person, last_event_id(&headers)).await {
        Ok(events) => events,
        Err(error) => return refuse(&error),
    };
    let seen = last_event_id(&headers);
    let over = session_over(engine.clone(), session);
    let rest = stream::unfold((engine, changes, seen), move |(engine, mut changes, seen)| async move {
        let received = tokio::select! {
            received = changes.recv() => received,
            // What comes by the clock is nobody's generation.
            () = tokio::time::sleep(BELL_EVERY) => {
                let bell = engine.bell(person).await.ok();
                let events = bell.map(|bell| plain_event(&LiveEvent::Bell(bell))).into_iter().collect();
                return Some((stream::iter::<Vec<_>>(events), (engine, changes, seen)));
            }
        };
        let (events, seen) = match received {
            Ok(changed) => (change(&engine, person, &changed).await, seen.max(Some(changed.told))),
            // What was missed is told from the last version this viewer has.
            Err(RecvError::Lagged(_)) => (opening(&engine, person, seen).await.ok()?, seen),
            Err(RecvError::Closed) => return None,
        };
        Some((stream::iter(events), (engine, changes, seen)))
    });
    answer(stream::iter(first).chain(rest.flatten()).take_until(over))
}

/// Waits for the end of the session a stream was opened with: a sign-out, a new password, its time. While that cannot be
/// asked the stream goes on.
async fn session_over(engine: Engine, session: Session) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        // What this session said before is forgotten.
        if let Err(error) = session.load().await {
            tracing::debug!(%error, "the session of a stream could not be read");
            continue;
        }
        match app::auth::session_person(&engine, &session).await {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => tracing::debug!(%error, "the session of a stream could not be checked"),
        }
    }
}

/// What a viewer is told first: everything under way, what changed since it was last here, bell and limits.
async fn opening(
    engine: &Engine,
    person: UserId,
    seen: Option<i64>,
) -> Result<Vec<Result<Event, Infallible>>, engine::Error> {
    let mut views = engine.live_generations().await?;
    if let Some(version) = seen {
        let missed = engine.changed_since(version).await?.into_iter().map(|(id, _)| id);
        let missed: Vec<_> = missed.filter(|id| views.iter().all(|view| view.id != *id)).collect();
        views.extend(engine.views(&missed).await?);
    }
    views.sort_by_key(|view| view.version);
    let mut events = vec![plain_event(&LiveEvent::Limits(engine.limits().await?))];
    events.push(plain_event(&LiveEvent::Bell(engine.bell(person).await?)));
    events.extend(views.iter().map(|view| generation_event(view, view.version)));
    Ok(events)
}

/// What one change means for a viewer. A part that cannot be read now comes with the next change.
async fn change(engine: &Engine, person: UserId, change: &Change) -> Vec<Result<Event, Infallible>> {
    let Change { view, told } = change;
    let mut events = vec![generation_event(view, *told)];
    if let Ok(limits) = engine.limits().await {
        events.push(plain_event(&LiveEvent::Limits(limits)));
    }
    // The end is a notice, and a click may have brought the limit near.
    let brings_notice = view.state.is_final() || view.state == GenerationState::Queued;
    if brings_notice && let Ok(bell) = engine.bell(person).await {
        events.push(plain_event(&LiveEvent::Bell(bell)));
    }
    events
}

/// `id` is where a viewer goes on that comes back.
fn generation_event(view: &GenerationView, id: i64) -> Result<Event, Infallible> {
    plain_event(&LiveEvent::Generation(Box::new(view.clone()))).map(|event| event.id(id.to_string()))
}

fn plain_event(event: &LiveEvent) -> Result<Event, Infallible> {
    // Our own types always serialise; a comment is what would be left.
    Ok(Event::default().retry(RETRY).json_data(event).unwrap_or_else(|_| Event::default().comment("lost")))
}

pub(super) fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}

pub(super) fn answer(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn refuse(error: &engine::Error) -> Response {
    match error {
        engine::Error::NotFound(_) => StatusCode::NOT_FOUND.into_response(),
        error => {
            tracing::error!(%error, "a stream could not be opened: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response()
        }
    }
}
