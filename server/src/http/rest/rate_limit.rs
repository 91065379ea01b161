//! How often a caller may ask: so many requests in a minute of the clock, over all processes.
//!
//! Each process counts by itself and adds its counts to the database once a second, which answers with the sums. A request
//! waits for nobody; what several processes let through together may exceed the limit by what comes in a second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use engine::{Engine, Usage};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Length of a window, in seconds.
const WINDOW_SECS: i64 = 60;
/// Counts are added up this often.
const ADD_EVERY: Duration = Duration::from_secs(1);
/// The last ones, when the process ends, have so long.
const LAST_PATIENCE: Duration = Duration::from_secs(2);
/// Callers whose counts are added up in one statement.
const ADDED_MAX: usize = 1_000;

/// What is left of a minute to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    limit: u32,
    remaining: u64,
    /// Seconds until the next window, at least 1.
    pub reset_secs: u64,
    /// Nothing was left for this request.
    pub is_over: bool,
}

impl Standing {
    /// Writes the headers of draft-ietf-httpapi-ratelimit-headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let Self { limit, remaining, reset_secs, .. } = self;
        let policy = format!("\"minute\";q={limit};w={WINDOW_SECS}");
        let left = format!("\"minute\";r={remaining};t={reset_secs}");
        for (name, text) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// What a caller has asked in a minute.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    minute: i64,
    /// Counted here.
    here: u64,
    /// How much of that the sum holds.
    added: u64,
    /// Over all processes, when it was last asked.
    sum: u64,
}

/// Counts of every caller.
pub struct RateLimit {
    per_minute: u32,
    windows: Mutex<HashMap<Uuid, Window>>,
}

impl RateLimit {
    /// Counts for a limit.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, windows: Mutex::default() }
    }

    /// Counts a request, unless nothing is left for it.
    pub fn take(&self, caller: Uuid, now: DateTime<Utc>) -> Standing {
        let minute = now.timestamp().div_euclid(WINDOW_SECS);
        let reset_secs = u64::try_from(WINDOW_SECS - now.timestamp().rem_euclid(WINDOW_SECS)).unwrap_or(1);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(caller).or_default();
        if window.minute != minute {
            *window = Window { minute, ..Window::default() };
        }
        let left = u64::from(self.per_minute).saturating_sub(window.sum + (window.here - window.added));
        let is_over = left == 0;
        if !is_over {
            window.here += 1;
        }
        Standing { limit: self.per_minute, remaining: left.saturating_sub(1), reset_secs, is_over }
    }

    /// Adds the counts up until `stop` fires, and once more then.
    pub async fn add_up(self: Arc<Self>, engine: Engine, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(ADD_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.add(&engine).await,
                () = stop.cancelled() => break,
            }
        }
        if tokio::time::timeout(LAST_PATIENCE, self.add(&engine)).await.is_err() {
            tracing::warn!("the last requests of the API were not counted");
        }
    }

    async fn add(&self, engine: &Engine) {
        let usage = self.not_added(Utc::now());
        for some in usage.chunks(ADDED_MAX) {
            match engine.add_usage(some).await {
                Ok(sums) => self.learn(some, &sums),
                Err(error) => tracing::warn!(%error, "requests of the API could not be counted; again in a second"),
            }
        }
    }

    /// What was counted here and is in no sum yet; windows of before are forgotten.
    fn not_added(&self, now: DateTime<Utc>) -> Vec<Usage> {
        let minute = now.timestamp().div_euclid(WINDOW_SECS);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.retain(|_, window| window.minute >= minute - 1);
        windows
            .iter()
            .filter(|(_, window)| window.here > window.added)
            .filter_map(|(caller, window)| {
                Some(Usage {
                    caller: *caller,
                    minute: DateTime::from_timestamp(window.minute * WINDOW_SECS, 0)?,
                    requests: window.here - window.added,
                })
            })
            .collect()
    }

    fn learn(&self, usage: &[Usage], sums: &[u64]) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        for (one, sum) in usage.iter().zip(sums) {
            if let Some(window) = windows.get_mut(&one.caller)
                && window.minute == one.minute.timestamp().div_euclid(WINDOW_SECS)
            {
                window.added += one.requests;
                window.sum = *sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_040 + second, 0).unwrap()
    }

    #[test]
    fn a_minute_has_so_many_requests_and_the_next_as_many_again() {
        let limit = RateLimit::new(3);
        let caller = Uuid::from_u128(1);
        let left: Vec<u64> = (0..3).map(|second| limit.take(caller, at(second)).remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let over = limit.take(caller, at(20));
        assert_eq!((over.is_over, over.reset_secs), (true, 40));
        assert!(!limit.take(Uuid::from_u128(2), at(20)).is_over, "others are counted by themselves");
        assert!(!limit.take(caller, at(60)).is_over);
    }

    #[test]
    fn what_other_processes_let_through_counts_as_well() {
        let limit = RateLimit::new(10);
        let caller = Uuid::from_u128(1);
        limit.take(caller, at(0));
        limit.take(caller, at(0));
        let usage = limit.not_added(at(1));
        assert_eq!((usage.len(), usage[0].requests), (1, 2));
        limit.take(caller, at(1));
        limit.learn(&usage, &[8]);
        assert_eq!(limit.take(caller, at(2)).remaining, 0, "8 in all, one since, and this one");
        assert!(limit.take(caller, at(2)).is_over);
        assert_eq!(limit.not_added(at(3))[0].requests, 2);
        assert!(limit.not_added(at(200)).is_empty(), "a window that is over is forgotten");
    }

    #[test]
    fn the_headers_are_those_of_the_draft() {
        let mut headers = HeaderMap::new();
        RateLimit::new(600).take(Uuid::from_u128(1), at(0)).write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"minute\";q=600;w=60");
        assert_eq!(headers["ratelimit"], "\"minute\";r=599;t=60");
    }
}
