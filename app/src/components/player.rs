//! A finished video in the desk.

use domain::product::VideoView;
use leptos::{
    html,
    prelude::*,
    wasm_bindgen::{JsValue, closure::Closure},
};
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::shell::use_locale;

/// Plays a finished video; the poster shows first. The browser's own controls would cover a small clip: they are there
/// without scripts only, one small button is there with them.
#[component]
pub fn Player(
    /// The video.
    video: VideoView,
    /// What it shows, for those who do not see it.
    label: String,
) -> impl IntoView {
    let (width, height) = (video.poster.width, video.poster.height);
    let clip = NodeRef::<html::Video>::new();
    // None until the page is awake.
    let plays = RwSignal::new(None);
    Effect::new(move || plays.set(clip.get().map(|clip| !clip.paused())));
    view! {
        <video
            node_ref=clip
            controls=move || plays.get().is_none()
            loop
            muted
            playsinline
            preload="metadata"
            poster=video.poster.url
            width=width
            height=height
            aria-label=label
            on:play=move |_| plays.set(Some(true))
            on:pause=move |_| plays.set(Some(false))
        >
            {video
                .sources
                .into_iter()
                .map(|source| view! { <source src=source.url type=source.content_type/> })
                .collect_view()}
        </video>
        {move || plays.get().map(|plays| view! { <Toggle plays clip/> })}
    }
}

#[component]
fn Toggle(plays: bool, clip: NodeRef<html::Video>) -> impl IntoView {
    let locale = use_locale();
    let (icon, word) = if plays {
        (IconName::Pause, td_string!(locale, shop.pause))
    } else {
        (IconName::Play, td_string!(locale, shop.play))
    };
    view! {
        <button class="picture-toggle" type="button" aria-label=word on:click=move |_| toggle(clip)>
            <Icon name=icon/>
        </button>
    }
}

fn toggle(clip: NodeRef<html::Video>) {
    let Some(clip) = clip.get_untracked() else { return };
    if !clip.paused() {
        // It fails only where there is nothing to pause.
        let _ = clip.pause();
    } else if let Ok(started) = clip.play() {
        // Refused (low power) or interrupted: the poster stays, and that is no fault to report.
        let refused = Closure::once(|_: JsValue| {});
        let _ = started.catch(&refused);
        refused.forget();
    }
}
