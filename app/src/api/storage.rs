//! The rules of retention. Their page is a plain one: this is a form of the browser.

use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// What the form is called: the start of the ids in it, and of what a refused one brings back.
pub const RETENTION_FORM: &str = "retention";

/// Sets the rules of retention: whole days, 0 for ever.
#[server(prefix = "/api/admin", endpoint = "storage/retention", output = LeanJson)]
pub async fn set_retention(originals: String, videos: String, posters: String) -> Result<(), AppError> {
    let person = crate::auth::require_person().await?;
    let done = match domain::storage::KeepDays::parse(&originals, &videos, &posters) {
        Ok(keep) => crate::auth::engine()?.set_retention(person.id, keep).await,
        Err(wrong) => Err(engine::Error::Invalid(wrong)),
    };
    super::back::end::<SetRetention>(
        done,
        RETENTION_FORM,
        [("originals", &*originals), ("videos", &*videos), ("posters", &*posters)],
    )
}
