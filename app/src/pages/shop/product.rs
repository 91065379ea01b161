//! `/products/{slug}`: one product, its clip and its facts.

use domain::product::{Photo, ShopProduct};
use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_meta::{Link, Meta, Title};
use leptos_router::hooks::use_params_map;

use super::{ShopFrame, message::Refusal, player::Player, price::won, words};
use crate::{
    AppError,
    components::icon::{Icon, IconName},
    i18n::Locale,
    shell::use_locale,
};

/// The page of a product; an unknown slug answers 404.
#[component]
pub fn ProductPage() -> impl IntoView {
    let locale = use_locale();
    let engine = use_context::<engine::Engine>();
    let params = use_params_map();
    view! {
        <ShopFrame>
            <Suspense>
                {move || {
                    let engine = engine.clone();
                    let slug = params.read().get("slug").unwrap_or_default();
                    Suspend::new(async move {
                        match load(engine, &slug).await {
                            Ok(product) => view! { <Product product locale/> }.into_any(),
                            Err(error) => view! { <Refusal error locale/> }.into_any(),
                        }
                    })
                }}
            </Suspense>
        </ShopFrame>
    }
}

async fn load(engine: Option<engine::Engine>, slug: &str) -> Result<ShopProduct, AppError> {
    Ok(engine.ok_or(AppError::Internal)?.shop_product(slug).await?)
}

#[component]
fn Product(product: ShopProduct, locale: Locale) -> impl IntoView {
    let name = words(&product.name, locale);
    let description = words(&product.description, locale);
    let has_video = product.video.is_some();
    view! {
        <Head product=product.clone() name=name.clone() description=description.clone()/>
        <article class="shop-product">
            <Media product=product.clone() name=name.clone() locale/>
            <div class="shop-facts">
                <a class="shop-back" href="/products">
                    <Icon name=IconName::ArrowLeft/>
                    {td_string!(locale, shop.back)}
                </a>
                <h1 class="shop-name">{name}</h1>
                <p class="shop-price">{won(product.price_krw, locale)}</p>
                <p class="shop-description">{description}</p>
                <dl class="shop-details">
                    <dt>{td_string!(locale, shop.category)}</dt>
                    <dd>{category(&product.category, locale)}</dd>
                    <dt>{td_string!(locale, shop.sku)}</dt>
                    <dd>{product.sku}</dd>
                </dl>
                {has_video.then(|| view! { <p class="shop-note">{td_string!(locale, shop.video_note)}</p> })}
            </div>
        </article>
    }
}

/// The clip first, then every photo; without a clip the first photo takes its place.
#[component]
fn Media(product: ShopProduct, name: String, locale: Locale) -> impl IntoView {
    let ShopProduct { mut photos, video, .. } = product;
    let total = photos.len();
    let lead = match video {
        Some(video) => {
            let label = td_string!(locale, shop.video_label, name = name.clone());
            Some(view! { <Player video label locale/> }.into_any())
        }
        None if photos.is_empty() => None,
        None => {
            let Photo { picture, .. } = photos.remove(0);
            Some(
                view! {
                    <div class="shop-stage">
                        <img
                            src=picture.url
                            width=picture.width
                            height=picture.height
                            alt=td_string!(locale, shop.photo_label, name = name.clone(), number = 1)
                            fetchpriority="high"
                        />
                    </div>
                }
                .into_any(),
            )
        }
    };
    // The number a photo has in the product, also when the first of them took the clip's place.
    let first = 1 + total - photos.len();
    view! {
        <div class="shop-media">
            {lead}
            <div class="shop-photos">
                {photos
                    .into_iter()
                    .enumerate()
                    .map(|(at, Photo { picture, .. })| {
                        view! {
                            <img
                                src=picture.url
                                width=picture.width
                                height=picture.height
                                alt=td_string!(locale, shop.photo_label, name = name.clone(), number = at + first)
                                loading="lazy"
                                decoding="async"
                            />
                        }
                    })
                    .collect_view()}
            </div>
        </div>
    }
}

