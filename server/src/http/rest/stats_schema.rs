//! What the API says of how generations went.

use chrono::{DateTime, Utc};
use domain::{GenerationState, cost::LimitStatus};
use engine::GenerationStats;
use serde::Serialize;
use utoipa::ToSchema;

/// Generations by where they are.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct StatusCounts {
    pending: u64,
    generating_images: u64,
    awaiting_review: u64,
    generating_video: u64,
    encoding: u64,
    uploading: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
}

/// The limits of today and how much of them is used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TodayLimits {
    /// Generations asked for.
    generations: u32,
    /// How many may be.
    generations_limit: u32,
    /// Held and paid, in millionths of a US dollar.
    spend_micro_usd: i64,
    /// How much may be.
    spend_limit_micro_usd: i64,
    /// When the day ends.
    resets_at: DateTime<Utc>,
}

/// How generations went.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Since when.
    since: DateTime<Utc>,
    /// How many were asked for.
    total: u64,
    /// By where they are now.
    by_status: StatusCounts,
    /// Of those that ended by themselves, the share that gave a video; none where none ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    success_rate: Option<f64>,
    /// Half of the finished ones took at most so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    median_seconds: Option<u32>,
    /// What was paid for them, in millionths of a US dollar.
    paid_micro_usd: i64,
    /// What is held for them, in millionths of a US dollar.
    held_micro_usd: i64,
    /// What a finished one cost on average, failures included; none where none finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    average_micro_usd: Option<i64>,
    /// The limits of today.
    today: TodayLimits,
}

impl Stats {
    /// The figures of a time, and the limits of today.
    pub fn of(stats: &GenerationStats, limits: &LimitStatus) -> Self {
        let count = |state| stats.by_state.get(&state).copied().unwrap_or(0);
        let (completed, failed) = (count(GenerationState::Completed), count(GenerationState::Failed));
        let ended = completed + failed;
        Self {
            since: stats.since,
            total: stats.by_state.values().sum(),
            by_status: StatusCounts {
                pending: count(GenerationState::Queued),
                generating_images: count(GenerationState::GeneratingImages),
                awaiting_review: count(GenerationState::AwaitingReview),
                generating_video: count(GenerationState::GeneratingVideo),
                encoding: count(GenerationState::Encoding),
                uploading: count(GenerationState::Uploading),
                completed,
                failed,
                cancelled: count(GenerationState::Cancelled),
            },
            success_rate: (ended > 0).then(|| completed as f64 / ended as f64),
            median_seconds: stats.median_seconds,
            paid_micro_usd: stats.paid.micros(),
            held_micro_usd: stats.held.micros(),
            average_micro_usd: i64::try_from(completed)
                .ok()
                .filter(|made| *made > 0)
                .map(|made| stats.paid.micros() / made),
            today: TodayLimits {
                generations: limits.generations,
                generations_limit: limits.generations_limit,
                spend_micro_usd: limits.spend.micros(),
                spend_limit_micro_usd: limits.spend_limit.micros(),
                resets_at: limits.resets_at,
            },
        }
    }
}
