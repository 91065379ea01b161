//! Rows of try-on images.

use std::collections::HashMap;

use domain::{PhotoId, ProductId, TryonImageId, UserId};
use sqlx::PgConnection;

use super::TryonImage;

/// What a click needs to know of an image.
pub(super) struct ImageRecord {
    pub(super) product: ProductId,
    /// The product's first photo.
    pub(super) photo: Option<PhotoId>,
}

pub(super) async fn has_product(conn: &mut PgConnection, product: ProductId) -> Result<bool, sqlx::Error> {
    let found =
        sqlx::query_scalar!("select id from products where id = $1", product.uuid()).fetch_optional(conn).await?;
    Ok(found.is_some())
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    image: &TryonImage,
    key: &str,
    by: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into tryon_images (id, product_id, object_key, content_type, width, height, bytes, sha256, uploaded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        image.id.uuid(),
        image.product.uuid(),
        key,
        image.content_type,
        i32::try_from(image.width).unwrap_or(i32::MAX),
        i32::try_from(image.height).unwrap_or(i32::MAX),
        i64::try_from(image.bytes).unwrap_or(i64::MAX),
        image.sha256,
        by.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those that are there, held until the transaction ends: none is removed while a click is written.
pub(super) async fn images(
    conn: &mut PgConnection,
    ids: &[TryonImageId],
) -> Result<HashMap<TryonImageId, ImageRecord>, sqlx::Error> {
    let rows = sqlx::query!(
        "select t.id, t.product_id, f.id as \"photo_id?\" from tryon_images t
         left join product_photos f on f.product_id = t.product_id and f.position = 0
         where t.id = any($1) and t.removed_at is null for key share of t",
        &ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let record = ImageRecord {
                product: ProductId::from_uuid(row.product_id),
                photo: row.photo_id.map(PhotoId::from_uuid),
            };
            (TryonImageId::from_uuid(row.id), record)
        })
        .collect())
}

/// Whether an image is there; it is not removed before the transaction ends.
pub(crate) async fn hold(conn: &mut PgConnection, id: TryonImageId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "select id from tryon_images where id = $1 and removed_at is null for key share",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}

/// The key of an image that is there. Waits for clicks that are being written, and keeps others away until the transaction
/// ends.
pub(super) async fn lock(conn: &mut PgConnection, id: TryonImageId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select object_key from tryon_images where id = $1 and removed_at is null for update",
        id.uuid()
    )
    .fetch_optional(conn)
    .await
}

/// Whether a generation that is under way is made from an image.
pub(super) async fn is_in_use(conn: &mut PgConnection, id: TryonImageId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        "select exists (select 1 from generations where tryon_image_id = $1 and finished_at is null) as \"used!\"",
        id.uuid()
    )
    .fetch_one(conn)
    .await
}

pub(super) async fn set_removed(conn: &mut PgConnection, id: TryonImageId) -> Result<(), sqlx::Error> {
    sqlx::query!("update tryon_images set removed_at = now() where id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

/// Lets go of images that nothing has used for so many days, oldest first. What was locked for a click meanwhile stays, and so
/// does what a click was written for until the lock was there: the second statement sees it.
pub(crate) async fn let_go_of_unused(conn: &mut PgConnection, days: i32, most: i64) -> Result<(), sqlx::Error> {
    let unused = sqlx::query_scalar!(
        "select t.id from tryon_images t
         where t.removed_at is null and t.created_at < now() - make_interval(days => $1)
             and not exists (select 1 from generations g where g.tryon_image_id = t.id
                 and (g.finished_at is null or g.finished_at > now() - make_interval(days => $1)))
         order by t.created_at limit $2 for update of t skip locked",
        days,
        most
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!(
        "update tryon_images t set removed_at = now()
         where t.id = any($1) and not exists (select 1 from generations g where g.tryon_image_id = t.id
             and (g.finished_at is null or g.finished_at > now() - make_interval(days => $2)))",
        &unused,
        days
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Key and size of an image whose picture is still in the object store.
pub(crate) struct Picture {
    pub(crate) key: String,
    pub(crate) bytes: u64,
}

/// Pictures of images that were let go of, and with `days` of those that nothing has used for so long.
pub(crate) async fn to_erase(
    conn: &mut PgConnection,
    days: Option<i32>,
    most: i64,
    passed_over: &[String],
) -> Result<Vec<Picture>, sqlx::Error> {
    let rows = sqlx::query!(
        "select t.object_key, t.bytes from tryon_images t
         where t.erased_at is null and t.object_key <> all($3)
             and (t.removed_at is not null or t.created_at < now() - make_interval(days => $1)
                 and not exists (select 1 from generations g where g.tryon_image_id = t.id
                     and (g.finished_at is null or g.finished_at > now() - make_interval(days => $1))))
         order by t.created_at limit $2",
        days,
        most,
        passed_over,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Picture { key: row.object_key, bytes: u64::try_from(row.bytes).unwrap_or(0) })
        .collect())
}

/// Writes down that these pictures are gone.
pub(crate) async fn set_erased(conn: &mut PgConnection, keys: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("update tryon_images set erased_at = now() where object_key = any($1)", keys).execute(conn).await?;
    Ok(())
}
