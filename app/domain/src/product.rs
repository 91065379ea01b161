//! Products as the desk and the shop show them.

use serde::{Deserialize, Serialize};

use crate::{
    GenerationId, GenerationState, LocalText, MicroUsd, PhotoId, ProductId, VideoId, generation::GenerationView,
    playback::PlaybackSummary,
};

/// A picture with its address on this server and its size, so that nothing jumps while it loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Address, absolute path or URL.
    pub url: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A source photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// Identifier.
    pub id: PhotoId,
    /// The picture itself.
    pub picture: Picture,
}

/// The status of a product's video in one word, for the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoStatus {
    /// No video and none being made.
    None,
    /// A generation is under way.
    InProgress,
    /// A video is on the product.
    Ready,
    /// The last generation failed and there is no video.
    Failed,
}

impl VideoStatus {
    /// Every one, in the order of the filter.
    pub const ALL: [Self; 4] = [Self::None, Self::InProgress, Self::Ready, Self::Failed];

    /// The word in the address bar.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::InProgress => "in_progress",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    /// Reads the address bar; an unknown word is no filter.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A row of the desk's product table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRow {
    /// Identifier.
    pub id: ProductId,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name in both languages.
    pub name: LocalText,
    /// Category word.
    pub category: String,
    /// First photo, when there is one.
    pub photo: Option<Picture>,
    /// Status of its video.
    pub status: VideoStatus,
    /// The latest generation with its state and its percent.
    pub latest: Option<LatestGeneration>,
}

/// What a product row says of the latest generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestGeneration {
    /// Identifier.
    pub id: GenerationId,
    /// Its state.
    pub state: GenerationState,
    /// 0 to 100.
    pub progress: u8,
}

/// What the product table shows: words in the address bar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductFilter {
    /// Words to find in names and sku, at most 100 characters are used.
    pub search: String,
    /// Only products with this status.
    pub status: Option<VideoStatus>,
}

/// The desk's page of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductDetail {
    /// Identifier.
    pub id: ProductId,
    /// The word in the shop's address.
    pub slug: String,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name in both languages.
    pub name: LocalText,
    /// Description in both languages.
    pub description: LocalText,
    /// Category word.
    pub category: String,
    /// Price in won.
    pub price_krw: i64,
    /// Source photos, the first is what the stills are made from.
    pub photos: Vec<Photo>,
    /// The published video.
    pub video: Option<VideoView>,
    /// How that video is played.
    pub playback: Option<PlaybackSummary>,
    /// Generations of this product, newest first, at most ten.
    pub generations: Vec<GenerationView>,
}

/// A finished video as pages play it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoView {
    /// Identifier.
    pub id: VideoId,
    /// The generation that made it.
    pub generation_id: GenerationId,
    /// Sources, smallest picture first, and of one picture the lightest codec first.
    pub sources: Vec<VideoSource>,
    /// Address of the HLS master playlist, where one was asked for.
    pub hls: Option<String>,
    /// Poster, shown before and instead of the clip: a JPEG.
    pub poster: Picture,
    /// The same poster as WebP, which is lighter.
    pub poster_webp: Option<Picture>,
    /// Pictures of the clip side by side, first to last, for looking through it.
    pub strip: Option<Picture>,
    /// Length in milliseconds.
    pub duration_ms: u32,
    /// What it cost.
    pub cost: MicroUsd,
    /// When it was published.
    pub published_at: chrono::DateTime<chrono::Utc>,
}

impl VideoView {
    /// The largest rendition that everything plays: an MP4 without AV1, where there is one.
    pub fn plainest(&self) -> Option<&VideoSource> {
        let plain = |source: &&VideoSource| {
            source.content_type.starts_with("video/mp4") && !source.content_type.contains("av01")
        };
        self.sources.iter().rfind(plain).or_else(|| self.sources.last())
    }

    /// The lighter of the posters that every browser of today shows.
    pub fn lightest_poster(&self) -> &Picture {
        self.poster_webp.as_ref().unwrap_or(&self.poster)
    }
}

/// One rendition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoSource {
    /// Address, absolute path or URL.
    pub url: String,
    /// Content type with codecs.
    pub content_type: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Length of the file.
    pub bytes: u64,
}

/// A card of the shop's grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopCard {
    /// The word in the shop's address.
    pub slug: String,
    /// Name in both languages.
    pub name: LocalText,
    /// Category word.
    pub category: String,
    /// Price in won.
    pub price_krw: i64,
    /// First photo.
    pub photo: Option<Picture>,
    /// Plays on hover when there is one.
    pub video: Option<VideoView>,
}

/// The shop's page of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopProduct {
    /// The word in the shop's address.
    pub slug: String,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name in both languages.
    pub name: LocalText,
    /// Description in both languages.
    pub description: LocalText,
    /// Category word.
    pub category: String,
    /// Price in won.
    pub price_krw: i64,
    /// Photos.
    pub photos: Vec<Photo>,
    /// The published video.
    pub video: Option<VideoView>,
}
