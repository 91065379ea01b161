//! The document of the desk, and what it has in common with the shop's.

use leptos::prelude::*;
use leptos_i18n::Locale as _;
use leptos_meta::{HashedStylesheet, MetaTags};

use super::{Theme, provide_facts};
use crate::routes::AdminApp;

/// The desk's document: hydrated, with the desk's stylesheet.
pub fn admin_shell(options: LeptosOptions) -> impl IntoView {
    let facts = provide_facts();
    view! {
        <!DOCTYPE html>
        <html
            lang=facts.locale.as_str()
            data-theme=facts.theme.map(Theme::as_str)
            data-zone=facts.zone.name.clone()
            data-offset=facts.zone.offset_seconds.to_string()
            data-rendered-at=facts.rendered_at.timestamp_millis().to_string()
        >
            <head>
                <CommonHead/>
                <meta name="robots" content="noindex"/>
                <HashedStylesheet id="desk" options=options.clone()/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <AdminApp/>
            </body>
        </html>
    }
}

/// The stylesheet of the typeface, which takes the place of the system's letters as soon as it is loaded.
const TYPEFACE: &str = "/fonts/pretendard.css";
/// The same, where it is there by the first paint only: nothing moves because letters change.
pub(crate) const TYPEFACE_IN_TIME: &str = "/fonts/pretendard-in-time.css";

/// What stands first in every head.
#[component]
pub(crate) fn CommonHead(
    /// The stylesheet of the typeface; without one the page is drawn in the system's letters.
    #[prop(default = Some(TYPEFACE))]
    typeface: Option<&'static str>,
) -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
        {typeface.map(|href| view! { <link rel="stylesheet" href=href/> })}
    }
}
