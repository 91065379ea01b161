//! A generation as a story line: its stages from left to right.

use chrono::Duration;
use domain::{
    GenerationState, MicroUsd, Stage, StageState,
    generation::{Attempts, GenerationView, StageView},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{
    clock::{lasting, precise, stopwatch, use_clock},
    i18n::Locale,
    shell::{PageFacts, use_facts},
    words,
};

/// The stages of a generation with their time and cost, and the sum of both below.
#[component]
pub fn Story(
    /// The generation, as new as it is known.
    #[prop(into)]
    generation: Signal<GenerationView>,
) -> impl IntoView {
    let facts = use_facts();
    let locale = facts.locale;
    let state = Memo::new(move |_| generation.with(|generation| (generation.state, generation.is_cancelling())));
    view! {
        <div class="stack tight">
            <ol class="story" aria-label=td_string!(locale, story.label)>
                {move || {
                    let generation = generation.get();
                    generation
                        .stages
                        .iter()
                        .map(|stage| view! { <StoryStage stage=stage.clone() generation=generation.clone()/> })
                        .collect_view()
                }}
            </ol>
            <p class="muted figures">{move || sums(&generation.get(), &facts)}</p>
            // Spoken when the state changes, not with every percent.
            <p class="visually-hidden" role="status">
                {move || match state.get() {
                    (_, true) => td_string!(locale, story.cancelling),
                    (state, false) => words::generation_state(locale, state),
                }}
            </p>
        </div>
    }
}

/// What a person stopped is no failure.
pub fn is_stopped(stage: &StageView, generation: &GenerationView) -> bool {
    stage.state == StageState::Failed && generation.state == GenerationState::Cancelled
}

/// Icon, hue and word of a stage.
fn look(locale: Locale, stage: &StageView, is_stopped: bool) -> (IconName, &'static str, &'static str) {
    if is_stopped {
        return (IconName::Cancelled, "cancelled", td_string!(locale, stage_state.cancelled));
    }
    let icon = match stage.state {
        StageState::Waiting => IconName::Waiting,
        StageState::Running => IconName::Running,
        StageState::Done => IconName::Done,
        StageState::Failed => IconName::Failed,
        StageState::Skipped => IconName::Skipped,
    };
    (icon, stage.state.as_str(), words::stage_state(locale, stage.state))
}

#[component]
fn StoryStage(stage: StageView, generation: GenerationView) -> impl IntoView {
    let locale = use_facts().locale;
    let is_stopped = is_stopped(&stage, &generation);
    let (icon, hue, state_word) = look(locale, &stage, is_stopped);
    let word = words::stage_of(locale, generation.options.recipe, stage.stage);
    let cost =
        (stage.cost != MicroUsd::ZERO).then(|| view! { <p class="story-cost figures">{stage.cost.display()}</p> });
    let measured = stage.percent.filter(|_| stage.state == StageState::Running).map(|percent| {
        view! {
            <progress
                class="progress"
                max="100"
                value=percent.to_string()
                aria-label=word
                aria-valuetext=format!("{percent}%")
            ></progress>
        }
    });
    let reason = generation.failure.as_ref().filter(|_| stage.state == StageState::Failed && !is_stopped);
    let reason = reason.map(|failure| {
        view! { <p class="story-reason">{words::failure_what(locale, failure.code)}</p> }
    });
    let tries = (stage.state == StageState::Running)
        .then(|| attempt_note(locale, generation.attempt))
        .flatten()
        .map(|note| view! { <p class="story-time figures">{note}</p> });
    view! {
        <li class="story-stage" data-state=hue data-testid=stage_id(stage.stage)>
            <span class="story-node">
                <Icon name=icon/>
            </span>
            <div class="story-text">
                <p class="story-word">
                    {word}
                    // What only the icon shows is read out; that it was stopped is written.
                    {(!is_stopped).then(|| view! { <span class="visually-hidden">{format!(" · {state_word}")}</span> })}
                </p>
                {is_stopped.then(|| view! { <p class="story-time">{state_word}</p> })}
                <StageTime stage=stage.clone()/>
                {tries}
                {cost}
                {measured}
                {reason}
            </div>
        </li>
    }
}

/// The time of a stage: what it took, what it has taken so far, what it usually takes.
#[component]
fn StageTime(stage: StageView) -> impl IntoView {
    let locale = use_facts().locale;
    let clock = use_clock();
    let usual = stage.usual_seconds.map(|range| usual_note(locale, range));
    match (stage.state, stage.started_at, stage.finished_at) {
        (StageState::Running, Some(started_at), _) => {
            let usual = usual.map(|usual| format!(" · {usual}"));
            view! {
                <p class="story-time figures">
                    <span>{move || stopwatch(clock.now() - started_at)}</span>
                    {usual}
                </p>
            }
            .into_any()
        }
        (StageState::Done | StageState::Failed, Some(started_at), Some(finished_at)) => {
            view! { <p class="story-time figures">{stopwatch(finished_at - started_at)}</p> }.into_any()
        }
        (StageState::Done, None, _) => {
            view! { <p class="story-time">{td_string!(locale, story.reused)}</p> }.into_any()
        }
        (StageState::Waiting, ..) => usual.map(|usual| view! { <p class="story-time figures">{usual}</p> }).into_any(),
        _ => ().into_any(),
    }
}

const fn stage_id(stage: Stage) -> &'static str {
    match stage {
        Stage::Stills => "stage-stills",
        Stage::Clip => "stage-clip",
        Stage::Encode => "stage-encode",
        Stage::Publish => "stage-publish",
    }
}

