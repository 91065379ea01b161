//! What the API says and takes of videos.

use chrono::{DateTime, Utc};
use domain::{
    FailureCode, GenerationState, Options,
    options::{RawOptions, Recipe},
    product::Picture,
};
use engine::{VideoDetail, VideoFiles, VideoJob};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Rest,
    input::{self, Fields},
    option_name,
    problem::FieldCode,
};

/// A request for a video of a try-on image.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", as = GenerateVideo)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct GenerateVideo {
    /// What `POST /api/video/tryon-images` answered.
    pub tryon_image_id: Uuid,
    /// How it is made.
    #[schema(required = false)]
    pub settings: VideoSettings,
}

/// How a video is made; what is left out is the default.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", as = VideoSettings)]
pub struct VideoSettings {
    /// Length in seconds.
    #[schema(minimum = 3, maximum = 5, default = 4, required = false)]
    pub duration: i64,
    /// The best rung, by the short side.
    #[schema(value_type = ResolutionWord, default = "720p", required = false)]
    pub resolution: String,
    /// Frames per second.
    #[schema(minimum = 24, maximum = 30, default = 24, required = false)]
    pub fps: i64,
    /// `mp4`, or WebM besides.
    #[schema(value_type = FormatWord, default = "mp4", required = false)]
    pub format: String,
    /// Whether it can be streamed with HLS, too.
    #[schema(rename = "enableHLS", default = false, required = false)]
    pub enable_hls: bool,
    /// Whether the shop's logo and the AI label are laid over it.
    #[schema(default = false, required = false)]
    pub enable_branding: bool,
}

/// A rung.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub enum ResolutionWord {
    /// 720 pixels on the short side.
    #[serde(rename = "720p")]
    P720,
    /// 1080 pixels on the short side.
    #[serde(rename = "1080p")]
    P1080,
}

/// A container.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum FormatWord {
    /// Plays everywhere.
    Mp4,
    /// MP4, and WebM besides.
    Webm,
}

impl VideoSettings {
    /// Takes the fields of settings out of an object. What is out of range is named by the domain.
    pub fn read(fields: &mut Fields) -> Self {
        let default = RawOptions::of(&Options::default());
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned).ok_or(FieldCode::WrongType);
        Self {
            duration: fields.optional("duration", "3..=5", input::integer).unwrap_or(default.duration),
            resolution: fields.optional("resolution", "720p|1080p", text).unwrap_or(default.resolution),
            fps: fields.optional("fps", "24..=30", input::integer).unwrap_or(default.fps),
            format: fields.optional("format", "mp4|webm", text).unwrap_or(default.format),
            enable_hls: fields.optional("enableHLS", "true|false", input::boolean).unwrap_or(default.hls),
            enable_branding: fields
                .optional("enableBranding", "true|false", input::boolean)
                .unwrap_or(default.branding),
        }
    }

    /// The choices, believed; those that are out of range are refused where they stand.
    pub fn options(self, recipe: &str, model_type: &str, fields: &mut Fields) -> Options {
        let raw = RawOptions {
            recipe: recipe.to_owned(),
            model_type: model_type.to_owned(),
            duration: self.duration,
            resolution: self.resolution,
            fps: self.fps,
            format: self.format,
            hls: self.enable_hls,
            branding: self.enable_branding,
        };
        raw.parse().unwrap_or_else(|wrong| {
            for one in wrong {
                fields.refuse(&option_name(&one.field), FieldCode::InvalidValue, &one.expected);
            }
            Options::default()
        })
    }

    /// The same for a video of a try-on image, where recipe and person are given.
    pub fn of_tryon_image(self, fields: &mut Fields) -> Options {
        let default = RawOptions::of(&Options::default());
        self.options(Recipe::TryonVideo.as_str(), &default.model_type, fields)
    }
}

/// A video job that was taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedVideo {
    /// Ask for its status by this.
    pub job_id: Uuid,
}

/// Where a video job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// It waits for its turn.
    Pending,
    /// The clip is being made.
    Generating,
    /// Renditions are being made.
    Encoding,
    /// Renditions are being stored.
    Uploading,
    /// The video is there.
    Completed,
    /// It ended without a video.
    Failed,
}

impl JobStatus {
    /// What a state of a generation is called here.
    pub const fn of(state: GenerationState) -> Self {
        match state {
            GenerationState::Queued => Self::Pending,
            GenerationState::GeneratingImages | GenerationState::AwaitingReview | GenerationState::GeneratingVideo => {
                Self::Generating
            }
            GenerationState::Encoding => Self::Encoding,
            GenerationState::Uploading => Self::Uploading,
            GenerationState::Completed => Self::Completed,
            GenerationState::Failed | GenerationState::Cancelled => Self::Failed,
        }
    }
}

/// The status of a video job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VideoStatus {
    /// The job.
    pub job_id: Uuid,
    /// Where it is.
    pub status: JobStatus,
    /// 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: u8,
    /// The video, once it is there and for as long as it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub result: Option<VideoResult>,
    /// Why it failed, in the language asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
    /// The same as a word: programs decide by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, example = "content_refused")]
    pub error_code: Option<FailureCode>,
}

