//! Words of states, stages and choices.

use domain::{
    CallState, GenerationState, ModelType, Recipe, Stage, StageState,
    generation::{EventKind, StateGroup},
    options::VideoFormat,
    product::VideoStatus,
};
use leptos_i18n::td_string;

use crate::i18n::Locale;

/// Where a generation is.
pub fn generation_state(locale: Locale, value: GenerationState) -> &'static str {
    match value {
        GenerationState::Queued => td_string!(locale, state.queued),
        GenerationState::GeneratingImages => td_string!(locale, state.generating_images),
        GenerationState::AwaitingReview => td_string!(locale, state.awaiting_review),
        GenerationState::GeneratingVideo => td_string!(locale, state.generating_video),
        GenerationState::Encoding => td_string!(locale, state.encoding),
        GenerationState::Uploading => td_string!(locale, state.uploading),
        GenerationState::Completed => td_string!(locale, state.completed),
        GenerationState::Failed => td_string!(locale, state.failed),
        GenerationState::Cancelled => td_string!(locale, state.cancelled),
    }
}

/// A group of states.
pub fn group(locale: Locale, value: StateGroup) -> &'static str {
    match value {
        StateGroup::Active => td_string!(locale, group.active),
        StateGroup::Completed => td_string!(locale, group.completed),
        StateGroup::Failed => td_string!(locale, group.failed),
        StateGroup::Cancelled => td_string!(locale, group.cancelled),
    }
}

/// The status of a product's video.
pub fn video_status(locale: Locale, value: VideoStatus) -> &'static str {
    match value {
        VideoStatus::None => td_string!(locale, status.none),
        VideoStatus::InProgress => td_string!(locale, status.in_progress),
        VideoStatus::Ready => td_string!(locale, status.ready),
        VideoStatus::Failed => td_string!(locale, status.failed),
    }
}

/// A part of a recipe.
pub fn stage(locale: Locale, value: Stage) -> &'static str {
    match value {
        Stage::Stills => td_string!(locale, stage.stills),
        Stage::Clip => td_string!(locale, stage.clip),
        Stage::Encode => td_string!(locale, stage.encode),
        Stage::Publish => td_string!(locale, stage.publish),
    }
}

/// A stage of a recipe: where one still is all there is, it is one.
pub fn stage_of(locale: Locale, recipe: Recipe, value: Stage) -> &'static str {
    if value == Stage::Stills && recipe.frames().len() == 1 {
        td_string!(locale, one_still.word)
    } else {
        stage(locale, value)
    }
}

/// How far a stage is.
pub fn stage_state(locale: Locale, value: StageState) -> &'static str {
    match value {
        StageState::Waiting => td_string!(locale, stage_state.waiting),
        StageState::Running => td_string!(locale, stage_state.running),
        StageState::Done => td_string!(locale, stage_state.done),
        StageState::Failed => td_string!(locale, stage_state.failed),
        StageState::Skipped => td_string!(locale, stage_state.skipped),
    }
}

/// Where a paid request is.
pub fn call_state(locale: Locale, value: CallState) -> &'static str {
    match value {
        CallState::Planned => td_string!(locale, call_state.planned),
        CallState::Intent => td_string!(locale, call_state.intent),
        CallState::Submitted => td_string!(locale, call_state.submitted),
        CallState::Done => td_string!(locale, call_state.done),
        CallState::Failed => td_string!(locale, call_state.failed),
        CallState::Void => td_string!(locale, call_state.void),
        CallState::InDoubt => td_string!(locale, call_state.in_doubt),
    }
}

/// What happened.
pub fn event(locale: Locale, value: EventKind) -> &'static str {
    match value {
        EventKind::Requested => td_string!(locale, event.requested),
        EventKind::RetriedFrom => td_string!(locale, event.retried_from),
        EventKind::StageReused => td_string!(locale, event.stage_reused),
        EventKind::StillReused => td_string!(locale, event.still_reused),
        EventKind::StageStarted => td_string!(locale, event.stage_started),
        EventKind::StageDone => td_string!(locale, event.stage_done),
        EventKind::CallSubmitted => td_string!(locale, event.call_submitted),
        EventKind::CallDone => td_string!(locale, event.call_done),
        EventKind::CallFailed => td_string!(locale, event.call_failed),
        EventKind::CallInDoubt => td_string!(locale, event.call_in_doubt),
        EventKind::CallRepeated => td_string!(locale, event.call_repeated),
        EventKind::BilledOtherwise => td_string!(locale, event.billed_otherwise),
        EventKind::RouteSwitched => td_string!(locale, event.route_switched),
        EventKind::RetryScheduled => td_string!(locale, event.retry_scheduled),
        EventKind::Resumed => td_string!(locale, event.resumed),
        EventKind::CancelRequested => td_string!(locale, event.cancel_requested),
        EventKind::Completed => td_string!(locale, event.completed),
        EventKind::Failed => td_string!(locale, event.failed),
        EventKind::Cancelled => td_string!(locale, event.cancelled),
        EventKind::RetriedAs => td_string!(locale, event.retried_as),
    }
}

/// Who wears the garment.
pub fn model_type(locale: Locale, value: ModelType) -> &'static str {
    match value {
        ModelType::Female => td_string!(locale, options.female),
        ModelType::Male => td_string!(locale, options.male),
    }
}

/// The containers of a video.
pub fn format(locale: Locale, value: VideoFormat) -> &'static str {
    match value {
        VideoFormat::Mp4 => td_string!(locale, options.format_mp4),
        VideoFormat::Webm => td_string!(locale, options.format_webm),
    }
}

/// How a video is made.
pub fn recipe(locale: Locale, value: Recipe) -> &'static str {
    match value {
        Recipe::ProductVideo => td_string!(locale, options.product_video),
        Recipe::TryonVideo => td_string!(locale, options.tryon_video),
    }
}
