//! The providers: paid models behind traits in the words of the domain, what they take and what they cost.
//!
//! One folder per vendor protocol: [`gemini`] answers with the still at once, [`fal_queue`] takes stills and clips into
//! a queue. [`Makers`] finds the one for a model. Around them: the [`catalogue`] (models and prices, as data), the
//! [`prompts`], the [`people`] for try-on models, the [`webhook`] signature, the [`fetch`] rules for result files, and
//! the [`check`] of keys and prices that costs nothing.
//!
//! Nothing here writes to a database or retries a paid call: a caller decides that from [`ProviderError`], which says
//! what is known of the call ([`Certainty`]) and what it cost.

pub mod catalogue;
pub mod check;
pub mod error;
pub mod fal_queue;
pub mod fetch;
pub mod gemini;
pub mod media_kind;
pub mod people;
pub mod prompts;
pub mod settings;
pub mod webhook;

mod billable_units;
mod clip;
mod delivery;
mod http_client;
mod makers;
mod order;
mod picture;
mod requests;
mod still;

pub use billable_units::BillableUnits;
pub use catalogue::{Catalogue, CatalogueError, InDoubt, ModelRow, NoPrice, Role, SharedCatalogue};
pub use check::{CheckReport, check_providers};
pub use clip::{ClipMaker, ClipRequest};
pub use delivery::{Deliverer, DeliveryAnswer, check_delivery_address};
pub use error::{Certainty, ProviderError, Retry};
pub use fetch::{FetchRules, Fetched, fetch_result};
pub use http_client::http_client;
pub use makers::{Makers, NoMaker};
pub use media_kind::MediaKind;
pub use order::{Bought, ClipOrder, Order, StillOrder, StillSize};
pub use picture::Picture;
pub use requests::{AcceptedRequest, CancelAnswer, FileAnswer, RequestStatus, Requests, Submitted};
pub use settings::{FalSettings, GeminiSettings, GeminiVersion, InvalidSetting};
pub use still::{Aspect, GarmentCategory, Making, StillAnswer, StillMaker, StillRequest};
pub use webhook::{FalWebhook, VerifiedWebhook, WebhookError, WebhookVerifier};

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelRef {
    /// Who runs it.
    pub provider: Provider,
    /// The model's or endpoint's id at the provider, like `fal-ai/pika/v2.2/pikaframes`.
    pub id: String,
}

impl ModelRef {
    /// The model `id` of a provider.
    pub fn new(provider: Provider, id: impl Into<String>) -> Self {
        Self { provider, id: id.into() }
    }

    /// Reads `provider/id`.
    pub fn parse(text: &str) -> Option<Self> {
        let (provider, id) = text.split_once('/')?;
        (!id.is_empty()).then_some(Self { provider: Provider::parse(provider)?, id: id.to_owned() })
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.provider, self.id)
    }
}
