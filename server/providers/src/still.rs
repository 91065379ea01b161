//! Making a still, whoever makes it.

use async_trait::async_trait;
use domain::{MicroUsd, ModelType};

use crate::{ModelRef, ProviderError};

/// The shape of a picture, width to height.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// 3:4, the product page's shape.
    #[default]
    Portrait3x4,
    /// 9:16, a phone held upright.
    Portrait9x16,
    /// 1:1.
    Square,
    /// 16:9.
    Landscape16x9,
}

impl Aspect {
    /// The ratio as every vendor writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Portrait3x4 => "3:4",
            Self::Portrait9x16 => "9:16",
            Self::Square => "1:1",
            Self::Landscape16x9 => "16:9",
        }
    }
}

/// A still to be made.
#[derive(Debug, Clone)]
pub struct StillRequest {
    /// The product photo.
    pub photo: Vec<u8>,
    /// Its media type, like `image/jpeg`.
    pub photo_content_type: String,
    /// What to make of it, from [`crate::prompts`].
    pub prompt: String,
    /// The shape of the still.
    pub aspect: Aspect,
    /// Who wears the garment; for models that take it as a parameter, the others find it in the prompt.
    pub model_type: ModelType,
}

/// A still that was made and paid.
#[derive(Debug, Clone, PartialEq)]
pub struct StillAnswer {
    /// JPEG, PNG or WebP bytes, at most 20 MB.
    pub image: Vec<u8>,
    /// The media type its first bytes show, whatever the vendor called it.
    pub content_type: &'static str,
    /// What it cost, from the vendor's own count.
    pub cost: MicroUsd,
    /// The vendor's count, as it came.
    pub usage: serde_json::Value,
    /// The vendor's id of the answer.
    pub request_id: Option<String>,
}

/// Makes stills.
#[async_trait]
pub trait StillMaker: Send + Sync {
    /// The model that does it.
    fn model(&self) -> &ModelRef;

    /// Makes one still and pays for it. Never tries twice.
    ///
    /// # Errors
    /// [`ProviderError`]; after [`crate::Certainty::Unknown`] a still may have been paid and lost.
    async fn make_still(&self, request: &StillRequest) -> Result<StillAnswer, ProviderError>;
}
