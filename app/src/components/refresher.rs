//! Keeps a page of a running generation fresh where no WASM runs.

use leptos::prelude::*;

/// Without scripts the page loads itself anew every three seconds; with scripts this is nothing.
#[component]
pub fn Refresher() -> impl IntoView {
    // As text: with scripts on, browsers keep what is inside as text too, and there is nothing to hydrate.
    view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="3">"#></noscript> }
}
