//! Making a still, whoever makes it.

use async_trait::async_trait;
use domain::{MicroUsd, ModelType};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ModelRef, Picture, ProviderError, Requests, StillOrder, StillSize, Submitted};

/// The shape of a picture, width to height.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// Which part of the body a garment covers; for try-on models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GarmentCategory {
    /// Shirts, knitwear, jackets.
    Top,
    /// Trousers, skirts.
    Bottom,
    /// Dresses, overalls.
    OnePiece,
}

impl GarmentCategory {
    /// Reads a shop's category word, `dress` or `Dresses` alike; none for one that says nothing of the body, like `bag`.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        let is_one_of = |words: &[&str]| {
            let plain = word.strip_suffix('s').unwrap_or(&word);
            words.iter().any(|one| *one == word || *one == plain)
        };
        if is_one_of(&TOPS) {
            Some(Self::Top)
        } else if is_one_of(&BOTTOMS) {
            Some(Self::Bottom)
        } else if is_one_of(&ONE_PIECES) {
            Some(Self::OnePiece)
        } else {
            None
        }
    }
}

const TOPS: [&str; 18] = [
    "top",
    "shirt",
    "t-shirt",
    "tee",
    "blouse",
    "knit",
    "knitwear",
    "sweater",
    "pullover",
    "cardigan",
    "hoodie",
    "sweatshirt",
    "jacket",
    "coat",
    "vest",
    "blazer",
    "outerwear",
    "parka",
];
const BOTTOMS: [&str; 8] = ["bottom", "trousers", "pant", "jeans", "denim", "skirt", "short", "legging"];
const ONE_PIECES: [&str; 6] = ["dress", "dresses", "one-piece", "jumpsuit", "overalls", "romper"];

/// A still to be made.
#[derive(Debug, Clone)]
pub struct StillRequest {
    /// The product's photos, the one that shows it best first; at least one. Models that take fewer get the first ones.
    pub photos: Vec<Picture>,
    /// Who wears it: for try-on models, which need one ([`crate::people::picture`] has two); the others ignore it.
    pub person: Option<Picture>,
    /// What to make of it, from [`crate::prompts`]; try-on models ignore it.
    pub prompt: String,
    /// The shape of the still; try-on models keep the person's picture's.
    pub aspect: Aspect,
    /// The size of the still, for models that offer several.
    pub size: StillSize,
    /// Who wears the garment; for models that take it as a parameter, the others find it in the prompt.
    pub model_type: ModelType,
    /// What the garment covers; without it a try-on model decides by itself.
    pub category: Option<GarmentCategory>,
    /// Where a provider with a queue tells the end; without it only looking tells.
    pub webhook_url: Option<Url>,
    /// Words to find the request by on the provider's pages and bills, as in [`crate::ClipRequest::tags`].
    pub tags: Vec<(String, String)>,
}

impl StillRequest {
    /// What is paid for.
    pub fn order(&self) -> StillOrder {
        let pictures = self.photos.len() + usize::from(self.person.is_some());
        StillOrder { size: self.size, pictures: u32::try_from(pictures).unwrap_or(u32::MAX) }
    }
}

/// A still that was made and paid.
#[derive(Clone, PartialEq)]
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

impl std::fmt::Debug for StillAnswer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StillAnswer")
            .field("bytes", &self.image.len())
            .field("content_type", &self.content_type)
            .field("cost", &self.cost)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// What became of a wish for a still.
#[derive(Debug, Clone, PartialEq)]
pub enum Making {
    /// Here it is.
    Made(StillAnswer),
    /// The provider took the request into its queue: look with [`StillMaker::requests`].
    Accepted(Submitted),
}

/// Makes stills.
#[async_trait]
pub trait StillMaker: Send + Sync {
    /// The model that does it.
    fn model(&self) -> &ModelRef;

    /// Asks for one still: once this answers it is bought. Never tries twice.
    ///
    /// # Errors
    /// [`ProviderError`]; after [`crate::Certainty::Unknown`] a still may have been bought: where there are
    /// [`StillMaker::requests`], [`Requests::accepted_since`] tells.
    async fn make_still(&self, request: &StillRequest) -> Result<Making, ProviderError>;

    /// The provider's queue; none where the still comes with the answer.
    fn requests(&self) -> Option<&dyn Requests>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shops_words_say_what_a_garment_covers() {
        let cases = [
            ("T-shirt", Some(GarmentCategory::Top)),
            ("coats", Some(GarmentCategory::Top)),
            ("trousers", Some(GarmentCategory::Bottom)),
            (" Skirts ", Some(GarmentCategory::Bottom)),
            ("dress", Some(GarmentCategory::OnePiece)),
            ("dresses", Some(GarmentCategory::OnePiece)),
            ("bag", None),
            ("", None),
        ];
        for (word, category) in cases {
            assert_eq!(GarmentCategory::of_word(word), category, "{word}");
        }
    }
}
