//! Costs: every figure is a sum over the ledger, cut into days of the shop's zone.

mod store;

use chrono::{Datelike, Days, Months, NaiveDate};
use domain::{
    MicroUsd, Stage,
    cost::{CostDay, CostReport, CostShare, LimitStatus},
};

use crate::{Engine, Error, limits, playback};

/// Days in the chart.
const CHART_DAYS: u64 = 30;

impl Engine {
    /// The cost page.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn costs(&self) -> Result<CostReport, Error> {
        let settings = self.settings();
        let today = limits::today(self.now(), settings.zone);
        let month = today.with_day(1).unwrap_or(today);
        // One moment for every figure of the page: they are compared with each other.
        let mut conn = self.pg().begin().await?;
        store::freeze(&mut conn).await?;
        let paid_month = store::paid_between(&mut conn, month, today).await?;
        let videos_month = store::videos_between(&mut conn, settings.zone.name(), month, today).await?;
        let (last_from, last_to) = same_days_last_month(today);
        Ok(CostReport {
            zone: settings.zone.name().to_owned(),
            today,
            paid_today: store::paid_between(&mut conn, today, today).await?,
            paid_month,
            paid_last_month_so_far: store::paid_between(&mut conn, last_from, last_to).await?,
            held: store::held(&mut conn).await?,
            videos_month,
            average_per_video: (videos_month > 0)
                .then(|| MicroUsd::new(round_div(paid_month.micros(), i64::from(videos_month)))),
            wasted_month: store::wasted_between(&mut conn, month, today).await?,
            by_model: store::by_model(&mut conn, month, today).await?,
            by_stage: in_flow_order(store::by_stage(&mut conn, month, today).await?),
            days: self.chart(&mut conn, today).await?,
            limits: limits::load(&mut conn, settings, today).await?,
            playback: playback::counts(&mut conn, None, Some(month)).await?.summary(),
        })
    }

    /// The limits of today.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn limits(&self) -> Result<LimitStatus, Error> {
        let mut conn = self.pg().acquire().await?;
        limits::load(&mut conn, self.settings(), limits::today(self.now(), self.settings().zone)).await
    }

    async fn chart(&self, conn: &mut sqlx::PgConnection, today: NaiveDate) -> Result<Vec<CostDay>, Error> {
        let first = today.checked_sub_days(Days::new(CHART_DAYS - 1)).unwrap_or(today);
        let paid = store::paid_by_day(conn, first, today).await?;
        let videos = store::videos_by_day(conn, self.settings().zone.name(), first, today).await?;
        let mut providers: Vec<String> = paid.iter().map(|(_, provider, _)| provider.clone()).collect();
        providers.sort();
        providers.dedup();
        let amount = |date: NaiveDate, provider: &str| {
            paid.iter().filter(|(day, name, _)| *day == date && name == provider).map(|(_, _, amount)| *amount).sum()
        };
        Ok(first
            .iter_days()
            .take_while(|date| *date <= today)
            .map(|date| CostDay {
                date,
                by_provider: providers.iter().map(|name| (name.clone(), amount(date, name))).collect(),
                videos: videos.iter().find(|(day, _)| *day == date).map_or(0, |(_, count)| *count),
            })
            .collect())
    }
}

/// The first of last month up to the same day of it, or its last day where it is shorter.
fn same_days_last_month(today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let to = today.checked_sub_months(Months::new(1)).unwrap_or(today);
    (to.with_day(1).unwrap_or(to), to)
}

fn in_flow_order(mut shares: Vec<CostShare>) -> Vec<CostShare> {
    shares.sort_by_key(|share| Stage::ALL.iter().position(|stage| stage.as_str() == share.key));
    shares
}

/// Half up, for amounts that are not negative.
fn round_div(amount: i64, parts: i64) -> i64 {
    (amount + parts / 2) / parts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn short_months_are_compared_whole() {
        let (from, to) = same_days_last_month(NaiveDate::from_ymd_opt(2026, 3, 31).unwrap());
        assert_eq!((from.to_string(), to.to_string()), ("2026-02-01".to_owned(), "2026-02-28".to_owned()));
    }

    #[test]
    fn averages_round_half_up() {
        assert_eq!(round_div(5, 2), 3);
        assert_eq!(round_div(4, 3), 1);
    }
}
