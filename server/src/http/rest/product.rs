//! `/api/admin/products`: products and their photos.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State as FromState,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use domain::{LocalText, ProductId, Scope, product::ShopProduct};
use engine::{NewPhoto, NewProduct, ProductChange};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Rest,
    caller::Caller,
    idempotency::{self, Answer, Need},
    input::{self, Fields, Params, Sent},
    page::PageQuery,
    paths,
    problem::{FieldCode, Problem},
    refused,
    upload::Part,
    video::fresh,
    video_schema::{Image, VideoResult, VideoUrls},
};

/// Highest price, in won.
const PRICE_MAX: i64 = 1_000_000_000;

/// A text in both languages.
#[derive(Debug, Serialize, ToSchema)]
pub struct BothLanguages {
    /// Korean.
    ko: String,
    /// English.
    en: String,
}

impl BothLanguages {
    fn of(text: &LocalText) -> Self {
        Self { ko: text.ko.clone(), en: text.en.clone() }
    }
}

/// A photo of a product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// The photo.
    photo_id: Uuid,
    /// Where it is, and its size.
    #[serde(flatten)]
    image: Image,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// The product.
    product_id: Uuid,
    /// The word in the shop's address.
    slug: String,
    /// Stock-keeping unit.
    sku: String,
    /// Its name.
    name: BothLanguages,
    /// Its description.
    description: BothLanguages,
    /// Category word, like `outer`.
    category: String,
    /// Price in won.
    price_krw: i64,
    /// Its photos; wearing stills are made from the first.
    photos: Vec<Photo>,
    /// The video it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    video: Option<VideoResult>,
}

impl Product {
    fn of(id: ProductId, product: &ShopProduct, rest: &Rest) -> Self {
        let files = product.video.as_ref().and_then(engine::VideoFiles::of_shown);
        Self {
            product_id: id.uuid(),
            slug: product.slug.clone(),
            sku: product.sku.clone(),
            name: BothLanguages::of(&product.name),
            description: BothLanguages::of(&product.description),
            category: product.category.clone(),
            price_krw: product.price_krw,
            photos: product
                .photos
                .iter()
                .map(|photo| Photo { photo_id: photo.id.uuid(), image: Image::of(&photo.picture, rest) })
                .collect(),
            video: files.map(|files| VideoResult { video_id: files.id.uuid(), urls: VideoUrls::of(&files, rest) }),
        }
    }
}

/// A page of products, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductPage {
    /// The products.
    items: Vec<Product>,
    /// Where the next page begins; none on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A product to be added.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct CreateProduct {
    /// The word in the shop's address: nobody else has it.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", min_length = 1, max_length = 100, example = "linen-shirt")]
    slug: String,
    /// Stock-keeping unit: nobody else has it.
    #[schema(pattern = "^[^\\u0000-\\u001F]+$", min_length = 1, max_length = 100)]
    sku: String,
    /// Its name.
    name: NameInput,
    /// Its description.
    #[schema(required = false)]
    description: DescriptionInput,
    /// Category word, like `outer`.
    #[schema(pattern = "^[^\\u0000-\\u001F]+$", min_length = 1, max_length = 50, example = "outer")]
    category: String,
    /// Price in won.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    price_krw: i64,
}

/// What is to be otherwise of a product; what is left out stays.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ChangeProduct {
    /// The word in the shop's address: nobody else has it.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", min_length = 1, max_length = 100, required = false)]
    slug: String,
    /// Stock-keeping unit: nobody else has it.
    #[schema(pattern = "^[^\\u0000-\\u001F]+$", min_length = 1, max_length = 100, required = false)]
    sku: String,
    /// Its name, in both languages.
    #[schema(required = false)]
    name: NameInput,
    /// Its description, in both languages.
    #[schema(required = false)]
    description: DescriptionInput,
    /// Category word.
    #[schema(pattern = "^[^\\u0000-\\u001F]+$", min_length = 1, max_length = 50, required = false)]
    category: String,
    /// Price in won.
    #[schema(minimum = 0, maximum = 1_000_000_000, required = false)]
    price_krw: i64,
}

