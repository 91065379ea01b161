//! How videos are played, beside what they cost.

use domain::{MicroUsd, playback::PlaybackSummary};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::figure::Figure;
use crate::shell::use_locale;

/// A card with the playbacks of one video, or of many.
#[component]
pub fn Playback(
    /// Its heading.
    title: &'static str,
    /// What was counted.
    playback: PlaybackSummary,
    /// What they cost together.
    cost: MicroUsd,
) -> impl IntoView {
    let locale = use_locale();
    let body = match playback.cost_per_thousand(cost) {
        Some(per_thousand) => view! { <Figures playback cost per_thousand/> }.into_any(),
        None => view! { <p class="card-body muted">{td_string!(locale, playback.none)}</p> }.into_any(),
    };
    view! {
        <section class="card" data-testid="playback">
            <header class="card-head">
                <h2 class="card-title">{title}</h2>
            </header>
            {body}
        </section>
    }
}

#[component]
fn Figures(playback: PlaybackSummary, cost: MicroUsd, per_thousand: MicroUsd) -> impl IntoView {
    let locale = use_locale();
    let ms = |ms: Option<u32>| ms.map_or_else(|| "–".to_owned(), |ms| td_string!(locale, playback.ms, ms = ms));
    view! {
        <dl class="stats four">
            <Figure
                label=td_string!(locale, playback.starts)
                value=playback.starts.to_string()
                note=td_string!(locale, playback.stalls, count = playback.stalls)
            />
            <Figure
                label=td_string!(locale, playback.completed)
                value=format!("{}%", playback.completion_percent())
                note=td_string!(locale, playback.completes, count = playback.completes)
            />
            <Figure
                label=td_string!(locale, playback.first_frame)
                value=ms(playback.first_frame_p50_ms)
                note=td_string!(locale, playback.within, ms = ms(playback.first_frame_p95_ms))
            />
            <Figure
                label=td_string!(locale, playback.per_thousand)
                value=per_thousand.display()
                note=td_string!(locale, playback.of_cost, cost = cost.display())
            />
        </dl>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{i18n::Locale, sample};

    fn card(playback: PlaybackSummary) -> String {
        sample::render(Locale::ko, move || view! { <Playback title="재생" playback cost=MicroUsd::new(271_760)/> })
    }

    #[test]
    fn figures_stand_beside_the_cost() {
        let html = card(PlaybackSummary {
            starts: 400,
            completes: 300,
            stalls: 2,
            first_frame_p50_ms: Some(90),
            first_frame_p95_ms: Some(410),
        });
        for figure in [">400<", "75%", "90 ms", "410 ms", "$0.6794", "$0.2718"] {
            assert!(html.contains(figure), "{figure} in {html}");
        }
    }

    #[test]
    fn what_nobody_played_has_no_figures() {
        let html = card(PlaybackSummary::default());
        assert!(!html.contains("<dl") && html.contains("재생되지 않았습니다"), "{html}");
    }
}
