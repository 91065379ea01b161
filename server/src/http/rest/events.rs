//! Generations as they change, over server-sent events: the first event of one is a full snapshot, and so is every other.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State as FromState,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response, sse::Event},
};
use domain::{GenerationId, Locale, Scope, generation::GenerationView};
use engine::{CHANGES_AT_ONCE, VideoJob};
use futures::{StreamExt as _, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    Rest,
    caller::Caller,
    generation::job_of,
    generation_schema::Generation,
    input::Params,
    problem::{self, Problem},
    refused,
    streams::OpenStream,
};
use crate::http::{
    events::{RETRY, answer, last_event_id, next_of},
    hub::{Change, Hub},
};

/// So often it is asked whether who opened a stream may still read it.
const ASKED_EVERY: Duration = Duration::from_secs(5);

/// One generation as it changes, to its end.
///
/// Events are called `generation`, their data is a Generation, their id is its version. `Last-Event-ID` goes on where a
/// connection broke off; 204 says that its end was seen. A caller has ten streams open at most; one ends within ten seconds
/// of the end of its token.
#[utoipa::path(
    get, path = "/api/admin/video-generation/{jobId}/events", operation_id = "watchGeneration", tag = "generations",
    params(
        ("jobId" = Uuid, Path, description = "The generation."),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen; browsers send it."),
    ),
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
    let open = rest.streams.open(caller.id)?;
    let locale = problem::locale_of(&headers);
    // Listening begins before the snapshot is read: nothing falls between the two.
    let changes = hub.subscribe();
    let snapshot = rest.engine.generation_view(id).await.map_err(refused)?;
    if snapshot.state.is_final() && last_event_id(&headers).is_some_and(|seen| seen >= snapshot.version) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let first = stream::iter([event(&rest, &snapshot, snapshot.version, locale).await]);
    let over = ends_with(rest.clone(), caller, open);
    let start = (rest, changes, snapshot.version, snapshot.state.is_final());
    let following = stream::unfold(start, move |(rest, mut changes, seen, ended)| async move {
        if ended {
            return None;
        }
        let view = next_of(&rest.engine, &mut changes, id, seen).await?;
        let told = event(&rest, &view, view.version, locale).await;
        Some((told, (rest, changes, view.version, view.state.is_final())))
    });
    Ok(answer(first.chain(following).take_until(over)))
}

/// Every generation as it changes, for as long as the connection lasts.
///
/// Begins with everything that is under way and what changed since `Last-Event-ID`, however much that is. A caller has ten
/// streams open at most; one ends within ten seconds of the end of its token.
#[utoipa::path(
    get, path = "/api/admin/video-generation/events", operation_id = "watchGenerations", tag = "generations",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen; browsers send it.")),
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
    let open = rest.streams.open(caller.id)?;
    let locale = problem::locale_of(&headers);
    // Listening begins before anything is read: nothing falls between the two.
    let changes = hub.subscribe();
    // Nobody has seen more than there is: an id of another server, or of before a restore, would keep everything from being told.
    let newest = rest.engine.newest_version().await.map_err(refused)?;
    let seen = last_event_id(&headers).map_or(newest, |seen| seen.min(newest));
    let behind = Some(Behind::Live { after: 0 });
    let mut reader = Reader { rest: rest.clone(), changes, locale, seen, behind };
    // Headers are sent with the first byte: nothing to tell is told as well.
    let nothing = || vec![Ok(Event::default().retry(RETRY).comment("nothing is under way"))];
    let first = reader.page().await.map_err(refused)?.unwrap_or_else(nothing);
    let following = stream::unfold(reader, |mut reader| async move {
        let events = reader.next().await?;
        Some((stream::iter(events), reader))
    });
    let over = ends_with(rest, caller, open);
    Ok(answer(stream::iter(first).chain(following.flatten()).take_until(over)))
}

/// What a reader is told. Its id is where it goes on when it comes back.
type Told = Result<Event, Infallible>;

