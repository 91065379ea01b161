//! What search engines are told: every product with its video (sitemaps.org 0.9 and Google's extension for videos), and
//! where that list is.

use std::fmt::Write as _;

use domain::product::ShopCard;
use http::request::Parts;

use super::{document::Origin, seen, words};
use crate::{AppError, i18n::Locale};

/// Addresses have no language; the list is in the first language of the shop.
const LOCALE: Locale = Locale::ko;

/// `/sitemap.xml`
///
/// # Errors
/// [`AppError::Unavailable`] when the products cannot be read.
pub async fn sitemap(engine: &engine::Engine, request: &Parts) -> Result<String, AppError> {
    let cards = engine.listed_products().await.map_err(AppError::from)?;
    Ok(list(&cards, &Origin::of(request)))
}

/// `/robots.txt`: the desk is nothing to search, the list of products is there.
pub fn robots(request: &Parts) -> String {
    let sitemap = Origin::of(request).address("/sitemap.xml");
    format!("User-agent: *\nDisallow: /admin\nDisallow: /api/\nDisallow: /events/\n\nSitemap: {sitemap}\n")
}

fn list(cards: &[ShopCard], origin: &Origin) -> String {
    let mut xml = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"",
        " xmlns:video=\"http://www.google.com/schemas/sitemap-video/1.1\">\n",
    ));
    element(&mut xml, "url", |xml| leaf(xml, "loc", &origin.address("/products")));
    for card in cards {
        element(&mut xml, "url", |xml| {
            leaf(xml, "loc", &origin.address(&format!("/products/{}", card.slug)));
            if let Some(video) = &card.video {
                leaf(xml, "lastmod", &video.published_at.format("%Y-%m-%d").to_string());
            }
            video(xml, card, origin);
        });
    }
    xml.push_str("</urlset>\n");
    xml
}

fn video(xml: &mut String, card: &ShopCard, origin: &Origin) {
    let Some(video) = &card.video else { return };
    let Some(source) = video.plainest() else { return };
    element(xml, "video:video", |xml| {
        leaf(xml, "video:thumbnail_loc", &origin.address(&video.poster.url));
        leaf(xml, "video:title", &words(&card.name, LOCALE));
        leaf(xml, "video:description", &seen(&card.name, &card.category, LOCALE));
        leaf(xml, "video:content_loc", &origin.address(&source.url));
        // Whole seconds, at least one.
        leaf(xml, "video:duration", &video.duration_ms.div_ceil(1_000).max(1).to_string());
        leaf(xml, "video:publication_date", &video.published_at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        leaf(xml, "video:family_friendly", "yes");
        leaf(xml, "video:live", "no");
    });
}

fn element(xml: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    // Writing to a String does not fail.
    _ = writeln!(xml, "<{name}>");
    inside(xml);
    _ = writeln!(xml, "</{name}>");
}

fn leaf(xml: &mut String, name: &str, text: &str) {
    _ = write!(xml, "<{name}>");
    for letter in text.chars() {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            // What XML 1.0 has no place for.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => xml.push(other),
        }
    }
    _ = writeln!(xml, "</{name}>");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::LocalText;

    use super::*;
    use crate::pages::shop::player::tests::video;

    fn card(slug: &str, has_video: bool) -> ShopCard {
        ShopCard {
            slug: slug.to_owned(),
            name: LocalText { ko: "셔츠 <A> & B\u{1}".to_owned(), en: "Shirt".to_owned() },
            category: "shirt".to_owned(),
            price_krw: 1,
            photo: None,
            video: has_video.then(video),
        }
    }

    fn request() -> Parts {
        http::Request::get("/").header("host", "shop.example").body(()).unwrap().into_parts().0
    }

    #[test]
    fn every_product_is_listed_and_its_video_with_it() {
        let xml = list(&[card("shirt", true), card("coat", false)], &Origin::of(&request()));
        assert_eq!(xml.matches("<url>").count(), 3, "{xml}");
        assert_eq!(xml.matches("<video:video>").count(), 1, "{xml}");
        for line in [
            "<loc>http://shop.example/products/shirt</loc>",
            "<loc>http://shop.example/products/coat</loc>",
            "<video:thumbnail_loc>http://shop.example/media/thumb.jpg</video:thumbnail_loc>",
            "<video:title>셔츠 &lt;A&gt; &amp; B</video:title>",
            "<video:content_loc>http://shop.example/media/1080p.mp4</video:content_loc>",
            "<video:duration>4</video:duration>",
            "<video:publication_date>1970-01-01T00:00:00Z</video:publication_date>",
        ] {
            assert!(xml.contains(line), "{line} in {xml}");
        }
    }

    #[test]
    fn robots_are_told_where_the_list_is() {
        let text = robots(&request());
        assert!(text.contains("Sitemap: http://shop.example/sitemap.xml\n") && text.contains("Disallow: /admin\n"));
        assert!(!text.contains("Disallow: /\n") && !text.contains("/media"), "{text}");
    }
}