/// A finished video.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VideoResult {
    /// The video.
    pub video_id: Uuid,
    /// Where it plays from.
    pub urls: VideoUrls,
}

/// Where a video plays from, without a token. Addresses of one that was taken down are signed for six hours at least.
#[derive(Debug, Serialize, ToSchema)]
pub struct VideoUrls {
    /// The best MP4 that everything plays.
    #[schema(format = "uri")]
    pub mp4: String,
    /// The best WebM, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    pub webm: Option<String>,
    /// The HLS master playlist, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    pub hls: Option<String>,
    /// Its poster, a JPEG.
    #[schema(format = "uri")]
    pub thumbnail: String,
}

impl VideoUrls {
    /// Whole addresses.
    pub fn of(files: &VideoFiles, rest: &Rest) -> Self {
        Self {
            mp4: rest.absolute(&files.mp4),
            webm: files.webm.as_deref().map(|address| rest.absolute(address)),
            hls: files.hls.as_deref().map(|address| rest.absolute(address)),
            thumbnail: rest.absolute(&files.thumbnail),
        }
    }
}

impl VideoStatus {
    /// The status of a generation, its failure in the words of `sentence`.
    pub fn of(job: &VideoJob, rest: &Rest, sentence: impl Fn(FailureCode) -> String) -> Self {
        let video = job.video.as_ref();
        Self {
            job_id: job.id.uuid(),
            status: JobStatus::of(job.state),
            progress: job.progress,
            result: video.map(|files| VideoResult { video_id: files.id.uuid(), urls: VideoUrls::of(files, rest) }),
            error: job.failure.map(sentence),
            error_code: job.failure,
        }
    }
}

/// A picture.
#[derive(Debug, Serialize, ToSchema)]
pub struct Image {
    /// Where it is.
    #[schema(format = "uri")]
    pub url: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl Image {
    /// A picture with its whole address.
    pub fn of(picture: &Picture, rest: &Rest) -> Self {
        Self { url: rest.absolute(&picture.url), width: picture.width, height: picture.height }
    }
}

/// One file that is played.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// Where it is.
    #[schema(format = "uri")]
    pub url: String,
    /// Its media type with codecs.
    #[schema(example = "video/mp4; codecs=\"avc1.64001f\"")]
    pub content_type: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Its size.
    pub bytes: u64,
}

/// A video with everything of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Video {
    /// The video.
    pub video_id: Uuid,
    /// The job that made it.
    pub job_id: Uuid,
    /// The product it is of.
    pub product_id: Uuid,
    /// Whether the product shows it.
    pub is_published: bool,
    /// Length in milliseconds.
    pub duration_ms: u32,
    /// When it was finished.
    pub created_at: DateTime<Utc>,
    /// Where it plays from.
    pub urls: VideoUrls,
    /// Its poster, with its size.
    pub thumbnail: Image,
    /// Every file of it, smallest picture first.
    pub renditions: Vec<Rendition>,
    /// What it cost, in millionths of a US dollar.
    pub cost_micro_usd: i64,
}

impl Video {
    /// A video with whole addresses.
    pub fn of(video: &VideoDetail, rest: &Rest) -> Self {
        let view = &video.view;
        let rendition = |source: &domain::product::VideoSource| Rendition {
            url: rest.absolute(&source.url),
            content_type: source.content_type.clone(),
            width: source.width,
            height: source.height,
            bytes: source.bytes,
        };
        Self {
            video_id: view.id.uuid(),
            job_id: view.generation_id.uuid(),
            product_id: video.product.uuid(),
            is_published: video.is_published,
            duration_ms: view.duration_ms,
            created_at: view.published_at,
            urls: VideoUrls::of(&video.files, rest),
            thumbnail: Image::of(&view.poster, rest),
            renditions: view.sources.iter().map(rendition).collect(),
            cost_micro_usd: view.cost.micros(),
        }
    }
}

/// How a video is played from an address.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// One file, with ranges.
    Progressive,
    /// A playlist (RFC 8216).
    Hls,
}

/// The best address for who asks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
    /// The video.
    pub video_id: Uuid,
    /// Where it plays from, without a token.
    #[schema(format = "uri")]
    pub url: String,
    /// When the address ends, six to seven hours from now, because the video was taken down and is not for everybody. An
    /// address without an end is good while the files are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
    /// How.
    pub protocol: Protocol,
    /// Its media type.
    #[schema(example = "video/mp4")]
    pub content_type: String,
}

/// A try-on image that is stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TryonImage {
    /// What `POST /api/video/generate` takes.
    pub tryon_image_id: Uuid,
    /// The product that is worn.
    pub product_id: Uuid,
    /// What the bytes are.
    #[schema(example = "image/jpeg")]
    pub content_type: &'static str,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_word_here() {
        let word = |state| serde_json::to_value(JobStatus::of(state)).ok();
        let words: Vec<_> = GenerationState::ALL.iter().filter_map(|state| word(*state)).collect();
        let expected = [
            "pending",
            "generating",
            "generating",
            "generating",
            "encoding",
            "uploading",
            "completed",
            "failed",
            "failed",
        ];
        assert_eq!(words, expected);
    }
}
