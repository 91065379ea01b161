//! The bell.

use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// Marks everything in the bell of the person who asks as read.
#[server(prefix = "/api/admin", endpoint = "notices/read", output = LeanJson)]
pub async fn read_notices() -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    crate::auth::engine()?.read_notices(person.id).await?;
    super::back::lead_plain_form_back();
    Ok(())
}
