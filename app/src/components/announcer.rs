//! Tells assistive technology that another page was opened: the router itself says nothing.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Speaks the title of each newly opened page, closes what was open, and moves a lost focus to the page's content.
#[component]
pub fn RouteAnnouncer() -> impl IntoView {
    let pathname = use_location().pathname;
    let said = RwSignal::new(String::new());
    Effect::new(move |before: Option<String>| {
        let path = pathname.get();
        if before.is_some_and(|before| before != path) {
            close_popovers();
            // The new page sets its title after this effect.
            set_timeout(
                move || {
                    said.set(document().title());
                    keep_focus();
                },
                std::time::Duration::from_millis(150),
            );
        }
        path
    });
    view! {
        <p class="visually-hidden" aria-live="polite" data-testid="announcer">
            {move || said.get()}
        </p>
    }
}

/// Closes open menus.
pub fn close_popovers() {
    while let Some(open) = document().query_selector("details.popover[open]").ok().flatten() {
        if open.remove_attribute("open").is_err() {
            break;
        }
    }
}

/// A removed element leaves the focus on `body`: the keyboard would start over at the top.
fn keep_focus() {
    use leptos::wasm_bindgen::JsCast;

    let page = document();
    let is_lost = page.active_element().is_none_or(|element| element.tag_name() == "BODY");
    if is_lost
        && let Some(main) = page.get_element_by_id("main").and_then(|main| main.dyn_into::<web_sys::HtmlElement>().ok())
    {
        // The page stays where the router has put it. A refused focus leaves everything as it was.
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = main.focus_with_options(&options);
    }
}
