//! What the edge refuses by itself: a page for people, JSON for scripts, in the language of the reader.

use reqwest::{Body, Method};
use serde_json::Value;

use crate::{
    browser::{JSON, PAGE, header},
    house::{shared, shared_product},
};

/// More than any request may send, in bytes.
const TOO_MUCH: usize = 1024 * 1024 + 1;
const PAUSE: &str = "/api/admin/queue/pause";
/// What the API is told by.
const PROBLEM: &str = "application/problem+json";
const FORM: &str = "application/x-www-form-urlencoded";

fn large() -> Vec<u8> {
    let mut body = b"scope=everything&reason=".to_vec();
    body.resize(TOO_MUCH, b'a');
    body
}

#[tokio::test]
async fn a_form_that_is_too_large_is_answered_with_a_page() {
    let house = shared().await;
    let admin = house.admin().await;
    for (language, words, back) in
        [("en", "Nothing was changed.", "Back to the page before"), ("ko", "아무것도 바뀌지", "이전 페이지로")]
    {
        let request = admin.request(Method::POST, PAUSE).header("accept", PAGE).header("content-type", FORM);
        let request = request.header("accept-language", language).header("referer", admin.url("/admin/queue"));
        // Larger than what fits on its way: the answer has to wait for it.
        let answer = request.body([large(), large(), large(), large()].concat()).send().await.unwrap();
        assert_eq!(answer.status(), 413);
        assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&answer, "cache-control"), "no-store");
        let page = answer.text().await.unwrap();
        assert!(page.contains(&format!("<html lang=\"{language}\"")) && page.contains(words), "{page}");
        assert!(page.contains("/shop.css") && page.contains("href=\"/admin/queue\"") && page.contains(back), "{page}");
    }
    assert_eq!(house.ground.database.number("select count(*) from job_pauses").await, 0, "nothing was paused");
}

#[tokio::test]
async fn a_script_reads_the_code_whether_the_size_was_announced_or_not() {
    let admin = shared().await.admin().await;
    let chunks = large().chunks(64 * 1024).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>();
    let endless = Body::wrap_stream(futures::stream::iter(chunks));
    for (path, accept, body, kind) in [
        (PAUSE, JSON, Body::from(large()), JSON),
        (PAUSE, JSON, endless, JSON),
        ("/api/video/webhook", "*/*", Body::from(large()), PROBLEM),
    ] {
        let request = admin.request(Method::POST, path).header("accept", accept).header("content-type", FORM);
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), 413, "{path}");
        assert_eq!(header(&answer, "content-type"), kind, "{path}");
        let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(told["code"], "too_large", "{path}");
    }
}

#[tokio::test]
async fn an_unknown_address_is_a_page_of_the_shop() {
    let visitor = shared().await.visitor();
    for (language, words) in [("en", "Page not found"), ("ko", "페이지를 찾을 수 없습니다")] {
        for path in ["/nothing", "/products/a/b", "/favicon.png"] {
            let request = visitor.get(path).header("accept", PAGE).header("accept-language", language);
            let answer = request.header("referer", visitor.url("/products")).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
            assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
            let page = answer.text().await.unwrap();
            assert!(page.contains(words) && page.contains("/shop.css") && page.contains("</html>"), "{path}: {page}");
            assert!(page.contains("class=\"shop-button\"") && page.contains("noindex"), "{path}: {page}");
        }
    }
    let answer = visitor.get("/api/admin/nothing").header("accept", JSON).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (404, PROBLEM));
}

#[tokio::test]
async fn every_page_says_what_it_depends_on() {
    let house = shared().await;
    let admin = house.admin().await;
    let product = shared_product().await;
    for path in [
        "/products".to_owned(),
        format!("/products/{}", product.slug),
        "/products/nothing".to_owned(),
        "/nothing".to_owned(),
        "/admin/products".to_owned(),
        "/admin/nothing".to_owned(),
    ] {
        let answer = admin.get(&path).header("accept", PAGE).header("accept-encoding", "br").send().await.unwrap();
        let vary: Vec<String> = answer
            .headers()
            .get_all("vary")
            .iter()
            .flat_map(|value| value.to_str().unwrap().split(','))
            .map(|word| word.trim().to_lowercase())
            .collect();
        for word in ["accept-language", "cookie"] {
            assert_eq!(vary.iter().filter(|said| *said == word).count(), 1, "{path}: {word} in {vary:?}");
        }
        if answer.headers().contains_key("content-encoding") {
            assert!(vary.iter().any(|word| word == "accept-encoding"), "{path}: {vary:?}");
        }
    }
}
