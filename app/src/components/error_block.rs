//! An error as the person sees it: what happened and what to do.

use leptos::prelude::*;
use leptos_i18n::td_string;

use super::icon::{Icon, IconName};
use crate::{error::AppError, shell::use_facts, words::error_sentence};

/// A refused or failed request.
#[component]
pub fn ErrorBlock(
    /// Why.
    error: AppError,
) -> impl IntoView {
    let facts = use_facts();
    let sign_in = (error == AppError::SignedOut).then(|| {
        view! {
            <div class="alert-actions">
                // The form of sign-in needs no WASM, and the server knows best where to go.
                <a class="button" href="/admin/sign-in" rel="external">
                    {td_string!(facts.locale, error.sign_in)}
                </a>
            </div>
        }
    });
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
