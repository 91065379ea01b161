//! Jobs that come by the clock.

use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use chrono_tz::Tz;
use croner::Cron;

use crate::{Error, NewJob};

type Make = dyn Fn(DateTime<Utc>) -> NewJob + Send + Sync;

/// Jobs that come by the clock: one per tick, however many processes there are. After a time in which nobody led, only
/// the last missed tick is made up for.
#[derive(Clone)]
pub struct Schedule {
    name: &'static str,
    cron: Cron,
    zone: Tz,
    make: Arc<Make>,
}

impl Schedule {
    /// A schedule. The name must not change between releases; `cron` has five fields (`30 4 * * *`), or six with the
    /// seconds first, read in `zone`; `make` gets the tick.
    ///
    /// # Errors
    /// [`Error::Schedule`] for words that are no cron expression.
    pub fn new(
        name: &'static str,
        cron: &str,
        zone: Tz,
        make: impl Fn(DateTime<Utc>) -> NewJob + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let refuse = |error: croner::errors::CronError| Error::Schedule { name, reason: error.to_string() };
        let cron = Cron::from_str(cron).map_err(refuse)?;
        Ok(Self { name, cron, zone, make: Arc::new(make) })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The last tick at or before an instant, if there is one after `since`.
    pub(crate) fn last_tick(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Parts of a second would become part of the tick.
        let now = now.trunc_subsecs(0).with_timezone(&self.zone);
        let tick = self.cron.find_previous_occurrence(&now, true).ok()?;
        Some(tick.with_timezone(&Utc)).filter(|tick| *tick > since)
    }

    /// The job of a tick. A panic of the caller's code must not take the leader with it.
    pub(crate) fn job(&self, tick: DateTime<Utc>) -> Result<NewJob, Error> {
        let made = std::panic::catch_unwind(AssertUnwindSafe(|| (self.make)(tick)));
        made.map_err(|_| Error::Schedule { name: self.name, reason: "making its job panicked".into() })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use serde_json::json;

    use super::*;

    fn daily() -> Schedule {
        let make = |_| NewJob::new("report", "local", json!({}));
        Schedule::new("report", "30 4 * * *", chrono_tz::Asia::Seoul, make)
            .unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn a_tick_is_read_in_the_zone_of_the_schedule() {
        let before = Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap();
        let after = Utc.with_ymd_and_hms(2026, 3, 1, 19, 30, 0).unwrap();
        assert_eq!(daily().last_tick(before, after), Some(after), "half past four in Seoul");
        assert_eq!(daily().last_tick(after, after + chrono::Duration::hours(23)), None, "that one is done");
    }

    #[test]
    fn of_missed_ticks_the_last_one_counts() {
        let before = Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 0).unwrap();
        let last = Utc.with_ymd_and_hms(2026, 3, 9, 19, 30, 0).unwrap();
        assert_eq!(daily().last_tick(before, last + chrono::Duration::hours(1)), Some(last));
    }

    #[test]
    fn a_sixth_field_in_front_is_seconds() {
        let make = |_| NewJob::new("tick", "local", json!({}));
        let often =
            Schedule::new("tick", "*/2 * * * * *", Tz::UTC, make).unwrap_or_else(|error| unreachable!("{error}"));
        let even = Utc.with_ymd_and_hms(2026, 3, 1, 0, 0, 4).unwrap();
        let now = even + chrono::Duration::milliseconds(1_900);
        assert_eq!(often.last_tick(even - chrono::Duration::seconds(2), now), Some(even));
        assert_eq!(often.last_tick(even, now), None);
    }

    #[test]
    fn other_words_are_refused() {
        let make = |_| NewJob::new("report", "local", json!({}));
        assert!(matches!(Schedule::new("report", "every day", Tz::UTC, make), Err(Error::Schedule { .. })));
    }
}