/// A reader of every generation. Ids of its events grow, and once one was told so was everything up to it: the snapshot may
/// be newer than its id.
struct Reader {
    rest: Arc<Rest>,
    changes: Receiver<Arc<Change>>,
    locale: Locale,
    /// Everything up to this version was told, or is told while it is behind.
    seen: i64,
    /// What of before is still to be told.
    behind: Option<Behind>,
}

/// What of before is told next.
#[derive(Clone, Copy)]
enum Behind {
    /// What is under way and did not change since the reader was last here.
    Live { after: i64 },
    /// What changed since.
    Changed,
}

impl Reader {
    /// What comes next; none when nothing will.
    async fn next(&mut self) -> Option<Vec<Told>> {
        loop {
            match self.page().await {
                Ok(Some(events)) => return Some(events),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ends, its reader comes back: {error}");
                    return None;
                }
            }
            match self.changes.recv().await {
                // It was told from before.
                Ok(change) if change.told < self.seen => {}
                Ok(change) => {
                    self.seen = change.told;
                    return Some(vec![event(&self.rest, &change.view, change.told, self.locale).await]);
                }
                Err(RecvError::Lagged(_)) => self.behind = Some(Behind::Changed),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// A page of what was before; none once all of it is told.
    async fn page(&mut self) -> Result<Option<Vec<Told>>, engine::Error> {
        while let Some(behind) = self.behind {
            let listed = match behind {
                Behind::Live { after } => self.rest.engine.live_between(after, self.seen).await?,
                Behind::Changed => self.rest.engine.changed_since(self.seen).await?,
            };
            let last = listed.last().map(|(_, version)| *version);
            let is_whole = listed.len() < CHANGES_AT_ONCE;
            self.behind = match (behind, last) {
                (Behind::Live { .. }, Some(after)) if !is_whole => Some(Behind::Live { after }),
                (Behind::Live { .. }, _) => Some(Behind::Changed),
                (Behind::Changed, _) => (!is_whole).then_some(Behind::Changed),
            };
            if let (Behind::Changed, Some(version)) = (behind, last) {
                self.seen = version;
            }
            if !listed.is_empty() {
                return Ok(Some(tell(&self.rest, &listed, self.locale).await?));
            }
        }
        Ok(None)
    }
}

/// Generations of a list as they are now, each with the version it is listed with.
async fn tell(rest: &Rest, listed: &[(GenerationId, i64)], locale: Locale) -> Result<Vec<Told>, engine::Error> {
    let ids: Vec<GenerationId> = listed.iter().map(|(id, _)| *id).collect();
    let views = rest.engine.views(&ids).await?;
    let ended: Vec<GenerationId> = views.iter().filter(|view| view.state.is_final()).map(|view| view.id).collect();
    // A snapshot without its addresses is as true.
    let jobs = rest.engine.video_jobs(&ended).await.unwrap_or_default();
    let versions: HashMap<GenerationId, i64> = listed.iter().copied().collect();
    let told = views.iter().filter_map(|view| {
        let version = versions.get(&view.id)?;
        Some(written(rest, view, jobs.get(&view.id), *version, locale))
    });
    Ok(told.collect())
}

async fn event(rest: &Rest, view: &GenerationView, id: i64, locale: Locale) -> Told {
    // A snapshot without its addresses is as true.
    let job = job_of(rest, view).await.ok().flatten();
    written(rest, view, job.as_ref(), id, locale)
}

fn written(rest: &Rest, view: &GenerationView, job: Option<&VideoJob>, id: i64, locale: Locale) -> Told {
    let generation = Generation::of(view, job, rest, locale);
    let named = Event::default().event("generation").id(id.to_string()).retry(RETRY);
    // Our own types always serialise; a comment is what would be left.
    Ok(named.json_data(&generation).unwrap_or_else(|_| Event::default().comment("lost")))
}

/// Waits until who asked may not ask any more; until then the stream counts as open.
async fn ends_with(rest: Arc<Rest>, caller: Caller, open: OpenStream) {
    loop {
        tokio::time::sleep(ASKED_EVERY).await;
        if !caller.still_stands(&rest).await {
            break;
        }
    }
    drop(open);
}
