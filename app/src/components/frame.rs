//! The frame around every page of the desk.

use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::components::Outlet;

use super::{
    announcer::RouteAnnouncer,
    icon::{Icon, IconName},
    keys::Keys,
    rail::Rail,
    toasts::Toasts,
    topbar::TopBar,
};
use crate::{
    api::frame::{FrameView, load_frame},
    clock::Clock,
    live::Live,
    shell::use_locale,
};

/// Rail, top bar, the page between them, and the one live stream of the tab.
#[component]
pub fn Frame() -> impl IntoView {
    Clock::provide();
    let live = Live::provide();
    live.listen();
    let frame = crate::wire::resource(|| (), |()| load_frame());
    let locale = use_locale();
    view! {
        // The router would swallow a plain fragment, and with it the focus.
        <a class="skip-link" href="#main" rel="external">
            {td_string!(locale, nav.skip)}
        </a>
        <div class="frame">
            <Suspense fallback=|| view! { <Bars frame=None/> }>
                {move || Suspend::new(async move { view! { <Bars frame=frame.await.ok()/> } })}
            </Suspense>
            <main class="main" id="main" tabindex="-1">
                <div class="content">
                    <LostConnection/>
                    <Outlet/>
                </div>
            </main>
        </div>
        <Toasts/>
        <RouteAnnouncer/>
        <Keys/>
    }
    .into_any()
}

#[component]
fn Bars(frame: Option<FrameView>) -> impl IntoView {
    let live = crate::live::use_live();
    let known = frame.as_ref().map(|frame| frame.active.clone());
    let active = Signal::derive(move || match &known {
        Some(known) => live.active(&known.rows, known.total),
        None => live.active(&[], 0),
    });
    view! {
        <Rail active/>
        <TopBar frame/>
    }
}

/// Says that numbers stand still, and that this is being repaired.
#[component]
fn LostConnection() -> impl IntoView {
    let locale = use_locale();
    let lost = crate::live::use_live().lost;
    view! {
        <div role="status">
            {move || {
                lost.get()
                    .then(|| {
                        view! {
                            <div class="alert" data-state="attention">
                                <Icon name=IconName::Attention size=20/>
                                <div class="alert-body">
                                    <p class="alert-text">{td_string!(locale, live.lost)}</p>
                                </div>
                            </div>
                        }
                    })
            }}
        </div>
    }
}
