//! The title of the tab.

use leptos::prelude::*;
use leptos_meta::Title;

/// Names the page in the tab: `page · Lookreel`.
#[component]
pub fn PageTitle(
    /// What the page is called.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    // The server writes the head after the page's signals are gone: it needs the words themselves.
    #[cfg(feature = "ssr")]
    let text = format!("{} · Lookreel", text.get_untracked());
    #[cfg(not(feature = "ssr"))]
    let text = move || format!("{} · Lookreel", text.get());
    view! { <Title text=text/> }
}
