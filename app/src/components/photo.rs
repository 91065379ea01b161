//! Pictures of products.

use domain::product::Picture;
use leptos::prelude::*;

use super::icon::{Icon, IconName};

/// A small picture beside a name; the name says what it is.
#[component]
pub fn Thumb(
    /// The picture, when there is one.
    picture: Option<Picture>,
) -> impl IntoView {
    match picture {
        Some(picture) => view! {
            <img class="thumb" src=picture.url width="30" height="40" alt="" loading="lazy" decoding="async"/>
        }
        .into_any(),
        None => view! {
            <span class="thumb">
                <Icon name=IconName::Image/>
            </span>
        }
        .into_any(),
    }
}
