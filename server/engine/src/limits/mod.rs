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

/// What a click did to the limits.
pub(crate) struct Reserved {
    /// The limits after the click.
    pub(crate) status: LimitStatus,
    /// The click passed four fifths of a limit for the first time today.
    pub(crate) warn: bool,
}

/// Counts a click against the limits of its day, in the click's own transaction; the holds are counted by the ledger
/// in the same transaction. The day's row stays locked until the transaction ends, so two clicks cannot share the
/// last place.
///
/// # Errors
/// [`Error::LimitReached`] with when it resets.
pub(crate) async fn reserve(
    conn: &mut PgConnection,
    settings: &Settings,
    day: NaiveDate,
    amount: MicroUsd,
) -> Result<Reserved, Error> {
    store::ensure(conn, day).await?;
    let used = store::lock(conn, day).await?;
    let after = status(settings, day, used.generations + 1, used.held + used.paid + amount);
    if after.generations > after.generations_limit || after.spend > after.spend_limit {
        let before = status(settings, day, used.generations, used.held + used.paid);
        return Err(Error::LimitReached(Box::new(before)));
    }
    let warn = after.percent() >= WARN_PERCENT && !used.warned;
    store::count_click(conn, day, warn).await?;
    Ok(Reserved { status: after, warn })
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
