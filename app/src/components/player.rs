//! A finished video in the desk.

use domain::product::VideoView;
use leptos::prelude::*;

/// Plays a finished video; the poster shows first.
#[component]
pub fn Player(
    /// The video.
    video: VideoView,
    /// What it shows, for those who do not see it.
    label: String,
) -> impl IntoView {
    let (width, height) = (video.poster.width, video.poster.height);
    view! {
        <video
            controls
            loop
            muted
            playsinline
            preload="metadata"
            poster=video.poster.url
            width=width
            height=height
            aria-label=label
        >
            {video
                .sources
                .into_iter()
                .map(|source| view! { <source src=source.url type=source.content_type/> })
                .collect_view()}
        </video>
    }
}
