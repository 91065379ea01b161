//! What the bell keeps until it is read.

use chrono::{DateTime, Utc};
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
}

/// The bell: what is unread, and the newest notices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bell {
    /// How many are unread.
    pub unread: u32,
    /// The newest, at most twenty.
    pub notices: Vec<Notice>,
}
