//! What the API says and takes of generations.

use chrono::{DateTime, Utc};
use domain::{
    FailureCode, GenerationState, Locale, Options,
    generation::{GenerationView, StateGroup},
    options::RawOptions,
};
use engine::VideoJob;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Rest,
    input::{self, Fields},
    problem::FieldCode,
    video::failure_sentence,
    video_schema::{FormatWord, ResolutionWord, VideoResult, VideoSettings, VideoUrls},
};

/// A request for a video of a product.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct CreateGeneration {
    /// The product.
    pub product_id: Uuid,
    /// How it is made.
    #[schema(required = false)]
    pub options: GenerationOptions,
}

/// How a video is made; what is left out is the default.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct GenerationOptions {
    /// Two wearing stills and the transition between them, or one and its motion.
    #[schema(value_type = RecipeWord, default = "product_video", required = false)]
    pub recipe: String,
    /// Who wears the garment.
    #[schema(value_type = ModelTypeWord, default = "female", required = false)]
    pub model_type: String,
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

impl GenerationOptions {
    /// Takes the fields of options out of an object.
    pub fn read(fields: &mut Fields) -> Options {
        let default = RawOptions::of(&Options::default());
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned).ok_or(FieldCode::WrongType);
        let recipe = fields.optional("recipe", "product_video|tryon_video", text).unwrap_or(default.recipe);
        let model_type = fields.optional("modelType", "female|male", text).unwrap_or(default.model_type);
        VideoSettings::read(fields).options(&recipe, &model_type, fields)
    }
}

/// How a video is made.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum RecipeWord {
    /// Product photo, two wearing stills, a transition between them.
    ProductVideo,
    /// One wearing still, made or uploaded, and its motion.
    TryonVideo,
}

/// Who wears the garment.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum ModelTypeWord {
    /// A woman.
    Female,
    /// A man.
    Male,
}

/// What a retry may cost.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct RetryGeneration {
    /// In millionths of a US dollar; the price of the moment where it is left out.
    #[schema(minimum = 0, maximum = 1_000_000_000, required = false)]
    pub max_cost_micro_usd: i64,
}

impl RetryGeneration {
    /// Takes the fields of a retry out of an object.
    pub fn read(fields: &mut Fields) -> Option<i64> {
        fields.optional("maxCostMicroUsd", "0..=1000000000", input::between(0, 1_000_000_000))
    }
}

/// Where a generation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GenerationStatus {
    /// It waits for its turn.
    Pending,
    /// Wearing stills are being made.
    GeneratingImages,
    /// It waits for a person to look at the stills.
    AwaitingReview,
    /// The clip is being made.
    GeneratingVideo,
    /// Renditions are being made.
    Encoding,
    /// Renditions are being stored.
    Uploading,
    /// The video is there.
    Completed,
    /// It ended without a video.
    Failed,
    /// A person stopped it.
    Cancelled,
}

impl GenerationStatus {
    /// What a state is called here.
    pub const fn of(state: GenerationState) -> Self {
        match state {
            GenerationState::Queued => Self::Pending,
            GenerationState::GeneratingImages => Self::GeneratingImages,
            GenerationState::AwaitingReview => Self::AwaitingReview,
            GenerationState::GeneratingVideo => Self::GeneratingVideo,
            GenerationState::Encoding => Self::Encoding,
            GenerationState::Uploading => Self::Uploading,
            GenerationState::Completed => Self::Completed,
            GenerationState::Failed => Self::Failed,
            GenerationState::Cancelled => Self::Cancelled,
        }
    }
}

/// Which generations a list has.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
pub enum StatusFilter {
    /// Those that have not ended.
    Active,
    /// Those that gave a video.
    Completed,
    /// Those that ended without one.
    Failed,
    /// Those that a person stopped.
    Cancelled,
}

impl StatusFilter {
    /// Reads the word of a parameter.
    pub fn parse(text: &str) -> Option<StateGroup> {
        StateGroup::parse(text)
    }
}

