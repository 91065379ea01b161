//! The limits of a day: how many generations, how much money. Days are cut in the shop's zone.

mod store;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use domain::{MicroUsd, cost::LimitStatus};
use sqlx::PgConnection;

use crate::{Error, Settings};

/// Percent of a limit from which people are told.
pub(crate) const WARN_PERCENT: u8 = 80;

/// Today in the shop's zone.
pub(crate) fn today(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// The instant a day ends in a zone. Where midnight does not exist (a clock change) the next hour that does.
pub(crate) fn end_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day).and_time(NaiveTime::MIN);
    (0..4)
        .find_map(|hours| zone.from_local_datetime(&(next + chrono::TimeDelta::hours(hours))).earliest())
        .map_or_else(|| next.and_utc(), |end| end.with_timezone(&Utc))
}

/// A day whose limits are held: its row stays locked until the transaction ends, so two clicks cannot share the last
/// place.
pub(crate) struct Day {
    day: NaiveDate,
    used: store::Used,
    /// What the clicks that were admitted add.
    added: (u32, MicroUsd),
}

impl Day {
    /// Takes the day in the click's own transaction.
    pub(crate) async fn lock(conn: &mut PgConnection, day: NaiveDate) -> Result<Self, Error> {
        store::ensure(conn, day).await?;
        Ok(Self { day, used: store::lock(conn, day).await?, added: (0, MicroUsd::ZERO) })
    }

    /// Counts a click against the limits. Nothing is written before [`Day::write`].
    ///
    /// # Errors
    /// [`Error::LimitReached`] with when it resets.
    pub(crate) fn admit(&mut self, settings: &Settings, amount: MicroUsd) -> Result<(), Error> {
        let (generations, spend) = self.added;
        let added = (generations + 1, spend + amount);
        let after = self.status(settings, added);
        if after.generations > after.generations_limit || after.spend > after.spend_limit {
            return Err(Error::LimitReached(Box::new(self.status(settings, self.added))));
        }
        self.added = added;
        Ok(())
    }

    /// Writes what was admitted: the clicks, and what is held for them. Answers with the limits when they passed four
    /// fifths for the first time today.
    pub(crate) async fn write(
        self,
        conn: &mut PgConnection,
        settings: &Settings,
    ) -> Result<Option<LimitStatus>, Error> {
        let after = self.status(settings, self.added);
        let warn = after.percent() >= WARN_PERCENT && !self.used.warned;
        store::count_clicks(conn, self.day, self.added.0, self.added.1, warn).await?;
        Ok(warn.then_some(after))
    }

    fn status(&self, settings: &Settings, (generations, spend): (u32, MicroUsd)) -> LimitStatus {
        let Self { day, used, .. } = self;
        status(settings, *day, used.generations + generations, used.held + used.paid + spend)
    }
}

/// The limits of a day with what is used of them.
pub(crate) async fn load(conn: &mut PgConnection, settings: &Settings, day: NaiveDate) -> Result<LimitStatus, Error> {
    let used = store::load(conn, day).await?.unwrap_or_default();
    Ok(status(settings, day, used.generations, used.held + used.paid))
}

fn status(settings: &Settings, day: NaiveDate, generations: u32, spend: MicroUsd) -> LimitStatus {
    LimitStatus {
        generations,
        generations_limit: settings.daily_generations,
        spend,
        spend_limit: settings.daily_spend,
        resets_at: end_of_day(day, settings.zone),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_are_cut_in_the_shops_zone() {
        let late = DateTime::parse_from_rfc3339("2026-11-22T15:30:00Z").unwrap().with_timezone(&Utc);
        let day = today(late, Tz::Asia__Seoul);
        assert_eq!(day.to_string(), "2026-11-23");
        assert_eq!(end_of_day(day, Tz::Asia__Seoul).to_rfc3339(), "2026-11-23T15:00:00+00:00");
    }

    #[test]
    fn a_midnight_that_does_not_exist_is_stepped_over() {
        // Cairo began summer time 2024 at midnight: 00:00 became 01:00.
        let day = NaiveDate::from_ymd_opt(2024, 4, 25).unwrap();
        assert_eq!(end_of_day(day, Tz::Africa__Cairo).to_rfc3339(), "2024-04-25T22:00:00+00:00");
    }
}
