//! Products and photos.

use domain::{
    GenerationId, LocalText, PhotoId, ProductId,
    page::{PAGE_ROWS, PageNumber},
    product::{LatestGeneration, Photo, Picture, ProductFilter, ProductRow, ShopCard, VideoStatus},
};
use sqlx::PgConnection;

use super::{NewProduct, ProductChange, StoredPhoto, like};
use crate::MediaUrls;

pub(super) struct ProductRecord {
    pub(super) id: ProductId,
    pub(super) slug: String,
    pub(super) sku: String,
    pub(super) name: LocalText,
    pub(super) description: LocalText,
    pub(super) category: String,
    pub(super) price_krw: i64,
}

pub(super) async fn list(
    conn: &mut PgConnection,
    media: &MediaUrls,
    filter: &ProductFilter,
    page: PageNumber,
) -> Result<(Vec<ProductRow>, u64), sqlx::Error> {
    let rows = sqlx::query!(
        "with listed as (
             select p.id, p.sku, p.name_ko, p.name_en, p.category, p.created_at, g.id as generation_id, g.state, g.progress,
                 case when g.finished_at is null and g.id is not null then 'in_progress'
                      when p.video_id is not null then 'ready'
                      when g.state = 'failed' then 'failed'
                      else 'none' end as status
             from products p
             left join lateral (select id, state, progress, finished_at from generations
                 where product_id = p.id order by created_at desc, id desc limit 1) g on true
             where p.name_ko ilike $1 or p.name_en ilike $1 or p.sku ilike $1
         )
         select l.id, l.sku, l.name_ko, l.name_en, l.category, l.generation_id as \"generation_id?\",
             l.state as \"state?\", l.progress as \"progress?\", l.status as \"status!\",
             f.object_key as \"photo_key?\", f.width as \"photo_width?\", f.height as \"photo_height?\",
             count(*) over () as \"total!\"
         from listed l
         left join product_photos f on f.product_id = l.id and f.position = 0
         where $2::text is null or l.status = $2
         order by l.created_at desc, l.id desc limit $3 offset $4",
        like(&filter.search),
        filter.status.map(VideoStatus::as_str),
        i64::from(PAGE_ROWS),
        page.offset(),
    )
    .fetch_all(conn)
    .await?;
    let total = rows.first().map_or(0, |row| u64::try_from(row.total).unwrap_or(0));
    let rows = rows
        .into_iter()
        .map(|row| ProductRow {
            id: ProductId::from_uuid(row.id),
            sku: row.sku,
            name: LocalText { ko: row.name_ko, en: row.name_en },
            category: row.category,
            photo: media.picture(row.photo_key, row.photo_width, row.photo_height),
            status: VideoStatus::parse(&row.status).unwrap_or(VideoStatus::None),
            latest: row.generation_id.zip(row.state).and_then(|(id, state)| {
                Some(LatestGeneration {
                    id: GenerationId::from_uuid(id),
                    state: state.parse().ok()?,
                    progress: u8::try_from(row.progress.unwrap_or(0)).unwrap_or(0),
                })
            }),
        })
        .collect();
    Ok((rows, total))
}

pub(super) async fn by_id(conn: &mut PgConnection, id: ProductId) -> Result<Option<ProductRecord>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, slug, sku, name_ko, name_en, description_ko, description_en, category, price_krw
         from products where id = $1",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| ProductRecord {
        id: ProductId::from_uuid(row.id),
        slug: row.slug,
        sku: row.sku,
        name: LocalText { ko: row.name_ko, en: row.name_en },
        description: LocalText { ko: row.description_ko, en: row.description_en },
        category: row.category,
        price_krw: row.price_krw,
    }))
}

/// A product, by slug or by id, and its photos, in one round trip: shoppers wait for it.
pub(super) async fn shop_product(
    conn: &mut PgConnection,
    media: &MediaUrls,
    slug: &str,
    id: Option<ProductId>,
) -> Result<Option<(ProductRecord, Vec<Photo>)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select p.id, p.slug, p.sku, p.name_ko, p.name_en, p.description_ko, p.description_en, p.category, p.price_krw,
             f.id as \"photo_id?\", f.object_key as \"photo_key?\", f.width as \"photo_width?\",
             f.height as \"photo_height?\"
         from products p left join product_photos f on f.product_id = p.id
         where p.slug = $1 or p.id = $2 order by f.position",
        slug,
        id.map(|id| id.uuid())
    )
    .fetch_all(conn)
    .await?;
    let mut product = None;
    let mut photos = Vec::with_capacity(rows.len());
    for row in rows {
        let picture = media.picture(row.photo_key, row.photo_width, row.photo_height);
        photos.extend(row.photo_id.zip(picture).map(|(id, picture)| Photo { id: PhotoId::from_uuid(id), picture }));
        product.get_or_insert(ProductRecord {
            id: ProductId::from_uuid(row.id),
            slug: row.slug,
            sku: row.sku,
            name: LocalText { ko: row.name_ko, en: row.name_en },
            description: LocalText { ko: row.description_ko, en: row.description_en },
            category: row.category,
            price_krw: row.price_krw,
        });
    }
    Ok(product.map(|product| (product, photos)))
}

pub(super) async fn photos(
    conn: &mut PgConnection,
    media: &MediaUrls,
    product: ProductId,
) -> Result<Vec<Photo>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, object_key, width, height from product_photos where product_id = $1 order by position",
        product.uuid()
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Photo {
            id: PhotoId::from_uuid(row.id),
            picture: Picture {
                url: media.url(&row.object_key),
                width: u32::try_from(row.width).unwrap_or(0),
                height: u32::try_from(row.height).unwrap_or(0),
            },
        })
        .collect())
}

