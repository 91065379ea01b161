//! The shop: whole pages without WASM, in the language of the reader, and small.

use std::collections::BTreeSet;

use crate::{
    browser::{Browser, PAGE, header},
    house::{shared, shared_product},
    journey::finished,
};

/// What a product page may weigh without its pictures and its video, in bytes as they are sent.
const PAGE_MAX_BYTES: usize = 40_000;

/// The addresses in an attribute of a tag, as `href` of `<link`.
fn addresses(page: &str, tag: &str, attribute: &str) -> BTreeSet<String> {
    let tags = page.split(tag).skip(1).map(|rest| rest.split('>').next().unwrap());
    tags.filter_map(|text| text.split(&format!("{attribute}=\"")).nth(1))
        .map(|text| text.split('"').next().unwrap().to_owned())
        .collect()
}

async fn in_language(browser: &Browser, path: &str, accept: &str, cookie: &str) -> String {
    let request = browser.get(path).header("accept", PAGE).header("accept-language", accept).header("cookie", cookie);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

#[tokio::test]
async fn pages_are_whole_and_need_no_wasm() {
    let visitor = shared().await.visitor();
    let product = shared_product().await;
    for path in ["/products".to_owned(), format!("/products/{}", product.slug)] {
        let answer = visitor.get(&path).header("accept", PAGE).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
        assert_eq!(
            header(&answer, "cross-origin-opener-policy"),
            "unsafe-none",
            "no change of process before it is drawn"
        );
        let page = answer.text().await.unwrap();
        let page = page.trim();
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("</html>"), "{path}");
        assert!(page.contains("</main>") && page.contains("<title>"), "{path}");
        for forbidden in ["type=\"module\"", "modulepreload", ".wasm", "hydrate", "/pkg/lookreel", "/admin"] {
            assert!(!page.contains(forbidden), "{path} holds {forbidden}");
        }
        assert!(page.contains("코트") || page.contains("coat"), "{path} shows the product");
    }
}

#[tokio::test]
async fn the_reader_chooses_the_language() {
    let visitor = shared().await.visitor();
    let path = format!("/products/{}", shared_product().await.slug);
    for (accept, cookie, language, name) in [
        ("en-GB,en;q=0.9", "", "en", "Camel coat"),
        ("ko-KR,ko;q=0.9,en;q=0.5", "", "ko", "캐멀 코트"),
        ("fr", "", "ko", "캐멀 코트"),
        ("ko", "language=en", "en", "Camel coat"),
        ("en", "language=ko", "ko", "캐멀 코트"),
        ("en", "language=xx", "en", "Camel coat"),
    ] {
        let page = in_language(&visitor, &path, accept, cookie).await;
        assert!(page.contains(&format!("<html lang=\"{language}\"")), "{accept} {cookie}");
        assert!(page.contains(name), "{accept} {cookie}");
    }
    // The choice is kept by a form that works without scripts.
    let form = visitor.post("/api/preferences/language", PAGE, &[("language", "en")]);
    let answer = form.header("referer", visitor.url(&path)).send().await.unwrap();
    assert!(answer.status().is_redirection());
    let back = header(&answer, "location").trim_end_matches('?');
    assert!(back.ends_with(&path), "{back}");
    assert!(header(&answer, "set-cookie").starts_with("language=en;"), "{}", header(&answer, "set-cookie"));
}

#[tokio::test]
async fn an_unknown_product_is_a_page_that_says_so() {
    let visitor = shared().await.visitor();
    for path in ["/products/no-such-thing", "/products/%EC%BD%94%ED%8A%B8", "/products/a%2Fb", "/products/a%00b"] {
        let answer = visitor.get(path).header("accept", PAGE).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.text().await.unwrap().contains("href=\"/products\""), "{path}");
    }
    let answer = visitor.get("/").send().await.unwrap();
    assert_eq!(header(&answer, "location"), "/products");
    assert_eq!(header(&answer, "cross-origin-opener-policy"), "unsafe-none", "nor on the way there");
}

#[tokio::test]
async fn a_product_page_is_small() {
    let visitor = shared().await.visitor();
    let path = format!("/products/{}", finished().await.product.slug);
    // With the typeface, which the first page comes without.
    let page = in_language(&visitor, &path, "ko", "typeface=here").await;
    assert!(page.contains("/fonts/"), "{page}");
    // The script that begins the clip, weighed with the page as JSON-LD is, asks for the others.
    let scripts = page.split('"').filter(|part| part.starts_with('/') && part.ends_with(".js"));
    let mut files: BTreeSet<String> = scripts.map(str::to_owned).collect();
    assert_eq!(files.iter().collect::<Vec<_>>(), ["/embed.js", "/shop.js"]);
    for tag in page.split("<link").skip(1).map(|rest| rest.split('>').next().unwrap()) {
        if tag.contains("stylesheet") {
            files.extend(addresses(&format!("<link{tag}>"), "<link", "href"));
        }
    }
    assert!(files.iter().any(|file| file.contains(".css")), "{files:?}");
    files.insert(path);
    let mut sizes = Vec::new();
    for file in files {
        let answer = visitor.get(&file).header("accept-encoding", "br").send().await.unwrap();
        assert_eq!(answer.status(), 200, "{file}");
        sizes.push((answer.bytes().await.unwrap().len(), file));
    }
    let total: usize = sizes.iter().map(|(bytes, _)| bytes).sum();
    assert!(total < PAGE_MAX_BYTES, "{total} bytes: {sizes:?}");
}
