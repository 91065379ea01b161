//! The video on pages of others and for search engines: JSON for the element, JSON-LD, the list of products.

use reqwest::Response;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, header},
    house::{shared, shared_product},
    journey::finished,
};

/// A page of somebody else's shop.
const FOREIGN: &str = "https://shop.example";

async fn asked(browser: &Browser, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = browser.get(path).header("origin", FOREIGN);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

async fn told(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_page_of_others_learns_what_to_play() {
    let visitor = shared().await.visitor();
    let product = &finished().await.product;
    for reference in [product.slug.clone(), product.id.to_string()] {
        let answer = asked(&visitor, &format!("/embed/products/{reference}"), &[]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "application/json"));
        assert_eq!(header(&answer, "cache-control"), "public, max-age=60, stale-while-revalidate=600");
        assert_eq!(header(&answer, "access-control-allow-origin"), "*");
        assert_eq!(header(&answer, "cross-origin-resource-policy"), "cross-origin");
        assert!(
            answer.headers().get("set-cookie").is_none()
                && answer.headers().get("vary").is_none_or(|vary| { !vary.to_str().unwrap().contains("cookie") })
        );
        let told = told(answer).await;
        assert_eq!(told["product"], product.slug);
        assert_eq!(told["name"], json!({"ko": "캐멀 코트 journey", "en": "Camel coat journey"}));
        assert!(told["alt"]["ko"].as_str().unwrap().starts_with("캐멀 코트 journey"), "{told}");
        assert_eq!(told["aiLabel"]["en"], "AI-generated video");
        let (width, height) = (told["width"].as_u64().unwrap(), told["height"].as_u64().unwrap());
        assert!(width >= 720 && height > width, "{told}");
        assert!((2_900..=3_100).contains(&told["durationMs"].as_u64().unwrap()), "{told}");
        let sources = told["sources"].as_array().unwrap();
        assert!(sources.iter().all(|source| source["type"].as_str().unwrap().starts_with("video/mp4")), "{told}");
        // Every address is whole, and leads to what is said of it.
        let source = &sources[0];
        let answer = visitor.client.get(source["url"].as_str().unwrap()).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (200, "*"));
        assert_eq!(answer.bytes().await.unwrap().len() as u64, source["bytes"].as_u64().unwrap());
        let poster = visitor.client.get(told["poster"]["jpeg"].as_str().unwrap()).send().await.unwrap();
        assert_eq!((poster.status().as_u16(), header(&poster, "content-type")), (200, "image/jpeg"));
    }
}

#[tokio::test]
async fn the_same_answer_is_not_sent_twice() {
    let visitor = shared().await.visitor();
    let path = format!("/embed/products/{}", finished().await.product.slug);
    let answer = asked(&visitor, &path, &[]).await;
    let tag = header(&answer, "etag").to_owned();
    assert!(tag.len() > 8, "{tag}");
    let again = asked(&visitor, &path, &[("if-none-match", &format!("\"other\", {tag}"))]).await;
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, tag.as_str()));
    assert_eq!(header(&again, "access-control-allow-origin"), "*");
    assert!(again.bytes().await.unwrap().is_empty());
    assert_eq!(asked(&visitor, &path, &[("if-none-match", "\"other\"")]).await.status(), 200);
    let small = asked(&visitor, &path, &[("accept-encoding", "br")]).await;
    assert_eq!(header(&small, "content-encoding"), "br");
}

#[tokio::test]
async fn without_a_video_any_page_is_told_so() {
    let visitor = shared().await.visitor();
    let bare = &shared_product().await.slug;
    for reference in [bare, "no-such-thing", "0193a1b2-0000-7000-8000-000000000001", "%EC%BD%94%ED%8A%B8", "a%00b"] {
        let answer = asked(&visitor, &format!("/embed/products/{reference}"), &[]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (404, "application/problem+json"));
        assert_eq!(header(&answer, "access-control-allow-origin"), "*", "the page may read why");
        let problem = told(answer).await;
        assert_eq!((&problem["status"], &problem["title"]), (&json!(404), &json!("Not Found")), "{reference}");
    }
}