/// How a video was made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChosenOptions {
    /// How it is made.
    #[schema(value_type = RecipeWord)]
    recipe: &'static str,
    /// Who wears the garment.
    #[schema(value_type = ModelTypeWord)]
    model_type: &'static str,
    /// Length in seconds.
    duration: u8,
    /// The best rung.
    #[schema(value_type = ResolutionWord)]
    resolution: &'static str,
    /// Frames per second.
    fps: u8,
    /// The containers.
    #[schema(value_type = FormatWord)]
    format: &'static str,
    /// Whether it can be streamed with HLS.
    #[serde(rename = "enableHLS")]
    enable_hls: bool,
    /// Whether the shop's logo and the AI label are laid over it.
    enable_branding: bool,
}

impl ChosenOptions {
    fn of(options: &Options) -> Self {
        Self {
            recipe: options.recipe.as_str(),
            model_type: options.model_type.as_str(),
            duration: options.duration.get(),
            resolution: options.resolution.as_str(),
            fps: options.fps.get(),
            format: options.format.as_str(),
            enable_hls: options.hls,
            enable_branding: options.branding,
        }
    }
}

/// A stage of a generation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageStatus {
    /// `stills`, `clip`, `encode` or `publish`.
    stage: &'static str,
    /// `waiting`, `running`, `done`, `failed` or `skipped`.
    state: &'static str,
    /// When it began; none for one that took nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<DateTime<Utc>>,
    /// What it cost so far, in millionths of a US dollar.
    cost_micro_usd: i64,
}

/// Why a generation ended without a video.
#[derive(Debug, Serialize, ToSchema)]
pub struct GenerationFailure {
    /// Programs decide by it.
    #[schema(value_type = String, example = "content_refused")]
    code: FailureCode,
    /// The stage it ended in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    stage: Option<&'static str>,
    /// What happened, in the language asked for.
    detail: String,
}

/// A generation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Generation {
    /// The generation.
    pub job_id: Uuid,
    /// The product it is for.
    pub product_id: Uuid,
    /// Where it is.
    pub status: GenerationStatus,
    /// 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: u8,
    /// Grows with every change.
    pub version: i64,
    /// What was chosen.
    pub options: ChosenOptions,
    /// Its stages, in order.
    pub stages: Vec<StageStatus>,
    /// The video, once it is there and for as long as it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub result: Option<VideoResult>,
    /// Why it ended without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<GenerationFailure>,
    /// What is held for it, in millionths of a US dollar.
    pub held_micro_usd: i64,
    /// What was paid for it, in millionths of a US dollar.
    pub paid_micro_usd: i64,
    /// Somebody has asked to stop it.
    pub cancel_requested: bool,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub finished_at: Option<DateTime<Utc>>,
    /// The generation it is a retry of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_of: Option<Uuid>,
    /// Its newest retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retried_as: Option<Uuid>,
}

impl Generation {
    /// A snapshot with what plays of it.
    pub fn of(view: &GenerationView, job: Option<&VideoJob>, rest: &Rest, locale: Locale) -> Self {
        let stages = view.stages.iter().map(|stage| StageStatus {
            stage: stage.stage.as_str(),
            state: stage.state.as_str(),
            started_at: stage.started_at,
            finished_at: stage.finished_at,
            cost_micro_usd: stage.cost.micros(),
        });
        let files = job.and_then(|job| job.video.as_ref());
        Self {
            job_id: view.id.uuid(),
            product_id: view.product_id.uuid(),
            status: GenerationStatus::of(view.state),
            progress: view.progress,
            version: view.version,
            options: ChosenOptions::of(&view.options),
            stages: stages.collect(),
            result: files.map(|files| VideoResult { video_id: files.id.uuid(), urls: VideoUrls::of(files, rest) }),
            error: view.failure.as_ref().map(|failure| GenerationFailure {
                code: failure.code,
                stage: failure.stage.map(|stage| stage.as_str()),
                detail: failure_sentence(failure.code, locale),
            }),
            held_micro_usd: view.held.micros(),
            paid_micro_usd: view.paid.micros(),
            cancel_requested: view.cancel_requested,
            requested_by: view.requested_by.clone(),
            created_at: view.created_at,
            finished_at: view.finished_at,
            retry_of: view.retry_of.map(|id| id.uuid()),
            retried_as: view.retried_as.map(|id| id.uuid()),
        }
    }
}

/// A page of generations, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenerationPage {
    /// The generations.
    pub items: Vec<Generation>,
    /// Where the next page begins; none on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}
