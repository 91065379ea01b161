//! Costs as pages show them: every figure is a sum over the ledger.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{MicroUsd, playback::PlaybackSummary};

/// The price of a click, before it is clicked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// What will be held: the most this click is expected to cost.
    pub total: MicroUsd,
    /// What it may cost at most when other models of the routes have to step in; none where none of them costs more.
    /// Nothing is held for it.
    pub most: Option<MicroUsd>,
    /// What it is made of.
    pub lines: Vec<QuoteLine>,
    /// The limits of the day with what is used of them.
    pub limits: LimitStatus,
}

/// What a retry costs, before it is asked for, and what it does not buy again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryOffer {
    /// The price; nothing when all that is missing is free.
    pub quote: Quote,
    /// What was paid for already and is still good, in the order of the flow.
    pub reused: Vec<Reused>,
}

/// A result that a retry does not buy again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reused {
    /// One of two stills.
    OneStill,
    /// Every still of the recipe.
    Stills,
    /// The clip.
    Clip,
}

/// One planned call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// The stage it belongs to.
    pub stage: crate::Stage,
    /// Which model.
    pub model: String,
    /// How many calls.
    pub count: u8,
    /// What they cost together.
    pub amount: MicroUsd,
}

/// The limits of the day and how much of them is used (held and paid together).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitStatus {
    /// Generations clicked today.
    pub generations: u32,
    /// How many are allowed.
    pub generations_limit: u32,
    /// Money held and paid today.
    pub spend: MicroUsd,
    /// How much is allowed.
    pub spend_limit: MicroUsd,
    /// When the day ends and the limits begin anew.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub resets_at: DateTime<Utc>,
}

/// What a limit of the day counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Clicks.
    Generations,
    /// Money held and paid.
    Spend,
}

impl LimitStatus {
    /// The fuller of the two limits, in whole percent, at most 100.
    pub fn percent(&self) -> u8 {
        self.percent_of(self.fuller())
    }

    /// How much of one limit is used, in whole percent, at most 100.
    pub fn percent_of(&self, kind: LimitKind) -> u8 {
        u8::try_from(self.share(kind) / 100).unwrap_or(100)
    }

    /// The limit that will be reached first; the money where both are as full.
    pub fn fuller(&self) -> LimitKind {
        let (generations, spend) = (self.share(LimitKind::Generations), self.share(LimitKind::Spend));
        if generations > spend { LimitKind::Generations } else { LimitKind::Spend }
    }

    /// Used of a limit, in hundredths of a percent, 0 to 10000.
    fn share(&self, kind: LimitKind) -> i64 {
        let (used, limit) = match kind {
            LimitKind::Generations => (i64::from(self.generations), i64::from(self.generations_limit)),
            LimitKind::Spend => (self.spend.micros(), self.spend_limit.micros()),
        };
        if limit <= 0 { 10_000 } else { (used.saturating_mul(10_000) / limit).clamp(0, 10_000) }
    }
}

/// The cost page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostReport {
    /// Name of the zone days are cut in, like `Asia/Seoul`.
    pub zone: String,
    /// Today's date there.
    #[serde(with = "crate::calendar")]
    pub today: NaiveDate,
    /// Paid today.
    pub paid_today: MicroUsd,
    /// Paid this month.
    pub paid_month: MicroUsd,
    /// Paid in the same days of last month.
    pub paid_last_month_so_far: MicroUsd,
    /// Held now, over all generations that have not ended.
    pub held: MicroUsd,
    /// Videos published this month.
    pub videos_month: u32,
    /// Paid this month, failures included, over published videos; none without a video.
    pub average_per_video: Option<MicroUsd>,
    /// Paid this month for generations that gave no video.
    pub wasted_month: MicroUsd,
    /// This month by provider and model, dearest first.
    pub by_model: Vec<CostShare>,
    /// This month by stage, in order of the flow.
    pub by_stage: Vec<CostShare>,
    /// The last 30 days, oldest first, days without cost included.
    pub days: Vec<CostDay>,
    /// The limits of today.
    pub limits: LimitStatus,
    /// How videos were played this month.
    pub playback: PlaybackSummary,
}

/// A part of a sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostShare {
    /// Provider word, or stage word.
    pub key: String,
    /// Model, where the part is a model's.
    pub model: Option<String>,
    /// Calls that were paid.
    pub calls: u32,
    /// What they cost.
    pub amount: MicroUsd,
}

/// One day of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostDay {
    /// The date in the shop's zone.
    #[serde(with = "crate::calendar")]
    pub date: NaiveDate,
    /// What was paid, by provider word, in a fixed order.
    pub by_provider: Vec<(String, MicroUsd)>,
    /// Videos published that day.
    pub videos: u32,
}

impl CostDay {
    /// What was paid that day.
    pub fn total(&self) -> MicroUsd {
        self.by_provider.iter().map(|(_, amount)| *amount).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuller_limit_counts() {
        let status = LimitStatus {
            generations: 10,
            generations_limit: 100,
            spend: MicroUsd::new(850),
            spend_limit: MicroUsd::new(1000),
            resets_at: DateTime::UNIX_EPOCH,
        };
        assert_eq!((status.percent(), status.fuller()), (85, LimitKind::Spend));
        let status = LimitStatus { generations: 100, ..status };
        assert_eq!((status.percent(), status.fuller()), (100, LimitKind::Generations));
        assert_eq!((status.percent_of(LimitKind::Spend), status.percent_of(LimitKind::Generations)), (85, 100));
        let nothing_allowed = LimitStatus { generations: 0, generations_limit: 0, ..status };
        assert_eq!(nothing_allowed.fuller(), LimitKind::Generations, "a limit of nothing is reached");
    }
}