pub(super) async fn recent_generations(
    conn: &mut PgConnection,
    product: ProductId,
    most: i64,
) -> Result<Vec<GenerationId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from generations where product_id = $1 order by created_at desc, id desc limit $2",
        product.uuid(),
        most
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(GenerationId::from_uuid).collect())
}

pub(super) async fn shop_cards(
    conn: &mut PgConnection,
    media: &MediaUrls,
    most: i64,
) -> Result<Vec<(ProductId, ShopCard)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select p.id, p.slug, p.name_ko, p.name_en, p.category, p.price_krw,
             f.object_key as \"photo_key?\", f.width as \"photo_width?\", f.height as \"photo_height?\"
         from products p left join product_photos f on f.product_id = p.id and f.position = 0
         order by p.created_at desc, p.id desc limit $1",
        most
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let card = ShopCard {
                slug: row.slug,
                name: LocalText { ko: row.name_ko, en: row.name_en },
                category: row.category,
                price_krw: row.price_krw,
                photo: media.picture(row.photo_key, row.photo_width, row.photo_height),
                video: None,
            };
            (ProductId::from_uuid(row.id), card)
        })
        .collect())
}

pub(super) async fn count(conn: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!("select count(*) as \"count!\" from products").fetch_one(conn).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

pub(super) async fn insert(conn: &mut PgConnection, id: ProductId, new: &NewProduct) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into products (id, slug, sku, name_ko, name_en, description_ko, description_en, category, price_krw)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id.uuid(),
        new.slug,
        new.sku,
        new.name.ko,
        new.name.en,
        new.description.ko,
        new.description.en,
        new.category,
        new.price_krw,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert_photo(
    conn: &mut PgConnection,
    product: ProductId,
    position: i16,
    photo: &StoredPhoto,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into product_photos (id, product_id, position, object_key, content_type, width, height, bytes, sha256)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        photo.id.uuid(),
        product.uuid(),
        position,
        photo.key,
        photo.content_type,
        i32::try_from(photo.width).unwrap_or(i32::MAX),
        i32::try_from(photo.height).unwrap_or(i32::MAX),
        i64::try_from(photo.bytes).unwrap_or(i64::MAX),
        photo.sha256,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when there is no such product.
pub(super) async fn update(
    conn: &mut PgConnection,
    id: ProductId,
    change: &ProductChange,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update products set slug = coalesce($2, slug), sku = coalesce($3, sku), name_ko = coalesce($4, name_ko),
             name_en = coalesce($5, name_en), description_ko = coalesce($6, description_ko),
             description_en = coalesce($7, description_en), category = coalesce($8, category),
             price_krw = coalesce($9, price_krw)
         where id = $1",
        id.uuid(),
        change.slug,
        change.sku,
        change.name.as_ref().map(|name| name.ko.as_str()),
        change.name.as_ref().map(|name| name.en.as_str()),
        change.description.as_ref().map(|text| text.ko.as_str()),
        change.description.as_ref().map(|text| text.en.as_str()),
        change.category,
        change.price_krw,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Holds a product's photos until the transaction ends; answers how many there are.
pub(super) async fn lock_photos(conn: &mut PgConnection, product: ProductId) -> Result<usize, sqlx::Error> {
    sqlx::query!("select id from products where id = $1 for no key update", product.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    let next = sqlx::query_scalar!(
        "select coalesce(max(position) + 1, 0) as \"next!\" from product_photos where product_id = $1",
        product.uuid()
    )
    .fetch_one(conn)
    .await?;
    Ok(usize::try_from(next).unwrap_or(0))
}

/// Products with their photos, newest first: ids sort by the time they were made.
pub(super) async fn after(
    conn: &mut PgConnection,
    media: &MediaUrls,
    after: Option<ProductId>,
    most: i64,
) -> Result<Vec<(ProductRecord, Vec<Photo>)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select p.id, p.slug, p.sku, p.name_ko, p.name_en, p.description_ko, p.description_en, p.category, p.price_krw,
             f.id as \"photo_id?\", f.object_key as \"photo_key?\", f.width as \"photo_width?\",
             f.height as \"photo_height?\"
         from (select * from products where $1::uuid is null or id < $1 order by id desc limit $2) p
         left join product_photos f on f.product_id = p.id
         order by p.id desc, f.position",
        after.map(ProductId::uuid),
        most
    )
    .fetch_all(conn)
    .await?;
    let mut found: Vec<(ProductRecord, Vec<Photo>)> = Vec::new();
    for row in rows {
        let picture = media.picture(row.photo_key, row.photo_width, row.photo_height);
        let photo = row.photo_id.zip(picture).map(|(id, picture)| Photo { id: PhotoId::from_uuid(id), picture });
        let id = ProductId::from_uuid(row.id);
        if let Some((_, photos)) = found.last_mut().filter(|(product, _)| product.id == id) {
            photos.extend(photo);
            continue;
        }
        let product = ProductRecord {
            id,
            slug: row.slug,
            sku: row.sku,
            name: LocalText { ko: row.name_ko, en: row.name_en },
            description: LocalText { ko: row.description_ko, en: row.description_en },
            category: row.category,
            price_krw: row.price_krw,
        };
        found.push((product, photo.into_iter().collect()));
    }
    Ok(found)
}