/// The first try needs no number.
fn attempt_note(locale: Locale, attempt: Attempts) -> Option<String> {
    (attempt.number > 1).then(|| td_string!(locale, story.attempt, number = attempt.number, of = attempt.of))
}

fn usual_note(locale: Locale, (from, to): (u32, u32)) -> String {
    let word = |seconds: u32| lasting(locale, Duration::seconds(i64::from(seconds)));
    let from = if from < 60 && to < 60 { from.to_string() } else { word(from) };
    td_string!(locale, story.usual, from = from, to = word(to))
}

/// Held and paid, and when the next try is due.
fn sums(generation: &GenerationView, facts: &PageFacts) -> String {
    let locale = facts.locale;
    let mut parts = Vec::new();
    if generation.held != MicroUsd::ZERO {
        parts.push(td_string!(locale, story.held, amount = generation.held.display()));
    }
    if generation.paid != MicroUsd::ZERO || generation.held == MicroUsd::ZERO {
        parts.push(td_string!(locale, story.paid, amount = generation.paid.display()));
    }
    if let Some(took) = took(generation) {
        parts.push(lasting(locale, took));
    }
    if let Some(at) = generation.next_try_at.filter(|_| !generation.state.is_final()) {
        parts.push(td_string!(locale, story.next_try, at = precise(at, &facts.zone)));
    }
    parts.join(" · ")
}

/// How long an ended generation took.
pub fn took(generation: &GenerationView) -> Option<Duration> {
    generation.finished_at.map(|finished_at| finished_at - generation.created_at)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_usual_range_names_its_unit_once_below_a_minute() {
        assert_eq!(usual_note(Locale::ko, (12, 20)), "보통 12–20초");
        assert_eq!(usual_note(Locale::en, (40, 90)), "usually 40 s–1 min 30 s");
    }

    #[test]
    fn only_later_tries_are_numbered() {
        assert_eq!(attempt_note(Locale::ko, Attempts { number: 1, of: 3 }), None);
        assert_eq!(attempt_note(Locale::ko, Attempts { number: 2, of: 3 }).as_deref(), Some("시도 2/3"));
    }

    #[test]
    fn the_running_stage_shows_its_time_and_the_failed_one_its_reason() {
        let running = sample::generation(GenerationState::GeneratingVideo);
        let html =
            sample::render(Locale::ko, move || view! { <Story generation=Signal::derive(move || running.clone())/> });
        assert!(html.contains("data-state=\"running\"") && html.contains("0:30"), "{html}");
        assert!(html.contains("보통 40초–1분 30초"), "{html}");
        assert!(!html.contains("style="), "styles are not allowed in the page: {html}");

        let failed = sample::generation(GenerationState::Failed);
        let html =
            sample::render(Locale::en, move || view! { <Story generation=Signal::derive(move || failed.clone())/> });
        assert!(html.contains("The provider did not finish in time."), "{html}");
    }

    #[test]
    fn a_stopped_stage_does_not_look_failed() {
        let cancelled = sample::generation(GenerationState::Cancelled);
        let html =
            sample::render(Locale::ko, move || view! { <Story generation=Signal::derive(move || cancelled.clone())/> });
        assert!(html.contains("data-state=\"cancelled\"") && html.contains(">취소됨<"), "{html}");
        assert!(!html.contains("data-state=\"failed\"") && !html.contains("실패"), "{html}");
    }

    #[test]
    fn a_wish_to_stop_is_spoken() {
        let running = GenerationView { cancel_requested: true, ..sample::generation(GenerationState::GeneratingVideo) };
        let html =
            sample::render(Locale::ko, move || view! { <Story generation=Signal::derive(move || running.clone())/> });
        let (_, spoken) = html.split_once("role=\"status\"").unwrap_or_default();
        assert!(spoken.contains("취소하는 중"), "{html}");
    }

    #[test]
    fn one_still_is_one() {
        let mut generation = sample::generation(GenerationState::GeneratingVideo);
        generation.options.recipe = domain::Recipe::TryonVideo;
        let html = sample::render(Locale::en, move || {
            view! { <Story generation=Signal::derive(move || generation.clone())/> }
        });
        assert!(html.contains("Still") && !html.contains("Stills"), "{html}");
    }
}
