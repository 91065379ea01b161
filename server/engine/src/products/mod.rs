//! Products on the desk and in the shop.

mod change;
mod store;

pub use change::{PHOTOS_MAX, ProductChange};
use domain::{
    PhotoId, ProductId,
    page::{Page, PageNumber},
    product::{ProductDetail, ProductFilter, ProductRow, ShopCard, ShopProduct},
};
use uuid::Uuid;

use crate::{Engine, Error, playback, views};

/// Generations shown on the page of a product.
const RECENT_GENERATIONS: i64 = 10;
/// Cards in the shop's grid.
const SHOP_CARDS: i64 = 200;
/// Products that search engines are told of.
const LISTED_PRODUCTS: i64 = 10_000;

/// A product to be added to the catalogue, with its photos.
#[derive(Debug, Clone)]
pub struct NewProduct {
    /// The word in the shop's address: lower case letters, digits and single hyphens.
    pub slug: String,
    /// Stock-keeping unit.
    pub sku: String,
    /// Name in both languages.
    pub name: domain::LocalText,
    /// Description in both languages.
    pub description: domain::LocalText,
    /// Category word.
    pub category: String,
    /// Price in won.
    pub price_krw: i64,
    /// Photos, first the one stills are made from.
    pub photos: Vec<NewPhoto>,
}

/// A source photo with its bytes.
#[derive(Debug, Clone)]
pub struct NewPhoto {
    /// JPEG, PNG or WebP.
    pub bytes: bytes::Bytes,
}

