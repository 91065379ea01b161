//! Removing try-on images: pictures of people are kept no longer than something may use them.

use domain::{TryonImageId, UserId};

use super::store;
use crate::{Conflict, Engine, Error, generations::store::audit};

impl Engine {
    /// Removes a try-on image: nothing is made of it any more, and its picture goes from the object store, at the latest when
    /// retention runs next. Videos that were made of it stay.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for one that was removed; [`Error::Conflict`] while a generation that is made from it is under
    /// way.
    pub async fn remove_tryon_image(&self, by: UserId, id: TryonImageId) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        let key = store::lock(&mut tx, id).await?.ok_or(Error::NotFound("try-on image"))?;
        if store::is_in_use(&mut tx, id).await? {
            return Err(Error::Conflict(Conflict::TryonImageInUse));
        }
        store::set_removed(&mut tx, id).await?;
        audit(&mut tx, Some(by), "tryon_image.removed", id.uuid()).await?;
        tx.commit().await?;
        tracing::info!(tryon_image.id = %id, user.id = %by, "user {by} removed try-on image {id}");
        if let Err(error) = self.erase(&key).await {
            tracing::warn!(%error, object.key = key, "{key} could not be removed now: {error}");
        }
        Ok(())
    }

    async fn erase(&self, key: &str) -> Result<(), Error> {
        self.store().delete(&storage::Key::parse(key).map_err(Error::internal)?).await?;
        let mut conn = self.pg().acquire().await?;
        Ok(store::set_erased(&mut conn, &[key.to_owned()]).await?)
    }
}
