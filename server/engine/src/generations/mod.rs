//! Generations: the click, stopping one, retrying one, and how they are shown.

pub(crate) mod changes;
pub(crate) mod click;
pub(crate) mod clicks;
mod retry;
pub(crate) mod store;

use domain::{
    GenerationId, GenerationState, UserId,
    generation::{GenerationDetail, GenerationFilter, GenerationRow, GenerationView},
    page::{Page, PageNumber},
};

use sqlx::PgConnection;

use crate::{
    Conflict, Engine, Error, calls,
    outgoing::{self, WebhookEvent},
    playback, stages, views,
};

/// Times a wish to stop follows a generation from one job to the next.
const CANCEL_TRIES: u32 = 5;

/// Moves a generation on where the state machine allows it, and tells shops that want to know. False when it does not.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    id: GenerationId,
    next: GenerationState,
    progress: u8,
) -> Result<bool, Error> {
    let is_moved = store::advance(conn, id, next, progress).await?;
    if is_moved {
        outgoing::tell(conn, id, WebhookEvent::of(next)).await?;
    }
    Ok(is_moved)
}

impl Engine {
    /// A page of the history, newest first; past the end it is empty and still says how many there are.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn generations(
        &self,
        viewer: UserId,
        filter: &GenerationFilter,
        page: PageNumber,
    ) -> Result<Page<GenerationRow>, Error> {
        let mut conn = self.pg().acquire().await?;
        let (rows, mut total) = views::store::history(&mut conn, self.media(), viewer, filter, page).await?;
        if rows.is_empty() && page != PageNumber::FIRST {
            // Past the end no row says how many there are.
            (_, total) = views::store::history(&mut conn, self.media(), viewer, filter, PageNumber::FIRST).await?;
        }
        Ok(Page { rows, number: page.get(), total })
    }

    /// A generation with its timeline and its calls.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn generation(&self, id: GenerationId) -> Result<GenerationDetail, Error> {
        let view = self.generation_view(id).await?;
        let mut conn = self.pg().acquire().await?;
        let playback = match &view.video {
            Some(video) => Some(playback::counts(&mut conn, Some(video.id), None).await?.summary()),
            None => None,
        };
        Ok(GenerationDetail {
            view,
            playback,
            timeline: views::store::timeline(&mut conn, id).await?,
            calls: views::store::calls(&mut conn, id).await?,
        })
    }

    /// The snapshot of a generation.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn generation_view(&self, id: GenerationId) -> Result<GenerationView, Error> {
        self.views(&[id]).await?.pop().ok_or(Error::NotFound("generation"))
    }

    /// Asks to stop a generation. What was already paid stays paid; a clip the provider is still making is cancelled
    /// there, and what it costs all the same is shown.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when it has ended.
    pub async fn cancel(&self, by: UserId, id: GenerationId) -> Result<(), Error> {
        for _ in 0..CANCEL_TRIES {
            if let Some(dispatch) = self.try_cancel(by, id).await? {
                tracing::info!(generation.id = %id, user.id = %by, "user {by} asked to stop generation {id}");
                self.queue().dispatch(&dispatch).await;
                self.announce(id).await;
                return Ok(());
            }
        }
        Err(Error::Conflict(Conflict::Busy))
    }

    /// The jobs to dispatch; none when another job took the generation over in between.
    async fn try_cancel(&self, by: UserId, id: GenerationId) -> Result<Option<Vec<uuid::Uuid>>, Error> {
        let mut tx = self.pg().begin().await?;
        let seen = store::load(&mut tx, id).await?.ok_or(Error::NotFound("generation"))?;
        // The job's row before the generation's, as the stages lock them. Waking alone does not hold one that retries.
        jobs::lock(&mut tx, seen.job_id).await?;
        let waited = jobs::wake(&mut tx, seen.job_id).await?;
        let generation = store::lock(&mut tx, id).await?.ok_or(Error::NotFound("generation"))?;
        if generation.state.is_final() {
            return Err(Error::Conflict(Conflict::AlreadyEnded));
        }
        if generation.job_id != seen.job_id {
            return Ok(None);
        }
        store::request_cancel(&mut tx, id, by).await?;
        // What was sent to a provider's queue: its own stage must ask there and settle what it says.
        if !calls::seen::store::is_asked(&mut tx, id).await?
            && jobs::request_cancel(&mut tx, generation.job_id).await? == jobs::CancelRequest::Gone
        {
            stages::end_without_video(self, &mut tx, id, &stages::Ending::cancelled()).await?;
        }
        tx.commit().await?;
        Ok(Some(if waited { vec![generation.job_id] } else { Vec::new() }))
    }
}
