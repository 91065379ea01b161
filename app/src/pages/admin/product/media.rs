//! The pictures of a product: its photos, and the video on display.

use domain::product::{Photo, VideoView};
use leptos::prelude::*;
use leptos_i18n::td_string;

use crate::{
    components::{moment::Moment, player::Player},
    shell::use_locale,
};

/// The photos the video is made from, small; each leads to itself in full.
#[component]
pub(super) fn Photos(photos: Vec<Photo>, name: String) -> impl IntoView {
    let locale = use_locale();
    if photos.is_empty() {
        return None;
    }
    let shown = photos.into_iter().map(|photo| {
        let picture = photo.picture;
        view! {
            <li>
                <a href=picture.url.clone() target="_blank" rel="external noopener">
                    <img
                        src=picture.url.clone()
                        width=picture.width
                        height=picture.height
                        alt=td_string!(locale, product.photo_alt, name = name.clone())
                        decoding="async"
                    />
                </a>
            </li>
        }
    });
    Some(view! {
        <ul class="product-photos" aria-label=td_string!(locale, product.photos)>
            {shown.collect_view()}
        </ul>
    })
}

/// The video shoppers see, when it is not the newest generation's.
#[component]
pub(super) fn Published(video: VideoView, name: String) -> impl IntoView {
    let locale = use_locale();
    let published_at = video.published_at;
    view! {
        <section class="card">
            <header class="card-head">
                <h2 class="card-title">{td_string!(locale, product.video)}</h2>
                <span class="muted">
                    <Moment at=published_at/>
                    {format!(" · {}", video.cost.display())}
                </span>
            </header>
            <div class="card-body">
                <div class="pictures">
                    <figure class="picture">
                        <div class="picture-box" data-state="done" data-testid="published">
                            <Player video label=td_string!(locale, product.video_label, name = name)/>
                        </div>
                    </figure>
                </div>
            </div>
        </section>
    }
}
