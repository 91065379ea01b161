//! A state as an icon and a word, never as a colour alone.

use domain::{GenerationState, product::VideoStatus};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{shell::use_locale, words};

/// The `data-state` of a generation.
pub const fn state_hue(state: GenerationState) -> &'static str {
    match state {
        GenerationState::Queued => "queued",
        GenerationState::GeneratingImages
        | GenerationState::GeneratingVideo
        | GenerationState::Encoding
        | GenerationState::Uploading => "running",
        GenerationState::AwaitingReview => "attention",
        GenerationState::Completed => "done",
        GenerationState::Failed => "failed",
        GenerationState::Cancelled => "none",
    }
}

const fn state_icon(state: GenerationState) -> IconName {
    match state {
        GenerationState::Queued => IconName::Clock,
        GenerationState::GeneratingImages
        | GenerationState::GeneratingVideo
        | GenerationState::Encoding
        | GenerationState::Uploading => IconName::Running,
        GenerationState::AwaitingReview => IconName::Attention,
        GenerationState::Completed => IconName::Done,
        GenerationState::Failed => IconName::Failed,
        GenerationState::Cancelled => IconName::Cancelled,
    }
}

/// The state of a generation, with its percent while it is under way.
#[component]
pub fn StateChip(
    /// Where it is.
    state: GenerationState,
    /// 0 to 100.
    progress: u8,
    /// Whether it is about to be stopped.
    is_cancelling: bool,
) -> impl IntoView {
    let locale = use_locale();
    let (hue, icon, word) = if is_cancelling {
        ("none", IconName::Cancelled, td_string!(locale, story.cancelling))
    } else {
        (state_hue(state), state_icon(state), words::generation_state(locale, state))
    };
    view! {
        <span class="state" data-state=hue>
            <Icon name=icon/>
            <span class="state-word">{word}</span>
            {(!is_cancelling && !state.is_final()).then(|| view! { <Percent progress/> })}
        </span>
    }
}

/// The status of a product's video, with the percent of the generation under way.
#[component]
pub fn StatusChip(
    /// The status.
    status: VideoStatus,
    /// Percent of the generation under way.
    progress: Option<u8>,
) -> impl IntoView {
    let (hue, icon) = match status {
        VideoStatus::None => ("none", IconName::Skipped),
        VideoStatus::InProgress => ("running", IconName::Running),
        VideoStatus::Ready => ("done", IconName::Done),
        VideoStatus::Failed => ("failed", IconName::Failed),
    };
    let progress = progress.filter(|_| status == VideoStatus::InProgress);
    view! {
        <span class="state" data-state=hue>
            <Icon name=icon/>
            <span class="state-word">{words::video_status(use_locale(), status)}</span>
            {progress.map(|progress| view! { <Percent progress/> })}
        </span>
    }
}

#[component]
fn Percent(progress: u8) -> impl IntoView {
    view! { <span class="state-percent figures">{format!("{progress}%")}</span> }
}
