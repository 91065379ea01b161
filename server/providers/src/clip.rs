//! Making a clip, whoever makes it.

use async_trait::async_trait;
use domain::{ClipSeconds, Resolution};
use url::Url;

use crate::{ClipOrder, ModelRef, Picture, ProviderError, Requests, Submitted};

/// A clip to be made.
#[derive(Debug, Clone)]
pub struct ClipRequest {
    /// The first frame.
    pub start: Picture,
    /// The last frame; only models that make transitions take one, and they need it.
    pub end: Option<Picture>,
    /// How to move, from [`crate::prompts`]; models without words ignore it.
    pub prompt: String,
    /// Length asked for; what is bought may be longer, see [`crate::Catalogue::bought`].
    pub duration: ClipSeconds,
    /// Size.
    pub resolution: Resolution,
    /// Frames a second, for models that let one choose.
    pub fps: Option<u8>,
    /// How much moves, 1 to 255, for models that take a number for it.
    pub motion: Option<u8>,
    /// Where the provider tells the end; without it only looking tells.
    pub webhook_url: Option<Url>,
    /// Words to find the request by on the provider's pages and bills, like `generation=0198…`; at most ten, letters,
    /// digits, `-`, `_` and `.` only.
    pub tags: Vec<(String, String)>,
}

impl ClipRequest {
    /// What is paid for.
    pub const fn order(&self) -> ClipOrder {
        ClipOrder { duration: self.duration, resolution: self.resolution, fps: self.fps }
    }
}

/// Makes clips. Every provider of clips has a queue.
#[async_trait]
pub trait ClipMaker: Requests {
    /// The model that does it.
    fn model(&self) -> &ModelRef;

    /// Sends the pictures and the request. Once this answers, the clip is bought. Never tries twice.
    ///
    /// # Errors
    /// [`ProviderError`]; after [`crate::Certainty::Unknown`] the clip may have been bought:
    /// [`Requests::accepted_since`] tells.
    async fn submit(&self, request: &ClipRequest) -> Result<Submitted, ProviderError>;
}
