//! The frame around every page of the desk.

use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::components::Outlet;

use super::{
    announcer::RouteAnnouncer,
    error_block::ErrorBlock,
    icon::{Icon, IconName},
    keys::Keys,
    lasting::Lasting,
    queue_alert::QueueAlert,
    rail::Rail,
    retirement_alert::RetirementAlert,
    toasts::Toasts,
    topbar::TopBar,
};
use crate::{
    api::frame::{FrameView, load_frame},
    clock::Clock,
    error::AppError,
    live::Live,
    shell::use_locale,
};

/// Rail, top bar, the page between them, and the one live stream of the tab.
#[component]
pub fn Frame() -> impl IntoView {
    Clock::provide();
    let live = Live::provide();
    live.listen();
    let frame = crate::wire::resource(move || live.alerts.get(), |_| load_frame());
    let lasting = Lasting::here();
    let locale = use_locale();
    view! {
        // The router would swallow a plain fragment, and with it the focus.
        <a class="skip-link" href="#main" rel="external">
            {td_string!(locale, nav.skip)}
        </a>
        <div class="frame">
            <Transition fallback=|| view! { <Bars frame=None/> }>
                {move || {
                    let lasting = lasting.clone();
                    Suspend::new(async move {
                        let frame = frame.await.ok();
                        lasting.view(|| view! { <Bars frame/> }.into_any())
                    })
                }}
            </Transition>
            <main class="main" id="main" tabindex="-1">
                <div class="content">
                    <Standstill/>
                    <div role="status">
                        <Transition>
                            {move || Suspend::new(async move {
                                frame.await.ok().map(|frame| view! { <Alerts frame/> })
                            })}
                        </Transition>
                    </div>
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

/// What every page says: of the queue, of models that end soon.
#[component]
fn Alerts(frame: FrameView) -> impl IntoView {
    let FrameView { queue, retiring, .. } = frame;
    view! {
        {(!queue.is_quiet()).then(|| view! { <QueueAlert notice=queue/> })}
        {(!retiring.is_empty()).then(|| view! { <RetirementAlert models=retiring/> })}
    }
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

/// Says that numbers stand still, and that this is being repaired or that it needs a new sign-in.
#[component]
fn Standstill() -> impl IntoView {
    let live = crate::live::use_live();
    view! {
        <div role="status">
            {move || {
                if live.signed_out.get() {
                    view! { <ErrorBlock error=AppError::SignedOut/> }.into_any()
                } else if live.lost.get() {
                    view! {
                        <div class="alert" data-state="attention">
                            <Icon name=IconName::Attention size=20/>
                            <div class="alert-body">
                                <p class="alert-text">{td_string!(use_locale(), live.lost)}</p>
                            </div>
                        </div>
                    }
                        .into_any()
                } else {
                    ().into_any()
                }
            }}
        </div>
    }
}
