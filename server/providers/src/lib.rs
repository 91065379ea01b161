//! The providers: paid models behind traits in the words of the domain, what they take and what they cost.
//!
//! One folder per vendor protocol, with the vendor's version in the name where it has one:
//! [`gemini_v1beta`] makes stills, [`fal_queue`] makes clips. Around them: the [`catalogue`] (models and prices), the
//! [`prompts`], the [`webhook`] signature and the [`fetch`] rules for result files.
//!
//! Nothing here writes to a database or retries a paid call: a caller decides that from [`ProviderError`], which says
//! what is known of the call ([`Certainty`]) and what it cost.

pub mod catalogue;
pub mod clip;
pub mod error;
pub mod fal_queue;
pub mod fetch;
pub mod gemini_v1beta;
pub mod media_kind;
pub mod prompts;
pub mod settings;
pub mod still;
pub mod webhook;

mod http_client;

pub use catalogue::{Catalogue, CatalogueError, InDoubt, NoPrice};
pub use clip::{
    AcceptedRequest, BillableUnits, CancelAnswer, ClipAnswer, ClipMaker, ClipOrder, ClipRequest, ClipStatus, Picture,
    Submitted,
};
pub use error::{Certainty, ProviderError, Retry};
pub use fal_queue::FalClips;
pub use fetch::{FetchRules, Fetched, fetch_result};
pub use gemini_v1beta::GeminiStills;
pub use http_client::http_client;
pub use media_kind::MediaKind;
pub use settings::{FalSettings, GeminiSettings, InvalidSetting};
pub use still::{Aspect, StillAnswer, StillMaker, StillRequest};
pub use webhook::{FalWebhook, VerifiedWebhook, WebhookError, WebhookVerifier};

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// fal.ai.
    Fal,
    /// Google's Gemini API.
    Gemini,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 2] = [Self::Fal, Self::Gemini];

    /// The word in the database and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fal => "fal",
            Self::Gemini => "gemini",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text)
    }

    /// Whether it takes requests into a queue, where they can be looked at and called off.
    pub const fn has_queue(self) -> bool {
        match self {
            Self::Fal => true,
            Self::Gemini => false,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A model: who runs it and what they call it. Written `provider/id`: the queue groups jobs by that text, and what stands
/// before the slash is what a provider is paused and limited by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelRef {
    /// Who runs it.
    pub provider: Provider,
    /// The model's or endpoint's id at the provider, like `fal-ai/pika/v2.2/pikaframes`.
    pub id: String,
}

impl fmt::Display for ModelRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.provider, self.id)
    }
}