/// What other sites show when the page is shared.
#[component]
fn Head(product: ShopProduct, name: String, description: String) -> impl IntoView {
    let page = absolute(&format!("/products/{}", product.slug));
    // The poster is the first thing to see; as an attribute of the clip alone it would be asked for late.
    let poster = product.video.as_ref().map(|video| video.poster.url.clone());
    let picture = product.video.map(|video| video.poster).or_else(|| {
        let first = product.photos.into_iter().next();
        first.map(|photo| photo.picture)
    });
    view! {
        <Title text=format!("{name} · Lookreel")/>
        <Meta name="description" content=description.clone()/>
        <Link rel="canonical" href=page.clone()/>
        {poster.map(|poster| view! { <Link rel="preload" as_="image" href=poster fetchpriority="high"/> })}
        <Meta property="og:type" content="product"/>
        <Meta property="og:title" content=name/>
        <Meta property="og:description" content=description/>
        <Meta property="og:url" content=page/>
        {picture
            .map(|picture| {
                view! {
                    <Meta property="og:image" content=absolute(&picture.url)/>
                    <Meta property="og:image:width" content=picture.width.to_string()/>
                    <Meta property="og:image:height" content=picture.height.to_string()/>
                }
            })}
    }
}

/// The category as shoppers call it; a word without a translation as it is stored.
fn category(word: &str, locale: Locale) -> String {
    let known = match word {
        "shirt" => td_string!(locale, category.shirt),
        "knit" => td_string!(locale, category.knit),
        "cardigan" => td_string!(locale, category.cardigan),
        "hoodie" => td_string!(locale, category.hoodie),
        "t-shirt" => td_string!(locale, category.t_shirt),
        "blouse" => td_string!(locale, category.blouse),
        "jacket" => td_string!(locale, category.jacket),
        "vest" => td_string!(locale, category.vest),
        "coat" => td_string!(locale, category.coat),
        "dress" => td_string!(locale, category.dress),
        "skirt" => td_string!(locale, category.skirt),
        "trousers" => td_string!(locale, category.trousers),
        "bag" => td_string!(locale, category.bag),
        other => other,
    };
    known.to_owned()
}

/// An address as other sites need it: with scheme and host, as the request named them.
fn absolute(path: &str) -> String {
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let parts = use_context::<http::request::Parts>();
    let header = |name: &str| {
        let value = parts.as_ref()?.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    match header("host") {
        Some(host) => {
            let scheme =
                header("x-forwarded-proto").filter(|word| word == "https").unwrap_or_else(|| "http".to_owned());
            format!("{scheme}://{host}{path}")
        }
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{LocalText, PhotoId, product::Picture};
    use leptos_meta::ServerMetaContext;

    use super::*;
    use crate::pages::shop::player::tests::video;

    fn product(has_video: bool) -> ShopProduct {
        let photo = |name: &str| Photo {
            id: PhotoId::from_uuid(uuid::Uuid::nil()),
            picture: Picture { url: format!("/media/{name}.jpg"), width: 1200, height: 1600 },
        };
        ShopProduct {
            slug: "oxford-shirt".to_owned(),
            sku: "LR-SH-1001".to_owned(),
            name: LocalText { ko: "옥스포드 셔츠".to_owned(), en: "Oxford Shirt".to_owned() },
            description: LocalText { ko: "도톰한 원단".to_owned(), en: "Sturdy cotton".to_owned() },
            category: "shirt".to_owned(),
            price_krw: 69_000,
            photos: vec![photo("front"), photo("detail")],
            video: has_video.then(video),
        }
    }

    fn page(has_video: bool, locale: Locale) -> String {
        Owner::new().with(|| {
            let (meta, _output) = ServerMetaContext::new();
            provide_context(meta);
            leptos_meta::provide_meta_context();
            view! { <Product product=product(has_video) locale/> }.into_any().to_html()
        })
    }

    #[test]
    fn the_clip_stands_before_every_photo() {
        let html = page(true, Locale::ko);
        let (clip, photos) = html.split_once("</video>").unwrap_or_default();
        assert!(clip.contains("/media/1080p.mp4"), "{html}");
        assert!(photos.contains("front.jpg") && photos.contains("detail.jpg"), "{html}");
        assert!(
            photos.contains("옥스포드 셔츠") && photos.contains("69,000원") && photos.contains("<dd>셔츠"),
            "{html}"
        );
    }

    #[test]
    fn without_a_clip_the_first_photo_takes_its_place_and_keeps_its_number() {
        let html = page(false, Locale::en);
        assert!(!html.contains("<video"), "{html}");
        assert_eq!(html.matches("front.jpg").count(), 1, "{html}");
        assert!(html.contains("Oxford Shirt, photo 1") && html.contains("Oxford Shirt, photo 2"), "{html}");
        assert!(!html.contains("AI"), "nothing made by AI is on this page: {html}");
    }
}
