//! An error as the person sees it: what happened and what to do.

use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_router::hooks::use_location;

use super::icon::{Icon, IconName};
use crate::{
    error::AppError,
    query::sign_in_address,
    shell::{use_facts, use_locale},
    words::error_sentence,
};

/// A refused or failed request.
#[component]
pub fn ErrorBlock(
    /// Why.
    error: AppError,
) -> impl IntoView {
    let facts = use_facts();
    let sign_in = (error == AppError::SignedOut).then(|| view! { <SignInAgain/> });
    view! {
        <div class="alert" role="alert" data-state="failed">
            <Icon name=IconName::Failed size=20/>
            <div class="alert-body">
                <p class="alert-title">{error_sentence(&error, &facts)}</p>
            </div>
            {sign_in}
        </div>
    }
}

/// The way to the form of sign-in and from there back to this page.
#[component]
fn SignInAgain() -> impl IntoView {
    let here = use_location();
    let href = move || here.pathname.with(|path| here.search.with(|search| sign_in_address(path, search)));
    view! {
        <div class="alert-actions">
            // The form of sign-in needs no WASM.
            <a class="button" href=href rel="external">
                {td_string!(use_locale(), error.sign_in)}
            </a>
        </div>
    }
}
