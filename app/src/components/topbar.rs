//! The bar at the top: search, spend of the day, bell, person.

use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::{use_location, use_query_map};

use super::{bell::BellMenu, person_menu::PersonMenu, search_box::SearchBox, spend::Spend};
use crate::{api::frame::FrameView, live::use_live, shell::use_locale};

/// The top bar. `frame` is none when nothing could be loaded: search and person still work.
#[component]
pub fn TopBar(
    /// What the frame shows.
    frame: Option<FrameView>,
) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let location = use_location();
    let query = use_query_map();
    // The box says what the product list is searched for; elsewhere it is empty.
    let searched = Signal::derive(move || {
        if location.pathname.with(|path| path == "/admin/products") {
            query.with(|query| query.get("q")).unwrap_or_default()
        } else {
            String::new()
        }
    });
    let tools = frame.map(|FrameView { person, limits, bell, .. }| {
        let limits = Signal::derive(move || live.limits.get().unwrap_or(limits));
        let bell = Signal::derive(move || live.bell.get().unwrap_or_else(|| bell.clone()));
        (limits, bell, person)
    });
    let spend = tools.as_ref().map(|(limits, ..)| view! { <Spend limits=*limits/> });
    view! {
        <header class="topbar">
            <SearchBox
                action="/admin/products"
                label=td_string!(locale, search.label)
                placeholder=td_string!(locale, search.placeholder)
                value=searched
                key="/"
            />
            {spend}
            <div class="topbar-tools">
                {tools.as_ref().map(|(_, bell, _)| view! { <BellMenu bell=*bell/> })}
                <PersonMenu person=tools.map(|(.., person)| person)/>
            </div>
        </header>
    }
}
