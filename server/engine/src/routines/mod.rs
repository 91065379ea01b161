//! What is done by the clock, whoever leads: the report of the day, alarms, models that retire or cost something else than
//! we believe, retention.

mod provider_check;
mod store;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::notice::Fact;
use jobs::{Attempt, Failure, Handler, Job, NewJob, Outcome, Schedule};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Engine, Error, answers, limits, notices, outgoing, sessions, stages::kind::LOCAL_GROUP, tokens};

/// After everything people wait for.
const PRIORITY: u16 = 1_023;
/// A queue in which something has waited for so long is stuck.
const STUCK_AFTER: TimeDelta = TimeDelta::minutes(10);
/// An alarm that goes on is raised again after so many hours.
const ALARM_EVERY_HOURS: i64 = 6;
/// Of the generations that ended in the last hour, so many failures are an alarm when they are half of them or more.
const FAILURES: i64 = 3;
/// Days before its retirement on which a model is spoken of.
const RETIREMENT_WARNINGS: [u64; 3] = [30, 7, 1];
/// Notices and webhooks are kept for so many days.
const KEEP_DAYS: i32 = 90;

/// One thing that is done by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Routine {
    Report,
    Alarms,
    Catalogue,
    Retention,
}

impl Routine {
    const ALL: [Self; 4] = [Self::Report, Self::Alarms, Self::Catalogue, Self::Retention];

    /// The kind of its jobs and the name of its schedule.
    const fn name(self) -> &'static str {
        match self {
            Self::Report => "daily_report",
            Self::Alarms => "alarms",
            Self::Catalogue => "catalogue_check",
            Self::Retention => "retention",
        }
    }

    /// When, in the shop's zone.
    const fn cron(self) -> &'static str {
        match self {
            Self::Report => "0 9 * * *",
            Self::Alarms => "*/5 * * * *",
            Self::Catalogue => "30 8 * * *",
            Self::Retention => "15 4 * * *",
        }
    }
}

impl Engine {
    /// What a worker must be given to do this engine's routines by the clock.
    ///
    /// # Errors
    /// Never for the expressions above.
    pub fn schedules(&self) -> Result<Vec<Schedule>, jobs::Error> {
        let zone = self.settings().zone;
        let schedule = |routine: Routine| {
            Schedule::new(routine.name(), routine.cron(), zone, move |tick| {
                let payload = json!({ "tick": tick });
                NewJob { priority: PRIORITY, ..NewJob::new(routine.name(), LOCAL_GROUP, payload) }
            })
        };
        Routine::ALL.into_iter().map(schedule).collect()
    }

    pub(crate) fn routine_handlers(&self) -> impl Iterator<Item = (&'static str, Arc<dyn Handler>)> {
        Routine::ALL.into_iter().map(|routine| {
            let round: Arc<dyn Handler> = Arc::new(Round { engine: self.clone(), routine });
            (routine.name(), round)
        })
    }

    /// Tells everybody how the day before the tick went, if anything happened on it.
    async fn report(&self, tick: DateTime<Utc>) -> Result<(), Error> {
        let zone = self.settings().zone;
        let day = limits::today(tick, zone).checked_sub_days(Days::new(1)).unwrap_or_default();
        let mut conn = self.pg().acquire().await?;
        let sums = store::day(&mut conn, zone.name(), day).await?;
        if sums.videos + sums.failed == 0 && sums.paid.micros() == 0 {
            return Ok(());
        }
        let fact = Fact::DailyReport { day, videos: sums.videos, failed: sums.failed, paid: sums.paid };
        Ok(notices::store::insert_fact(&mut conn, &fact, &day.to_string()).await?)
    }

    /// Raises the alarm when nothing moves, or most of it fails.
    async fn raise_alarms(&self, tick: DateTime<Utc>) -> Result<(), Error> {
        let occasion = (tick.timestamp() / (ALARM_EVERY_HOURS * 3_600)).to_string();
        let waits = self.queue().depth().await?.oldest_age;
        let mut conn = self.pg().acquire().await?;
        // What is paused is meant to wait.
        if waits >= STUCK_AFTER.to_std().unwrap_or_default() && self.queue().list_pauses().await?.is_empty() {
            let minutes = u32::try_from(waits.as_secs() / 60).unwrap_or(u32::MAX);
            tracing::error!(minutes, "jobs have been waiting for {minutes} minutes: no worker takes them");
            notices::store::insert_fact(&mut conn, &Fact::QueueStuck { minutes }, &occasion).await?;
        }
        let (failed, ended) = store::ended_since(&mut conn, tick - TimeDelta::hours(1)).await?;
        if failed >= FAILURES && failed * 2 >= ended {
            tracing::error!(failed, ended, "{failed} of {ended} generations failed in the last hour");
            let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
            let fact = Fact::ManyFailures { failed: count(failed), ended: count(ended) };
            notices::store::insert_fact(&mut conn, &fact, &occasion).await?;
        }
        Ok(())
    }

