//! Pausing and resuming now and then, and what must not have started meanwhile.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// What a person may pause.
const SCOPES: [&str; 5] =
    ["everything", "recipe:product_video", "provider:fal", "provider:gemini", "model:fal/fal-ai/pika/v2.2/pikaframes"];
/// A statement that was under way when the pause came may still start something.
const UNDER_WAY_SECS: f64 = 1.5;
/// Somebody pauses something this often.
const EVERY_TICKS: u64 = 25;

/// A pause somebody wants, has, or wants to end.
#[derive(Debug, Clone)]
pub struct Pause {
    pub scope: &'static str,
    until_tick: u64,
    /// Since when it is known to hold, by the clock of the database.
    held_from: Option<DateTime<Utc>>,
    /// When it was first asked to end; nothing when that is not known.
    held_until: Option<Option<DateTime<Utc>>>,
}

/// What is to be done about a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Pause,
    Wait,
    Resume,
}

impl Pause {
    /// The pause that somebody wants at this tick, if anybody does.
    pub fn drawn(tick: u64, draw: u64) -> Option<Self> {
        let scope = SCOPES[usize::try_from(draw % 5).unwrap()];
        let (until_tick, held_from, held_until) = (tick + 6 + (draw >> 32) % 8, None, None);
        (tick % EVERY_TICKS == 8).then_some(Self { scope, until_tick, held_from, held_until })
    }

    pub fn next(&self, tick: u64) -> Next {
        match (tick < self.until_tick, self.held_from) {
            (true, None) => Next::Pause,
            (true, Some(_)) => Next::Wait,
            (false, _) => Next::Resume,
        }
    }

    /// It was answered that it holds.
    pub fn note_held(&mut self, now: Option<DateTime<Utc>>) {
        self.held_from = now;
    }

    /// It is asked to end; an answer that is lost does not say when it did.
    pub fn note_ending(&mut self, now: Option<DateTime<Utc>>) {
        self.held_until.get_or_insert(now);
    }

    /// From when until when it held, where both are known.
    pub fn hold(&self) -> Option<Hold> {
        Some(Hold { scope: self.scope, from: self.held_from?, until: self.held_until.flatten()? })
    }
}

/// A time in which a pause held.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    scope: &'static str,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// What started although it was paused. Parked jobs go on: they have been asked for.
pub async fn broken(connection: &mut PgConnection, holds: &[Hold]) -> Vec<String> {
    let mut found = Vec::new();
    for hold in holds {
        let (what, name) = hold.scope.split_once(':').unwrap_or((hold.scope, ""));
        let started: Vec<String> = sqlx::query_scalar(
            "select format('%s of %s, from %s at %s', j.kind, j.group_name, e.from_state, e.at)
             from job_events e join jobs j on j.id = e.job_id
             where e.to_state = 'running' and e.from_state <> 'parked'
               and e.at > $1 + make_interval(secs => $5) and e.at < $2
               and ($3 = 'everything' or ($3 = 'recipe' and j.label = $4) or ($3 = 'model' and j.group_name = $4)
                    or ($3 = 'provider' and j.group_name like $4 || '/%'))",
        )
        .bind(hold.from)
        .bind(hold.until)
        .bind(what)
        .bind(name)
        .bind(UNDER_WAY_SECS)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        found.extend(started.into_iter().map(|job| format!("started while {hold:?}: {job}")));
    }
    found
}
