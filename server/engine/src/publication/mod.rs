//! Which of its videos a product shows. A generation that finishes shows its own by itself; people choose another one, or
//! none.

mod store;

use domain::{GenerationId, UserId};

use crate::{Conflict, Engine, Error, assets, generations, outgoing};

impl Engine {
    /// Shows the video of a generation on its product, in place of the one that was there.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for a generation that gave no video, or whose files are no longer stored.
    pub async fn publish(&self, by: UserId, id: GenerationId) -> Result<(), Error> {
        self.show(by, id, None).await
    }

    /// Says that the video of a generation is good, and shows it on its product where it is not shown already. Who said so is
    /// written down.
    ///
    /// # Errors
    /// Those of [`Engine::publish`].
    pub async fn approve(&self, by: UserId, id: GenerationId) -> Result<(), Error> {
        self.show(by, id, Some("video.approved")).await
    }

    async fn show(&self, by: UserId, id: GenerationId, said: Option<&str>) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        let generation = generations::store::lock(&mut tx, id).await?.ok_or(Error::NotFound("generation"))?;
        let playable = store::lock_product(&mut tx, generation.product_id, generation.video_id).await?;
        if !playable.is_stored {
            return Err(Error::Conflict(Conflict::NoVideo));
        }
        if let Some(said) = said {
            generations::store::audit(&mut tx, Some(by), said, generation.video_id.uuid()).await?;
        }
        if !playable.is_published {
            assets::store::publish(&mut tx, generation.product_id, generation.video_id).await?;
            store::mark_published(&mut tx, generation.video_id).await?;
            generations::store::audit(&mut tx, Some(by), "video.published", generation.video_id.uuid()).await?;
            generations::store::touch(&mut tx, id).await?;
            outgoing::tell(&mut tx, id, outgoing::WebhookEvent::VideoPublished).await?;
        }
        tx.commit().await?;
        let verb = if said.is_some() { "approved" } else { "published" };
        tracing::info!(generation.id = %id, user.id = %by, "user {by} {verb} the video of generation {id}");
        self.announce(id).await;
        Ok(())
    }

    /// Shows no video on the product of a generation any more. Its files are then kept as long as those of any video that
    /// nothing points to.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when its video is not the one that is shown.
    pub async fn unpublish(&self, by: UserId, id: GenerationId) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        let generation = generations::store::lock(&mut tx, id).await?.ok_or(Error::NotFound("generation"))?;
        if !store::lock_product(&mut tx, generation.product_id, generation.video_id).await?.is_published {
            return Err(Error::Conflict(Conflict::NotPublished));
        }
        store::unpublish(&mut tx, generation.product_id, generation.video_id).await?;
        generations::store::audit(&mut tx, Some(by), "video.unpublished", generation.video_id.uuid()).await?;
        generations::store::touch(&mut tx, id).await?;
        outgoing::tell(&mut tx, id, outgoing::WebhookEvent::VideoUnpublished).await?;
        tx.commit().await?;
        tracing::info!(generation.id = %id, user.id = %by, "user {by} unpublished the video of generation {id}");
        self.announce(id).await;
        Ok(())
    }
}