    /// Says in time that a model in use will be gone.
    async fn check_catalogue(&self, tick: DateTime<Utc>) -> Result<(), Error> {
        let today = limits::today(tick, self.settings().zone);
        let mut conn = self.pg().acquire().await?;
        let catalogue = self.catalogue();
        for model in self.settings().routes.models() {
            let Ok(row) = catalogue.row(model, tick) else {
                tracing::error!(%model, "model {model} has no price: nothing can be made with it");
                continue;
            };
            let Some(on) = row.retires_on else { continue };
            if let Some(days) = warning(today, on) {
                tracing::warn!(%model, "model {model} retires on {on}");
                let fact = Fact::ModelRetires { model: row.id.clone(), on };
                notices::store::insert_fact(&mut conn, &fact, &format!("{model} {on} {days}")).await?;
            }
        }
        Ok(())
    }

    /// Our own rows first: they are there when no provider answers.
    async fn check_catalogue_and_providers(&self, tick: DateTime<Utc>) -> Result<(), Error> {
        self.check_catalogue(tick).await?;
        self.compare_with_providers(tick).await
    }

    async fn forget(&self) -> Result<(), Error> {
        let mut conn = self.pg().acquire().await?;
        let gone = store::forget(&mut conn, KEEP_DAYS).await?;
        if gone > 0 {
            tracing::info!(rows = gone, "{gone} notices and webhooks of over {KEEP_DAYS} days ago were deleted");
        }
        let ended = sessions::store::forget_ended(&mut conn).await?;
        if ended > 0 {
            tracing::info!(rows = ended, "{ended} sessions that had ended were deleted");
        }
        let told = outgoing::forget_old(&mut conn).await?
            + answers::store::forget_old(&mut conn).await?
            + tokens::store::forget_usage(&mut conn).await?;
        if told > 0 {
            tracing::info!(rows = told, "{told} rows of the API that are asked for no more were deleted");
        }
        drop(conn);
        self.retention().await?.run().await?;
        Ok(())
    }
}

/// The closest of the warnings that are due: after a day without a leader none is left out.
fn warning(today: NaiveDate, retires_on: NaiveDate) -> Option<u64> {
    let left = (retires_on - today).num_days();
    let due = RETIREMENT_WARNINGS.into_iter().filter(|days| i64::try_from(*days).is_ok_and(|days| left <= days));
    due.min()
}

/// Does a routine when its job comes.
struct Round {
    engine: Engine,
    routine: Routine,
}

#[async_trait]
impl Handler for Round {
    async fn run(&self, attempt: &Attempt) -> Result<Outcome, Failure> {
        let tick = serde_json::from_value(attempt.job.payload["tick"].clone());
        let tick = tick.map_err(|error| Failure::permanent("malformed", format!("no tick: {error}")))?;
        let done = match self.routine {
            Routine::Report => self.engine.report(tick).await,
            Routine::Alarms => self.engine.raise_alarms(tick).await,
            Routine::Catalogue => self.engine.check_catalogue_and_providers(tick).await,
            Routine::Retention => self.engine.forget().await,
        };
        done.map_err(|error| Failure::transient("routine", error.to_string()))?;
        Ok(Outcome::Done)
    }

    async fn give_up(&self, _: &mut PgConnection, job: &Job, failure: &Failure) -> Result<Vec<Uuid>, jobs::Error> {
        tracing::error!(job.id = %job.id, "{} was not done: {}", self.routine.name(), failure.message);
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retirement_is_announced_in_time_and_not_before() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap_or_default();
        let on = day("2027-03-31");
        for (today, due) in [
            ("2027-02-01", None),
            ("2027-03-01", Some(30)),
            ("2027-03-23", Some(30)),
            ("2027-03-24", Some(7)),
            ("2027-03-30", Some(1)),
            ("2027-04-02", Some(1)),
        ] {
            assert_eq!(warning(day(today), on), due, "{today}");
        }
    }
}