/// A name in both languages.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct NameInput {
    /// Korean.
    #[schema(pattern = "^[^\\u0000-\\u001F]+$", min_length = 1, max_length = 200)]
    ko: String,
    /// English.
    #[schema(pattern = "^[^\\u0000-\\u001F]+$", min_length = 1, max_length = 200)]
    en: String,
}

/// A description in both languages.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct DescriptionInput {
    /// Korean.
    #[schema(pattern = "^[^\\u0000-\\u001F]*$", max_length = 2000)]
    ko: String,
    /// English.
    #[schema(pattern = "^[^\\u0000-\\u001F]*$", max_length = 2000)]
    en: String,
}

fn slug(value: &Value) -> Result<String, FieldCode> {
    let text = input::text(1, 100)(value)?;
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    if text.split('-').all(is_word) { Ok(text) } else { Err(FieldCode::InvalidValue) }
}

fn both(fields: &mut Fields, name: &str, least: usize, most: usize) -> Option<LocalText> {
    if !fields.has(name) {
        return None;
    }
    let expected = format!("{least} to {most} characters");
    let mut inner = fields.object(name);
    let ko = inner.required("ko", &expected, input::text(least, most));
    let en = inner.required("en", &expected, input::text(least, most));
    fields.absorb(inner);
    Some(LocalText { ko, en })
}

fn read_change(fields: &mut Fields) -> ProductChange {
    ProductChange {
        slug: fields.optional("slug", "a-z, 0-9 and single hyphens, at most 100", slug),
        sku: fields.optional("sku", "1 to 100 characters", input::text(1, 100)),
        name: both(fields, "name", 1, 200),
        description: both(fields, "description", 0, 2_000),
        category: fields.optional("category", "1 to 50 characters", input::text(1, 50)),
        price_krw: fields.optional("priceKrw", "0..=1000000000", input::between(0, PRICE_MAX)),
    }
}

/// Products, newest first.
#[utoipa::path(
    get, path = "/api/admin/products", operation_id = "listProducts", tag = "products",
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100, description = "How many, 20 when it is left out."),
        ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]{22}$", description = "`nextCursor` of the page before."),
    ),
    responses((status = 200, description = "A page of them.", body = ProductPage)),
    security(("token" = ["product:read"]), ("session" = [])),
)]
pub async fn list(FromState(rest): FromState<Arc<Rest>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    caller.may(Scope::ProductRead)?;
    let (page, query) = PageQuery::read(&uri)?;
    query.finish()?;
    let after = page.after.map(ProductId::from_uuid);
    let products = rest.engine.products_after(after, page.most()).await.map_err(refused)?;
    let (products, next_cursor) = page.cut(products, |(id, _)| id.uuid());
    let items = products.iter().map(|(id, product)| Product::of(*id, product, &rest)).collect();
    Ok(fresh(Json(ProductPage { items, next_cursor })))
}

/// One product.
#[utoipa::path(
    get, path = "/api/admin/products/{productId}", operation_id = "getProduct", tag = "products",
    params(("productId" = Uuid, Path, description = "The product.")),
    responses((status = 200, description = "The product.", body = Product)),
    security(("token" = ["product:read"]), ("session" = [])),
)]
pub async fn get(FromState(rest): FromState<Arc<Rest>>, caller: Caller, params: Params) -> Result<Response, Problem> {
    caller.may(Scope::ProductRead)?;
    let id = params.id("productId", ProductId::from_uuid)?;
    Ok(fresh(Json(one(&rest, id).await?)))
}

async fn one(rest: &Rest, id: ProductId) -> Result<Product, Problem> {
    let product = rest.engine.product_as_shown(id).await.map_err(refused)?;
    Ok(Product::of(id, &product, rest))
}

