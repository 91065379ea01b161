//! What the bell keeps until it is read.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{FailureCode, GenerationId, LocalText, MicroUsd, NoticeId};

/// Something a person is told in the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Identifier.
    pub id: NoticeId,
    /// What it is about.
    pub body: NoticeBody,
    /// When.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: DateTime<Utc>,
    /// Read already.
    pub read: bool,
}

/// What a notice says; the sentences are in the locales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeBody {
    /// A video is on its product.
    VideoReady {
        /// Which generation.
        generation_id: GenerationId,
        /// The product's name.
        product: LocalText,
        /// What it cost.
        cost: MicroUsd,
    },
    /// A generation ended without a video.
    GenerationFailed {
        /// Which generation.
        generation_id: GenerationId,
        /// The product's name.
        product: LocalText,
        /// Why.
        failure: FailureCode,
        /// What it cost.
        cost: MicroUsd,
    },
    /// Four fifths of a limit of the day are used.
    LimitNear {
        /// Whole percent.
        percent: u8,
        /// When the limits begin anew.
        #[serde(with = "chrono::serde::ts_microseconds")]
        resets_at: DateTime<Utc>,
    },
    /// Something everybody is told by the clock.
    Fact(Fact),
}

/// What everybody is told by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// How a day went.
    DailyReport {
        /// Which day, in the shop's zone.
        #[serde(with = "crate::calendar")]
        day: NaiveDate,
        /// Videos that were finished.
        videos: u32,
        /// Generations that failed.
        failed: u32,
        /// What was paid.
        paid: MicroUsd,
    },
    /// Nothing is taken from the queue.
    QueueStuck {
        /// How long the oldest job has been waiting.
        minutes: u32,
    },
    /// Half of what ended in the last hour failed, or more.
    ManyFailures {
        /// How many failed.
        failed: u32,
        /// Of how many.
        ended: u32,
    },
    /// A model in use will be gone.
    ModelRetires {
        /// Its name at the provider.
        model: String,
        /// The first day without it.
        #[serde(with = "crate::calendar")]
        on: NaiveDate,
    },
    /// A provider lists a model in use at another price than ours.
    ModelPrice {
        /// Provider word.
        provider: String,
        /// Its name at the provider.
        model: String,
    },
    /// A provider does not list a model in use any more.
    ModelMissing {
        /// Provider word.
        provider: String,
        /// Its name at the provider.
        model: String,
    },
    /// A provider refuses our key, or the account behind it.
    KeyRefused {
        /// Provider word.
        provider: String,
        /// Why.
        code: FailureCode,
    },
}

impl Fact {
    /// The word in the notices table.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::DailyReport { .. } => "daily_report",
            Self::QueueStuck { .. } => "queue_stuck",
            Self::ManyFailures { .. } => "many_failures",
            Self::ModelRetires { .. } => "model_retires",
            Self::ModelPrice { .. } => "model_price",
            Self::ModelMissing { .. } => "model_missing",
            Self::KeyRefused { .. } => "key_refused",
        }
    }
}

/// The bell: what is unread, and the newest notices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bell {
    /// How many are unread.
    pub unread: u32,
    /// The newest, at most twenty.
    pub notices: Vec<Notice>,
}
