//! The title of the tab.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use leptos_meta::Title;

/// Names the page in the tab: `page · Lookreel`.
#[component]
pub fn PageTitle(
    /// What the page is called.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    // The server writes the head after the page's signals are gone: it needs the words themselves. Its view is nothing
    // in the body, and `()` the place that both halves agree on.
    #[cfg(feature = "ssr")]
    return (view! { <Title text=of_page(&text.get_untracked())/> }, ());
    // Not by `leptos_meta`: its stack keeps the titles of views that were loaded anew, and reads them when their signals
    // are gone. An effect ends with its page.
    #[cfg(not(feature = "ssr"))]
    Effect::new(move || {
        if let Some(text) = text.try_get() {
            document().set_title(&of_page(&text));
        }
    });
}

fn of_page(name: &str) -> String {
    format!("{name} · Lookreel")
}