impl Engine {
    /// A page of the desk's product table; past the end it is empty and still says how many there are.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn products(&self, filter: &ProductFilter, page: PageNumber) -> Result<Page<ProductRow>, Error> {
        let mut conn = self.pg().acquire().await?;
        let (rows, mut total) = store::list(&mut conn, self.media(), filter, page).await?;
        if rows.is_empty() && page != PageNumber::FIRST {
            // Past the end no row says how many there are.
            (_, total) = store::list(&mut conn, self.media(), filter, PageNumber::FIRST).await?;
        }
        Ok(Page { rows, number: page.get(), total })
    }

    /// The desk's page of one product.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn product(&self, id: ProductId) -> Result<ProductDetail, Error> {
        let mut conn = self.pg().acquire().await?;
        let product = store::by_id(&mut conn, id).await?.ok_or(Error::NotFound("product"))?;
        let photos = store::photos(&mut conn, self.media(), id).await?;
        let video = views::videos(&mut conn, self.media(), &[id], self.now()).await?.remove(&id);
        let playback = match &video {
            Some(video) => Some(playback::counts(&mut conn, Some(video.id), None).await?.summary()),
            None => None,
        };
        let ids = store::recent_generations(&mut conn, id, RECENT_GENERATIONS).await?;
        drop(conn);
        let generations = self.views(&ids).await?;
        Ok(ProductDetail {
            id,
            slug: product.slug,
            sku: product.sku,
            name: product.name,
            description: product.description,
            category: product.category,
            price_krw: product.price_krw,
            photos,
            video,
            playback,
            generations,
        })
    }

    /// The shop's grid: every product, newest first, at most 200.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn shop_products(&self) -> Result<Vec<ShopCard>, Error> {
        self.cards(SHOP_CARDS).await
    }

    /// What search engines are told of: every product, newest first, at most 10,000.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn listed_products(&self) -> Result<Vec<ShopCard>, Error> {
        self.cards(LISTED_PRODUCTS).await
    }

    async fn cards(&self, most: i64) -> Result<Vec<ShopCard>, Error> {
        let mut conn = self.pg().acquire().await?;
        let cards = store::shop_cards(&mut conn, self.media(), most).await?;
        let ids: Vec<_> = cards.iter().map(|(id, _)| *id).collect();
        let mut videos = views::videos(&mut conn, self.media(), &ids, self.now()).await?;
        Ok(cards.into_iter().map(|(id, card)| ShopCard { video: videos.remove(&id), ..card }).collect())
    }

    /// The shop's page of one product.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn shop_product(&self, slug: &str) -> Result<ShopProduct, Error> {
        self.product_on_display(slug, None).await
    }

    /// A product with its published video, by slug or by id, for pages of others.
    ///
    /// # Errors
    /// [`Error::NotFound`], also when nothing is published.
    pub async fn embedded_product(&self, reference: &str) -> Result<ShopProduct, Error> {
        let product = self.product_on_display(reference, reference.parse().ok()).await?;
        if product.video.is_none() {
            return Err(Error::NotFound("published video"));
        }
        Ok(product)
    }

    async fn product_on_display(&self, slug: &str, id: Option<ProductId>) -> Result<ShopProduct, Error> {
        // Postgres keeps no text with a zero byte in it.
        if slug.contains('\0') {
            return Err(Error::NotFound("product"));
        }
        let mut conn = self.pg().acquire().await?;
        let (product, photos) =
            store::shop_product(&mut conn, self.media(), slug, id).await?.ok_or(Error::NotFound("product"))?;
        let video = views::videos(&mut conn, self.media(), &[product.id], self.now()).await?.remove(&product.id);
        Ok(product.shown(photos, video))
    }

    /// How many products there are.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn product_count(&self) -> Result<u64, Error> {
        let mut conn = self.pg().acquire().await?;
        Ok(store::count(&mut conn).await?)
    }

    /// Adds a product: its photos go to the store first, then the rows are written together.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a photo that is none, [`Error::Conflict`] when slug or sku are taken,
    /// [`Error::Unavailable`] when the object store is away.
    pub async fn add_product(&self, new: &NewProduct) -> Result<ProductId, Error> {
        let id = ProductId::from_uuid(Uuid::now_v7());
        let mut photos = Vec::with_capacity(new.photos.len());
        for photo in &new.photos {
            photos.push(self.store_photo(id, photo).await?);
        }
        let mut tx = self.pg().begin().await?;
        store::insert(&mut tx, id, new).await.map_err(change::taken)?;
        for (position, photo) in photos.iter().enumerate() {
            store::insert_photo(&mut tx, id, i16::try_from(position).unwrap_or(i16::MAX), photo).await?;
        }
        tx.commit().await?;
        tracing::info!(product.id = %id, "product {id} added with {} photos", photos.len());
        Ok(id)
    }

    async fn store_photo(&self, product: ProductId, photo: &NewPhoto) -> Result<StoredPhoto, Error> {
        let info = sniff("photo", &photo.bytes)?;
        let extension = storage::Extension::parse(info.extension).map_err(Error::internal)?;
        let id = PhotoId::from_uuid(Uuid::now_v7());
        let key = storage::Key::photo(product, id, extension);
        let stored = self.store().put_bytes(&key, photo.bytes.clone(), info.content_type).await?;
        Ok(StoredPhoto {
            id,
            key: key.as_str().to_owned(),
            content_type: info.content_type.to_owned(),
            width: info.width,
            height: info.height,
            bytes: stored.bytes,
            sha256: stored.sha256,
        })
    }
}

/// What a picture that came from outside is, by its header.
pub(crate) fn sniff(field: &str, bytes: &[u8]) -> Result<media::ImageInfo, Error> {
    media::sniff_image(bytes).map_err(|error| {
        let expected = format!("a JPEG, PNG or WebP picture ({error})");
        Error::Invalid(vec![domain::options::InvalidOption { field: field.to_owned(), expected }])
    })
}

struct StoredPhoto {
    id: PhotoId,
    key: String,
    content_type: String,
    width: u32,
    height: u32,
    bytes: u64,
    sha256: String,
}

/// A pattern that finds the words anywhere; at most 100 characters are used.
pub(crate) fn like(words: &str) -> String {
    format!("%{}%", like_prefix(words))
}

/// The words with `%`, `_` and `\\` made ordinary characters.
pub(crate) fn like_prefix(words: &str) -> String {
    // Postgres keeps no text with a zero byte in it, so nothing is found by one either.
    words.trim().chars().filter(|letter| *letter != '\0').take(100).fold(String::new(), |mut pattern, letter| {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
        pattern
    })
}
