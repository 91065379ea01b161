//! Retry by a person: a new generation for one that ended without a video. What was paid for and is still good is taken
//! over, the rest is bought at the price of the day.

pub(super) mod store;

use std::time::Duration;

use domain::{
    FailureCode, GenerationId, GenerationState, MicroUsd, Recipe, Stage, UserId, VideoId,
    cost::{RetryOffer, Reused},
    generation::Frame,
};
use store::Before;

use super::{
    click::{Click, ClickName, Given},
    store as generations,
};
use crate::{Conflict, Engine, Error, tryon};

/// Longest wait for the object store to say what it still has.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// What a retry takes over, and from which generation.
pub(super) struct Takeover {
    pub(super) of: GenerationId,
    /// Stills that need not be made.
    pub(super) frames: Vec<Frame>,
    /// The asset whose stored clip is used, where the clip is taken over.
    pub(super) clip: Option<VideoId>,
}

impl Takeover {
    /// Stages that need not run.
    pub(super) fn stages(&self, recipe: Recipe) -> &'static [Stage] {
        if self.clip.is_some() {
            &[Stage::Stills, Stage::Clip]
        } else if recipe.frames().iter().all(|frame| self.frames.contains(frame)) {
            &[Stage::Stills]
        } else {
            &[]
        }
    }

    fn given(&self) -> Given {
        Given { frames: self.frames.clone(), clip: self.clip.is_some() }
    }

    /// The same as people are told.
    fn reused(&self, recipe: Recipe) -> Vec<Reused> {
        match self.stages(recipe) {
            [] if self.frames.is_empty() => Vec::new(),
            [] => vec![Reused::OneStill],
            [_] => vec![Reused::Stills],
            [..] => vec![Reused::Stills, Reused::Clip],
        }
    }
}

impl Engine {
    /// What a retry of this generation would cost now, what it would not buy again, and the limits of the day.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] while it runs, when it gave a video, or when a retry of it runs or gave
    /// one; [`Error::NoPrice`]; [`Error::Unavailable`] when the object store does not say what it has.
    pub async fn retry_offer(&self, id: GenerationId) -> Result<RetryOffer, Error> {
        let before = self.before(id).await?;
        let mut conn = self.pg().acquire().await?;
        let standing = store::standing(&mut conn, id).await?;
        drop(conn);
        if standing.is_some() {
            return Err(Error::Conflict(Conflict::AlreadyRetried));
        }
        let takeover = self.takeover(id, &before).await?;
        let plan = self.plan(&before.options, &takeover.given())?;
        let mut conn = self.pg().acquire().await?;
        let reused = takeover.reused(before.options.recipe);
        Ok(RetryOffer { quote: self.quote_of(&mut conn, &plan).await?, reused })
    }

    /// Retries a generation that failed or was stopped: a new generation with the same options. While that one runs, and
    /// once it gave a video, every further retry answers with it, whoever asks; so does the same key of the same person.
    /// `agreed` is the price whoever asks agreed to: nothing is asked for when it costs more. None agrees to any price.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for a generation that runs or gave a video; [`Error::LimitReached`];
    /// [`Error::NoPrice`]; [`Error::PriceChanged`]; [`Error::KeyReused`]; [`Error::Unavailable`] when the object store does
    /// not say what it has.
    pub async fn retry(
        &self,
        by: UserId,
        id: GenerationId,
        name: impl Into<ClickName>,
        agreed: Option<MicroUsd>,
    ) -> Result<GenerationId, Error> {
        let name = name.into();
        let mut conn = self.pg().acquire().await?;
        if let Some(earlier) = generations::by_request_key(&mut conn, by, name.key).await? {
            return earlier.told_to(&name);
        }
        // Whatever it would cost now: there is nothing left to buy.
        if let Some(standing) = store::standing(&mut conn, id).await? {
            return Ok(standing);
        }
        drop(conn);
        let before = self.before(id).await?;
        let photo = before.photo_now.ok_or(Error::Conflict(Conflict::NoPhoto))?;
        // The store is asked before anything is locked.
        let takeover = self.takeover(id, &before).await?;
        let plan = self.plan(&before.options, &takeover.given())?;
        let mut tx = self.pg().begin().await?;
        generations::lock(&mut tx, id).await?.ok_or(Error::NotFound("generation"))?;
        if let Some(standing) = store::standing(&mut tx, id).await? {
            return Ok(standing);
        }
        if agreed.is_some_and(|agreed| plan.total() > agreed) {
            return Err(Error::PriceChanged(plan.total()));
        }
        // What it is made from stays until it has ended.
        if let Some(image) = before.tryon_image.filter(|_| takeover.clip.is_none())
            && !tryon::store::hold(&mut tx, image).await?
        {
            return Err(Error::Conflict(Conflict::TryonImageGone));
        }
        let mut new = self.new_generation(by, before.product, photo, before.options, name);
        new.takeover = Some(takeover);
        new.tryon_image = before.tryon_image;
        let made = self.place(tx, Click { new, plan }).await?;
        tracing::info!(
            generation.id = %made, user.id = %by, "generation {made} is the retry of generation {id} by user {by}"
        );
        self.announce(id).await;
        Ok(made)
    }

    async fn before(&self, id: GenerationId) -> Result<Before, Error> {
        let mut conn = self.pg().acquire().await?;
        let before = store::before(&mut conn, id).await?.ok_or(Error::NotFound("generation"))?;
        match before.state {
            GenerationState::Failed | GenerationState::Cancelled => Ok(before),
            GenerationState::Completed => Err(Error::Conflict(Conflict::HasVideo)),
            _ => Err(Error::Conflict(Conflict::NotEnded)),
        }
    }

    /// What of a generation was paid for and is still good. Stills of another photo than the product's are not.
    async fn takeover(&self, of: GenerationId, before: &Before) -> Result<Takeover, Error> {
        let mut takeover = Takeover { of, frames: Vec::new(), clip: None };
        // An uploaded still is not made from the photo.
        if before.tryon_image.is_none() && before.photo_now != Some(before.photo) {
            return Ok(takeover);
        }
        // A damaged clip stays damaged.
        let clip = before.clip.filter(|_| !before.failure.is_some_and(FailureCode::is_of_the_clip));
        if let Some(video) = clip
            && self.is_stored(&storage::Key::original(video)).await?
        {
            takeover.clip = clip;
            takeover.frames = before.stills.iter().map(|(frame, _)| *frame).collect();
            return Ok(takeover);
        }
        for (frame, key) in &before.stills {
            if let Ok(key) = storage::Key::parse(key)
                && self.is_stored(&key).await?
            {
                takeover.frames.push(*frame);
            }
        }
        if before.tryon_image.is_some() && takeover.frames.is_empty() {
            return Err(Error::Conflict(Conflict::TryonImageGone));
        }
        Ok(takeover)
    }

    async fn is_stored(&self, key: &storage::Key) -> Result<bool, Error> {
        match tokio::time::timeout(LOOK_TIMEOUT, self.store().head(key)).await {
            Ok(found) => Ok(found?.is_some()),
            Err(late) => Err(Error::Unavailable { part: "object store", source: late.into() }),
        }
    }
}