/// Adds a product; photos follow.
#[utoipa::path(
    post, path = "/api/admin/products", operation_id = "createProduct", tag = "products",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "Names the request: sent again with the same key it adds nothing new.")),
    request_body = CreateProduct,
    responses((status = 201, description = "Added.", body = Product,
        headers(("Location" = String, description = "Where it is.")))),
    security(("token" = ["product:write"]), ("session" = [])),
)]
pub async fn create(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Result<Response, Problem> {
    caller.may(Scope::ProductWrite)?;
    let key = idempotency::key(&headers, Need::Optional)?;
    let mut fields = input::json(&headers, &body)?;
    for (name, expected) in
        [("slug", "text"), ("sku", "text"), ("name", "ko and en"), ("category", "text"), ("priceKrw", "won")]
    {
        if !fields.has(name) {
            fields.refuse(name, FieldCode::Missing, expected);
        }
    }
    let read = read_change(&mut fields);
    fields.finish()?;
    let new = NewProduct {
        slug: read.slug.unwrap_or_default(),
        sku: read.sku.unwrap_or_default(),
        name: read.name.unwrap_or_default(),
        description: read.description.unwrap_or_default(),
        category: read.category.unwrap_or_default(),
        price_krw: read.price_krw.unwrap_or_default(),
        photos: Vec::new(),
    };
    let work = async {
        let id = rest.engine.add_product(&new).await.map_err(refused)?;
        let answer = Answer::new(StatusCode::CREATED, &one(&rest, id).await?)?;
        Ok(answer.at(format!("{}/{id}", paths::PRODUCTS)))
    };
    rest.once(&caller, key.as_deref(), &[b"POST products", &body], work).await
}

/// Changes a product; what is left out stays.
#[utoipa::path(
    patch, path = "/api/admin/products/{productId}", operation_id = "changeProduct", tag = "products",
    params(("productId" = Uuid, Path, description = "The product.")),
    request_body = ChangeProduct,
    responses((status = 200, description = "The product as it is now.", body = Product)),
    security(("token" = ["product:write"]), ("session" = [])),
)]
pub async fn change(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Result<Response, Problem> {
    caller.may(Scope::ProductWrite)?;
    let id = params.id("productId", ProductId::from_uuid)?;
    let mut fields = input::json(&headers, &body)?;
    let change = read_change(&mut fields);
    fields.finish()?;
    rest.engine.change_product(caller.user, id, &change).await.map_err(refused)?;
    Ok(fresh(Json(one(&rest, id).await?)))
}

/// A form with a photo.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct PhotoForm {
    /// JPEG, PNG or WebP by what its bytes are; 64 to 8192 pixels a side, at most 20 MB.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    photo: Vec<u8>,
}

const FORM: [Part; 1] = [Part { name: "photo", expected: "a JPEG, PNG or WebP picture", is_file: true }];

/// Adds a photo behind the others; wearing stills are made from the first.
#[utoipa::path(
    post, path = "/api/admin/products/{productId}/photos", operation_id = "uploadPhoto", tag = "products",
    params(
        ("productId" = Uuid, Path, description = "The product."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Names the request: sent again with the same key it stores nothing new."),
    ),
    request_body(content = PhotoForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "Stored.", body = Photo)),
    security(("token" = ["product:write"]), ("session" = [])),
)]
pub async fn upload_photo(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.may(Scope::ProductWrite)?;
    let id = params.id("productId", ProductId::from_uuid)?;
    let key = idempotency::key(&headers, Need::Optional)?;
    let mut form = rest.uploads.read(caller.id, &headers, body, &FORM).await?;
    let bytes = form.take("photo");
    let work = async {
        let photo = NewPhoto { bytes: bytes.clone() };
        let photo = rest.engine.add_photo(caller.user, id, &photo).await.map_err(refused)?;
        let stored = Photo { photo_id: photo.id.uuid(), image: Image::of(&photo.picture, &rest) };
        Answer::new(StatusCode::CREATED, &stored)
    };
    rest.once(&caller, key.as_deref(), &[b"POST photos", id.uuid().as_bytes(), &bytes], work).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn slugs_are_words_and_hyphens() {
        for text in ["a", "linen-shirt", "a1-2-b"] {
            assert!(slug(&json!(text)).is_ok(), "{text}");
        }
        for text in ["", "-a", "a-", "a--b", "A", "a b", "셔츠", "a\n"] {
            assert!(slug(&json!(text)).is_err(), "{text:?}");
        }
    }
}
