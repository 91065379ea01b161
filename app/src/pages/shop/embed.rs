//! What `<lookreel-video>` on a page of others is told: the published video of a product, every address whole.

use domain::{LocalText, VideoId, product::ShopProduct};
use http::request::Parts;
use leptos_i18n::td_string;
use serde::Serialize;

use super::{document::Origin, seen};
use crate::{AppError, i18n::Locale};

/// The answer of `/embed/products/{slug or id}`; described in docs/embed.md.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EmbeddedVideo {
    id: VideoId,
    product: String,
    name: LocalText,
    alt: LocalText,
    ai_label: LocalText,
    play: LocalText,
    pause: LocalText,
    width: u32,
    height: u32,
    duration_ms: u32,
    poster: EmbeddedPoster,
    sources: Vec<EmbeddedSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hls: Option<String>,
}

#[derive(Debug, Serialize)]
struct EmbeddedPoster {
    jpeg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    webp: Option<String>,
}

#[derive(Debug, Serialize)]
struct EmbeddedSource {
    url: String,
    #[serde(rename = "type")]
    content_type: String,
    width: u32,
    height: u32,
    bytes: u64,
}

/// `/embed/products/{slug or id}`: the video of a product as JSON.
///
/// # Errors
/// [`AppError::NotFound`] when there is no such product or it has no video.
pub async fn embedded_video(engine: &engine::Engine, request: &Parts, reference: &str) -> Result<String, AppError> {
    let product = engine.embedded_product(reference).await.map_err(AppError::from)?;
    let video = embed(product, &Origin::of(request)).ok_or(AppError::NotFound)?;
    serde_json::to_string(&video).map_err(|_| AppError::Internal)
}

fn embed(product: ShopProduct, origin: &Origin) -> Option<EmbeddedVideo> {
    let ShopProduct { slug, name, category, video, .. } = product;
    let video = video?;
    let largest = video.sources.last()?;
    let both = |say: fn(Locale) -> &'static str| LocalText { ko: say(Locale::ko).into(), en: say(Locale::en).into() };
    Some(EmbeddedVideo {
        id: video.id,
        product: slug,
        alt: LocalText { ko: seen(&name, &category, Locale::ko), en: seen(&name, &category, Locale::en) },
        name,
        ai_label: both(|locale| td_string!(locale, shop.ai_video)),
        play: both(|locale| td_string!(locale, shop.play)),
        pause: both(|locale| td_string!(locale, shop.pause)),
        width: largest.width,
        height: largest.height,
        duration_ms: video.duration_ms,
        poster: EmbeddedPoster {
            jpeg: origin.address(&video.poster.url),
            webp: video.poster_webp.map(|poster| origin.address(&poster.url)),
        },
        hls: video.hls.map(|url| origin.address(&url)),
        sources: video
            .sources
            .into_iter()
            .map(|source| EmbeddedSource {
                url: origin.address(&source.url),
                content_type: source.content_type,
                width: source.width,
                height: source.height,
                bytes: source.bytes,
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::pages::shop::product::tests::product;

    #[test]
    fn every_address_is_whole_and_both_languages_are_there() {
        let request = http::Request::get("/").header("host", "shop.example").body(()).unwrap().into_parts().0;
        let told = serde_json::to_value(embed(product(true), &Origin::of(&request)).unwrap()).unwrap();
        assert_eq!(told["poster"], json!({"jpeg": "http://shop.example/media/thumb.jpg"}));
        assert_eq!(
            told["sources"][0],
            json!({"url": "http://shop.example/media/720p.mp4", "type": "video/mp4; codecs=\"avc1.64001f\"",
                "width": 720, "height": 960, "bytes": 400_000})
        );
        assert_eq!((&told["width"], &told["height"], &told["durationMs"]), (&json!(1080), &json!(1440), &json!(4000)));
        assert_eq!(told["aiLabel"], json!({"ko": "AI 생성 영상", "en": "AI-generated video"}));
        assert!(told["alt"]["ko"].as_str().unwrap().contains("옥스포드 셔츠"), "{told}");
        assert!(told.get("hls").is_none(), "{told}");
        assert!(!told.to_string().contains("cost"), "what it cost is nobody's business: {told}");
    }

    #[test]
    fn without_a_video_there_is_nothing_to_tell() {
        assert!(embed(product(false), &Origin::none()).is_none());
    }
}
