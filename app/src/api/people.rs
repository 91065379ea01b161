//! Signing in and out.

use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// Signs in and goes to `next`, when that is a page of the desk.
#[server(prefix = "/api/session", endpoint = "sign-in", output = LeanJson)]
pub async fn sign_in(email: String, password: String, #[server(default)] next: String) -> Result<(), AppError> {
    use crate::{auth, error::refused, query::safe_next, shell::Client};

    let client = use_context::<Client>().ok_or_else(|| {
        tracing::error!("no client address was provided to this request");
        refused(AppError::Internal)
    })?;
    let session = auth::session().await?;
    let signed_in = auth::engine()?.sign_in(&email, &password, &client.ip).await?;
    auth::begin(&session, &signed_in).await?;
    let id = signed_in.person.id;
    tracing::info!(user.id = %id, client.ip = %client.ip, "person {id} signed in");
    leptos_axum::redirect(safe_next(&next));
    Ok(())
}

/// Signs out: the session is gone everywhere it was open.
#[server(prefix = "/api/session", endpoint = "sign-out", output = LeanJson)]
pub async fn sign_out() -> Result<(), AppError> {
    crate::auth::session().await?.flush().await?;
    leptos_axum::redirect("/admin/sign-in");
    Ok(())
}
