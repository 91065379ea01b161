//! `/products/{slug}`: one product, its clip and its facts.

use domain::product::{Photo, ShopProduct, VideoView};
use leptos::prelude::*;
use leptos_i18n::td_string;

use super::{
    document::{Content, Origin, Scripts, open_graph},
    player::{Player, begins_early},
    price::won,
    seen,
    structured::product_data,
    words,
};
use crate::{
    components::icon::{Icon, IconName},
    i18n::Locale,
};

/// The page of a product.
pub(super) fn content(product: ShopProduct, origin: &Origin, locale: Locale) -> Content {
    Content {
        title: format!("{} · Lookreel", words(&product.name, locale)),
        head: head(&product, origin, locale).into_any(),
        scripts: match &product.video {
            Some(video) if begins_early(video) => Scripts::ByClip,
            _ => Scripts::Deferred,
        },
        body: view! { <Product product locale/> }.into_any(),
    }
}

#[component]
fn Product(product: ShopProduct, locale: Locale) -> impl IntoView {
    let name = words(&product.name, locale);
    let description = words(&product.description, locale);
    let has_video = product.video.is_some();
    let photos = product.photos.clone();
    // In the order in which it is seen on a phone: what a browser paints before it has all of it is not moved by the rest.
    view! {
        <article class="shop-product">
            <Stage product=product.clone() name=name.clone() locale/>
            <div class="shop-facts">
                <a class="shop-back" href="/products">
                    <Icon name=IconName::ArrowLeft/>
                    {td_string!(locale, shop.back)}
                </a>
                <h1 class="shop-name">{name.clone()}</h1>
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
            <Photos photos on_stage=usize::from(!has_video) name locale/>
        </article>
    }
}

/// The clip; without one the first photo takes its place.
#[component]
fn Stage(product: ShopProduct, name: String, locale: Locale) -> impl IntoView {
    let ShopProduct { photos, video, category, name: names, .. } = product;
    if let Some(video) = video {
        let label = seen(&names, &category, locale);
        return Some(view! { <Player video label locale/> }.into_any());
    }
    let Photo { picture, .. } = photos.into_iter().next()?;
    let alt = td_string!(locale, shop.photo_label, name = name, number = 1);
    Some(
        view! {
            <div class="shop-stage">
                <img src=picture.url width=picture.width height=picture.height alt=alt fetchpriority="high"/>
            </div>
        }
        .into_any(),
    )
}

/// Every photo that is not on the stage, each with the number it has in the product.
#[component]
fn Photos(photos: Vec<Photo>, on_stage: usize, name: String, locale: Locale) -> impl IntoView {
    view! {
        <div class="shop-photos">
            {photos
                .into_iter()
                .zip(1_usize..)
                .skip(on_stage)
                .map(|(Photo { picture, .. }, number)| {
                    view! {
                        <img
                            src=picture.url
                            width=picture.width
                            height=picture.height
                            alt=td_string!(locale, shop.photo_label, name = name.clone(), number = number)
                            loading="lazy"
                            decoding="async"
                        />
                    }
                })
                .collect_view()}
        </div>
    }
}

/// What other sites show when the page is shared, and the poster: as an attribute of the clip alone it would be asked
/// for late, and it is the first thing to see.
fn head(product: &ShopProduct, origin: &Origin, locale: Locale) -> impl IntoView + use<> {
    let page = origin.address(&format!("/products/{}", product.slug));
    let name = words(&product.name, locale);
    let description = words(&product.description, locale);
    let video = product.video.as_ref();
    // `as` is a word of Rust: the macro does not take it as a name.
    let preload = video.map(|video| {
        let poster = video.lightest_poster().url.clone();
        view! { <link rel="preload" href=poster fetchpriority="high"/> }.attr("as", "image")
    });
    let moving = video.and_then(VideoView::plainest).map(|source| {
        let url = origin.address(&source.url);
        let kind = source.content_type.split(';').next().unwrap_or_default().to_owned();
        view! {
            {open_graph("og:video", url.clone())}
            {url.starts_with("https:").then(|| open_graph("og:video:secure_url", url))}
            {open_graph("og:video:type", kind)}
            {open_graph("og:video:width", source.width.to_string())}
            {open_graph("og:video:height", source.height.to_string())}
        }
    });
    let data = product_data(product, origin, locale);
    let shared = video.map(|video| &video.poster).or_else(|| product.photos.first().map(|photo| &photo.picture)).map(
        |picture| {
            view! {
                {open_graph("og:image", origin.address(&picture.url))}
                {open_graph("og:image:width", picture.width.to_string())}
                {open_graph("og:image:height", picture.height.to_string())}
            }
        },
    );
    view! {
        <meta name="description" content=description.clone()/>
        <link rel="canonical" href=page.clone()/>
        {preload}
        {open_graph("og:type", "product")}
        {open_graph("og:title", name)}
        {open_graph("og:description", description)}
        {open_graph("og:url", page)}
        {shared}
        {moving}
        // Data, which no policy about scripts is asked about.
        <script type="application/ld+json" inner_html=data></script>
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::pages::shop::player::tests::video;
    use domain::{LocalText, PhotoId, product::Picture};

    pub(in super::super) fn product(has_video: bool) -> ShopProduct {
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
        Owner::new().with(|| content(product(has_video), &Origin::none(), locale).body.to_html())
    }

    #[test]
    fn the_page_comes_in_the_order_in_which_it_is_seen() {
        for has_video in [true, false] {
            let html = page(has_video, Locale::ko);
            let stage = if has_video { "/media/1080p.mp4" } else { "front.jpg" };
            let photos = if has_video { &["front.jpg", "detail.jpg"][..] } else { &["detail.jpg"] };
            let parts = [&[stage, "<h1", "옥스포드 셔츠", "69,000원", "<dd>셔츠"][..], photos].concat();
            let mut rest = html.as_str();
            for part in parts {
                let found = rest.split_once(part);
                assert!(found.is_some(), "{part} does not follow: {html}");
                rest = found.map_or("", |(_, after)| after);
            }
        }
    }

    #[test]
    fn scripts_come_by_the_clip_where_the_page_begins_it() {
        let scripts = |product| Owner::new().with(|| content(product, &Origin::none(), Locale::ko).scripts);
        let mut one_size = product(true);
        if let Some(video) = &mut one_size.video {
            video.sources.truncate(1);
        }
        assert_eq!(scripts(one_size), Scripts::ByClip);
        assert_eq!(scripts(product(true)), Scripts::Deferred, "of two sizes");
        assert_eq!(scripts(product(false)), Scripts::Deferred);
    }

    #[test]
    fn who_shares_the_page_is_told_of_the_clip() {
        let head = |host| {
            let request = http::Request::get("/").header("host", "shop.example").header("x-forwarded-proto", host);
            let (request, ()) = request.body(()).unwrap_or_default().into_parts();
            Owner::new().with(|| content(product(true), &Origin::of(&request), Locale::en).head.to_html())
        };
        let html = head("https");
        for fact in [
            "property=\"og:video\" content=\"https://shop.example/media/1080p.mp4\"",
            "property=\"og:video:secure_url\" content=\"https://shop.example/media/1080p.mp4\"",
            "property=\"og:video:type\" content=\"video/mp4\"",
            "property=\"og:video:width\" content=\"1080\"",
            "property=\"og:image\" content=\"https://shop.example/media/thumb.jpg\"",
            "<script type=\"application/ld+json\">{",
        ] {
            assert!(html.contains(fact), "{fact} in {html}");
        }
        assert!(!head("http").contains("secure_url"));
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