#[tokio::test]
async fn the_script_may_be_loaded_from_anywhere() {
    let visitor = shared().await.visitor();
    let answer = asked(&visitor, "/embed.js", &[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "access-control-allow-origin"), "*", "as a module too");
    assert_eq!(header(&answer, "cross-origin-resource-policy"), "cross-origin");
    assert_eq!(header(&answer, "cache-control"), "public, max-age=3600");
    assert!(header(&answer, "content-type").contains("javascript"), "{}", header(&answer, "content-type"));
    assert!(answer.text().await.unwrap().contains("lookreel-video"));
}

/// The JSON-LD of a page.
fn data_of(page: &str) -> Value {
    let text = page.split("<script type=\"application/ld+json\">").nth(1).expect("JSON-LD");
    serde_json::from_str(text.split("</script>").next().unwrap()).unwrap()
}

#[tokio::test]
async fn search_engines_read_the_product_and_its_video() {
    let visitor = shared().await.visitor();
    let path = format!("/products/{}", finished().await.product.slug);
    let page = visitor.page(&path).await;
    let data = data_of(&page);
    assert_eq!((&data["@context"], &data["@type"]), (&json!("https://schema.org"), &json!("Product")));
    assert_eq!(data["offers"]["price"], "129000");
    let video = &data["subjectOf"];
    assert_eq!((&video["@type"], &video["duration"]), (&json!("VideoObject"), &json!("PT3S")), "{video}");
    assert_eq!(video["digitalSourceType"], "https://schema.org/TrainedAlgorithmicMediaDigitalSource");
    assert_eq!(video["creditText"], "AI 생성 영상");
    assert!(chrono::DateTime::parse_from_rfc3339(video["uploadDate"].as_str().unwrap()).is_ok(), "{video}");
    for address in [&video["contentUrl"], &video["thumbnailUrl"][0], &data["image"][0]] {
        let address = address.as_str().unwrap();
        assert!(address.starts_with("http://"), "{address}");
        assert_eq!(visitor.client.head(address).send().await.unwrap().status(), 200, "{address}");
    }
    let clip = video["contentUrl"].as_str().unwrap();
    assert!(page.contains(&format!("property=\"og:video\" content=\"{clip}\"")), "{page}");
    assert!(page.contains("property=\"og:image\"") && !page.contains("og:video:secure_url"), "no https here");
    let secure = visitor.get(&path).header("x-forwarded-proto", "https").send().await.unwrap().text().await.unwrap();
    assert!(secure.contains("property=\"og:video:secure_url\" content=\"https://"), "{secure}");
    let bare = visitor.page(&format!("/products/{}", shared_product().await.slug)).await;
    assert!(data_of(&bare).get("subjectOf").is_none() && !bare.contains("og:video"));
}

#[tokio::test]
async fn the_list_of_products_is_where_robots_are_told() {
    let visitor = shared().await.visitor();
    let (moving, still) = (&finished().await.product.slug, &shared_product().await.slug);
    let answer = visitor.get("/robots.txt").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "text/plain; charset=utf-8"));
    let robots = answer.text().await.unwrap();
    let address = robots.lines().find_map(|line| line.strip_prefix("Sitemap: ")).expect("a sitemap").to_owned();
    let answer = visitor.client.get(&address).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, "application/xml; charset=utf-8"));
    let xml = answer.text().await.unwrap();
    let entry = |slug: &str| {
        let found = xml.split("<url>").find(|entry| entry.contains(&format!("/products/{slug}</loc>")));
        found.unwrap_or_else(|| panic!("{slug} in {xml}")).to_owned()
    };
    assert!(!entry(still).contains("video:"), "{xml}");
    let moving = entry(moving);
    for tag in ["thumbnail_loc", "title", "description", "content_loc", "duration", "publication_date"] {
        assert_eq!(moving.matches(&format!("<video:{tag}>")).count(), 1, "{tag} in {moving}");
    }
    assert!(moving.contains("<video:duration>3</video:duration>"), "{moving}");
    // Nothing robots are kept out of is in the list.
    assert!(!xml.contains("/admin") && !xml.contains("/api/"), "{xml}");
}
