//! A product and its video as search engines read them: JSON-LD in the words of schema.org.

use chrono::SecondsFormat;
use domain::product::{ShopProduct, VideoView};
use leptos_i18n::td_string;
use serde_json::{Value, json};

use super::{document::Origin, seen, words};
use crate::i18n::Locale;

/// Made by a model that was trained on data (IPTC digital source types, as schema.org names them).
const SOURCE_TYPE: &str = "https://schema.org/TrainedAlgorithmicMediaDigitalSource";

/// The text of a `<script type="application/ld+json">`; nothing in it ends the script.
pub(super) fn product_data(product: &ShopProduct, origin: &Origin, locale: Locale) -> String {
    let page = origin.address(&format!("/products/{}", product.slug));
    let photos: Vec<String> = product.photos.iter().map(|photo| origin.address(&photo.picture.url)).collect();
    let mut data = json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "name": words(&product.name, locale),
        "description": words(&product.description, locale),
        "sku": product.sku,
        "category": product.category,
        "url": page,
        "image": photos,
        "offers": {
            "@type": "Offer",
            "price": product.price_krw.to_string(),
            "priceCurrency": "KRW",
            "url": page,
        },
    });
    if let Some(video) = product.video.as_ref().and_then(|video| video_data(product, video, origin, locale)) {
        data["subjectOf"] = video;
    }
    data.to_string().replace('<', "\\u003c")
}

fn video_data(product: &ShopProduct, video: &VideoView, origin: &Origin, locale: Locale) -> Option<Value> {
    let source = video.plainest()?;
    Some(json!({
        "@type": "VideoObject",
        "name": words(&product.name, locale),
        "description": seen(&product.name, &product.category, locale),
        "thumbnailUrl": [origin.address(&video.poster.url)],
        "uploadDate": video.published_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "duration": duration(video.duration_ms),
        "contentUrl": origin.address(&source.url),
        "encodingFormat": "video/mp4",
        "width": source.width,
        "height": source.height,
        "digitalSourceType": SOURCE_TYPE,
        "creditText": td_string!(locale, shop.ai_video),
    }))
}

/// ISO 8601: `PT4S`, `PT4.04S`.
fn duration(ms: u32) -> String {
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    let rest = format!("{rest:03}");
    match rest.trim_end_matches('0') {
        "" => format!("PT{seconds}S"),
        part => format!("PT{seconds}.{part}S"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::pages::shop::product::tests::product;

    fn told(product: &ShopProduct, locale: Locale) -> Value {
        serde_json::from_str(&product_data(product, &Origin::none(), locale)).unwrap()
    }

    #[test]
    fn the_video_hangs_on_its_product_and_says_what_it_is() {
        let data = told(&product(true), Locale::ko);
        assert_eq!((&data["@type"], &data["offers"]["priceCurrency"]), (&json!("Product"), &json!("KRW")));
        let video = &data["subjectOf"];
        assert_eq!(video["@type"], "VideoObject");
        assert_eq!((&video["duration"], &video["uploadDate"]), (&json!("PT4S"), &json!("1970-01-01T00:00:00Z")));
        assert_eq!((&video["contentUrl"], &video["width"]), (&json!("/media/1080p.mp4"), &json!(1080)));
        assert_eq!(video["thumbnailUrl"], json!(["/media/thumb.jpg"]));
        assert!(video["description"].as_str().unwrap().starts_with("옥스포드 셔츠"));
        assert_eq!(video["digitalSourceType"], SOURCE_TYPE);
        assert_eq!(video["creditText"], "AI 생성 영상");
    }

    #[test]
    fn without_a_video_nothing_is_said_of_one() {
        let data = told(&product(false), Locale::en);
        assert!(data.get("subjectOf").is_none() && !data.to_string().contains("AI"), "{data}");
    }

    #[test]
    fn no_word_of_a_product_ends_the_script() {
        let mut evil = product(true);
        evil.name.ko = "</script><script>alert(1)</script><!--".to_owned();
        let text = product_data(&evil, &Origin::none(), Locale::ko);
        assert!(!text.contains('<'), "{text}");
        assert_eq!(told(&evil, Locale::ko)["name"], evil.name.ko.as_str());
    }

    #[test]
    fn lengths_are_iso_8601() {
        for (ms, text) in [(4_000, "PT4S"), (4_040, "PT4.04S"), (3_005, "PT3.005S"), (500, "PT0.5S"), (0, "PT0S")] {
            assert_eq!(duration(ms), text);
        }
    }
}
