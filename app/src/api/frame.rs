//! What the frame around every page shows.

use domain::{
    cost::LimitStatus, generation::GenerationRow, models::RetiringModel, notice::Bell, page::Page, queue::QueueNotice,
    user::Person,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{AppError, wire::LeanJson};

/// The frame's part of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameView {
    /// Who is signed in.
    pub person: Person,
    /// The limits of today.
    pub limits: LimitStatus,
    /// The bell of the person.
    pub bell: Bell,
    /// Generations under way: the newest of them and how many there are.
    pub active: Page<GenerationRow>,
    /// What is wrong with the queue, or paused.
    pub queue: QueueNotice,
    /// Models in use that end soon.
    pub retiring: Vec<RetiringModel>,
}

/// The frame of the person who asks.
#[server(prefix = "/api/admin", endpoint = "frame", output = LeanJson)]
pub async fn load_frame() -> Result<FrameView, AppError> {
    use domain::{
        generation::{GenerationFilter, StateGroup},
        page::PageNumber,
    };

    let person = crate::auth::require_person().await?;
    let engine = crate::auth::engine()?;
    let running = GenerationFilter { group: Some(StateGroup::Active), ..GenerationFilter::default() };
    Ok(FrameView {
        limits: engine.limits().await?,
        bell: engine.bell(person.id).await?,
        active: engine.generations(person.id, &running, PageNumber::FIRST).await?,
        queue: engine.queue_notice().await?,
        retiring: engine.retiring_models(),
        person,
    })
}
