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

pub(super) async fn images(
    conn: &mut PgConnection,
    ids: &[TryonImageId],
) -> Result<HashMap<TryonImageId, ImageRecord>, sqlx::Error> {
    let rows = sqlx::query!(
        "select t.id, t.product_id, f.id as \"photo_id?\" from tryon_images t
         left join product_photos f on f.product_id = t.product_id and f.position = 0
         where t.id = any($1)",
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
