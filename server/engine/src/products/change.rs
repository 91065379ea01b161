//! Changing a product, and lists of products by cursor.

use domain::{
    LocalText, ProductId, UserId,
    product::{Photo, Picture, ShopProduct, VideoView},
};

use super::{
    NewPhoto, StoredPhoto,
    store::{self, ProductRecord},
};
use crate::{Conflict, Engine, Error, generations::store::audit, views};

/// Photos a product may have.
pub const PHOTOS_MAX: usize = 10;

/// What is to be otherwise of a product; what is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductChange {
    /// The word in the shop's address.
    pub slug: Option<String>,
    /// Stock-keeping unit.
    pub sku: Option<String>,
    /// Name in both languages.
    pub name: Option<LocalText>,
    /// Description in both languages.
    pub description: Option<LocalText>,
    /// Category word.
    pub category: Option<String>,
    /// Price in won.
    pub price_krw: Option<i64>,
}

impl ProductRecord {
    /// As shoppers see it.
    pub(super) fn shown(self, photos: Vec<Photo>, video: Option<VideoView>) -> ShopProduct {
        ShopProduct {
            slug: self.slug,
            sku: self.sku,
            name: self.name,
            description: self.description,
            category: self.category,
            price_krw: self.price_krw,
            photos,
            video,
        }
    }
}

impl Engine {
    /// Changes a product.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when slug or sku are taken.
    pub async fn change_product(&self, by: UserId, id: ProductId, change: &ProductChange) -> Result<(), Error> {
        let mut tx = self.pg().begin().await?;
        if !store::update(&mut tx, id, change).await.map_err(taken)? {
            return Err(Error::NotFound("product"));
        }
        audit(&mut tx, Some(by), "product.changed", id.uuid()).await?;
        Ok(tx.commit().await?)
    }

    /// Adds a photo behind the others; stills are made from the first.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for bytes that are no picture; [`Error::Conflict`] when the product has ten;
    /// [`Error::Unavailable`] when the object store is away.
    pub async fn add_photo(&self, by: UserId, product: ProductId, photo: &NewPhoto) -> Result<Photo, Error> {
        let mut conn = self.pg().acquire().await?;
        store::by_id(&mut conn, product).await?.ok_or(Error::NotFound("product"))?;
        drop(conn);
        let stored: StoredPhoto = self.store_photo(product, photo).await?;
        let mut tx = self.pg().begin().await?;
        // One at a time: two photos never get the same place.
        let place = store::lock_photos(&mut tx, product).await?;
        if place >= PHOTOS_MAX {
            return Err(Error::Conflict(Conflict::TooManyPhotos));
        }
        store::insert_photo(&mut tx, product, i16::try_from(place).unwrap_or(i16::MAX), &stored).await?;
        audit(&mut tx, Some(by), "product.photo_added", product.uuid()).await?;
        tx.commit().await?;
        let picture = Picture { url: self.media().url(&stored.key), width: stored.width, height: stored.height };
        Ok(Photo { id: stored.id, picture })
    }

    /// Products, newest first, that come after `after`; at most `most`, and 101.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without the database.
    pub async fn products_after(
        &self,
        after: Option<ProductId>,
        most: u32,
    ) -> Result<Vec<(ProductId, ShopProduct)>, Error> {
        let mut conn = self.pg().acquire().await?;
        let records = store::after(&mut conn, self.media(), after, i64::from(most.min(101))).await?;
        let ids: Vec<ProductId> = records.iter().map(|(product, _)| product.id).collect();
        let mut videos = views::videos(&mut conn, self.media(), &ids, self.now()).await?;
        let shown = |(product, photos): (ProductRecord, Vec<Photo>)| {
            let id = product.id;
            (id, product.shown(photos, videos.remove(&id)))
        };
        Ok(records.into_iter().map(shown).collect())
    }

    /// A product as shoppers see it, by its id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn product_as_shown(&self, id: ProductId) -> Result<ShopProduct, Error> {
        self.product_on_display("", Some(id)).await
    }
}

pub(super) fn taken(error: sqlx::Error) -> Error {
    match error.as_database_error().and_then(|database| database.constraint()) {
        Some("products_slug_unique") => Error::Conflict(Conflict::SlugTaken),
        Some("products_sku_unique") => Error::Conflict(Conflict::SkuTaken),
        _ => error.into(),
    }
}
