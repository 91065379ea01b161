//! Toasts: news that came while this tab was open. Each is in the bell as well.

use std::time::Duration;

use domain::notice::Notice;
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    bell::notice_icon,
    icon::{Icon, IconName},
};
use crate::{
    live::use_live,
    shell::use_locale,
    words::{notice_generation, notice_sentence, notice_state},
};

/// How long a toast stays while nobody points at it.
const SHOWN: Duration = Duration::from_secs(6);
/// Toasts that are shown together at most.
const MOST: usize = 4;

/// The stack of toasts.
#[component]
pub fn Toasts() -> impl IntoView {
    let live = use_live();
    let is_held = RwSignal::new(false);
    Effect::new(move || {
        // The oldest leaves first; a new turn starts when it has left, or when the pointer leaves the stack.
        let oldest = live.fresh.with(|fresh| fresh.first().map(|notice| notice.id));
        if let Some(id) = oldest
            && !is_held.get()
            && let Ok(timer) = set_timeout_with_handle(move || live.dismiss(id), SHOWN)
        {
            on_cleanup(move || timer.clear());
        }
    });
    view! {
        <div
            class="toasts"
            role="status"
            aria-live="polite"
            on:pointerenter=move |_| is_held.set(true)
            on:pointerleave=move |_| is_held.set(false)
            on:focusin=move |_| is_held.set(true)
            on:focusout=move |_| is_held.set(false)
        >
            <For
                each=move || live.fresh.get().into_iter().rev().take(MOST)
                key=|notice| notice.id
                children=move |notice| view! { <Toast notice/> }
            />
        </div>
    }
}

#[component]
fn Toast(notice: Notice) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let id = notice.id;
    let link = notice_generation(&notice.body).map(|id| {
        view! {
            <a class="toast-link" href=format!("/admin/generations/{id}")>
                {td_string!(locale, product.details)}
            </a>
        }
    });
    view! {
        <div class="toast" data-state=notice_state(&notice.body)>
            <Icon name=notice_icon(&notice.body)/>
            <p class="toast-text">{notice_sentence(locale, &notice.body)}</p>
            {link}
            <button
                class="button quiet icon-only small"
                type="button"
                aria-label=td_string!(locale, bell.dismiss)
                on:click=move |_| live.dismiss(id)
            >
                <Icon name=IconName::Close/>
            </button>
        </div>
    }
}
