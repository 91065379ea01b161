//! Media: ranges, validators, cache headers, and who may see what.

use reqwest::{Method, Response};
use storage::Key;
use uuid::Uuid;

use crate::{
    browser::{Browser, header},
    house::{House, shared, shared_product},
    journey::finished,
};

async fn ask(browser: &Browser, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = headers.iter().fold(browser.get(path), |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

/// The photo of the shared product, whole.
async fn photo(browser: &Browser) -> (String, Vec<u8>, String) {
    let path = format!("/media/{}", shared_product().await.photo_key);
    let answer = browser.get(&path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let etag = header(&answer, "etag").to_owned();
    assert!(etag.starts_with('"') && etag.len() > 8, "{etag}");
    assert_eq!(header(&answer, "content-type"), "image/png");
    assert_eq!(header(&answer, "accept-ranges"), "bytes");
    assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert_eq!(header(&answer, "cross-origin-resource-policy"), "cross-origin");
    let bytes = answer.bytes().await.unwrap().to_vec();
    (path, bytes, etag)
}

#[tokio::test]
async fn parts_of_a_file_are_the_bytes_that_were_asked_for() {
    let visitor = shared().await.visitor();
    let (path, whole, _) = photo(&visitor).await;
    let total = whole.len();
    let last = total - 1;
    let (to_end, beyond) = (format!("bytes={}-", total - 7), format!("bytes=5-{}", total + 99));
    for (range, first, end) in [
        ("bytes=0-0", 0, 0),
        ("bytes=0-1", 0, 1),
        ("bytes=10-29", 10, 29),
        ("bytes=-5", total - 5, last),
        (to_end.as_str(), total - 7, last),
        (beyond.as_str(), 5, last),
    ] {
        let answer = ask(&visitor, &path, &[("range", range)]).await;
        assert_eq!(answer.status(), 206, "{range}");
        assert_eq!(header(&answer, "content-range"), format!("bytes {first}-{end}/{total}"), "{range}");
        assert_eq!(header(&answer, "content-length"), (end - first + 1).to_string(), "{range}");
        assert_eq!(answer.bytes().await.unwrap(), whole[first..=end], "{range}");
    }
    for range in ["bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=x-"] {
        let answer = ask(&visitor, &path, &[("range", range)]).await;
        assert_eq!(answer.status(), 200, "{range} is ignored");
        assert_eq!(answer.bytes().await.unwrap().len(), total, "{range}");
    }
    for range in [format!("bytes={total}-"), "bytes=-0".to_owned()] {
        let answer = ask(&visitor, &path, &[("range", &range)]).await;
        assert_eq!(answer.status(), 416, "{range}");
        assert_eq!(header(&answer, "content-range"), format!("bytes */{total}"), "{range}");
        assert_eq!((header(&answer, "access-control-allow-origin"), header(&answer, "accept-ranges")), ("*", "bytes"));
        assert_eq!(header(&answer, "cache-control"), "no-store", "nobody keeps a mistake");
        assert_eq!((header(&answer, "content-type"), header(&answer, "last-modified")), ("", ""), "{range}");
    }
}

#[tokio::test]
async fn a_part_is_given_only_of_the_version_that_was_meant() {
    let visitor = shared().await.visitor();
    let (path, whole, etag) = photo(&visitor).await;
    let answer = ask(&visitor, &path, &[("range", "bytes=0-3"), ("if-range", &etag)]).await;
    assert_eq!(answer.status(), 206);
    let answer = ask(&visitor, &path, &[("range", "bytes=0-3"), ("if-range", "\"another\"")]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.bytes().await.unwrap().len(), whole.len());
    let weak = format!("W/{etag}");
    for known in [etag.as_str(), weak.as_str(), "*", &format!("\"another\", {etag}")] {
        let answer = ask(&visitor, &path, &[("if-none-match", known)]).await;
        assert_eq!(answer.status(), 304, "{known}");
        assert_eq!(header(&answer, "etag"), etag);
        assert!(!header(&answer, "cache-control").is_empty());
        assert!(answer.bytes().await.unwrap().is_empty());
    }
    assert_eq!(ask(&visitor, &path, &[("if-none-match", "\"another\"")]).await.status(), 200);
}

#[tokio::test]
async fn a_head_says_what_a_get_would() {
    let visitor = shared().await.visitor();
    let (path, whole, etag) = photo(&visitor).await;
    let answer = visitor.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-length"), whole.len().to_string());
    assert_eq!(header(&answer, "etag"), etag);
    let answer = visitor.request(Method::HEAD, &path).header("range", "bytes=0-9").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "content-length")), (200, whole.len().to_string().as_str()));
}

#[tokio::test]
async fn stills_and_originals_belong_to_the_desk() {
    let house = shared().await;
    let product = shared_product().await;
    let still = format!("products/{}/stills/{}.jpg", product.id, Uuid::now_v7());
    let original = format!("videos/{}/original/video.mp4", Uuid::now_v7());
    let objects = house.ground.objects().await;
    let (visitor, admin) = (house.visitor(), house.admin().await);
    for (key, kind) in [(still, "image/jpeg"), (original, "video/mp4")] {
        objects.put_bytes(&Key::parse(&key).unwrap(), b"only for the desk".to_vec().into(), kind).await.unwrap();
        let path = format!("/media/{key}");
        for headers in [&[][..], &[("range", "bytes=0-3")], &[("if-none-match", "*")]] {
            assert_eq!(ask(&visitor, &path, headers).await.status(), 404, "{key}");
        }
        let answer = ask(&admin, &path, &[]).await;
        assert_eq!(answer.status(), 200, "{key}");
        assert!(header(&answer, "cache-control").starts_with("private"), "{key}");
        assert_eq!(header(&answer, "access-control-allow-origin"), "", "{key}");
        assert_eq!(answer.text().await.unwrap(), "only for the desk");
    }
}

#[tokio::test]
async fn names_that_lead_elsewhere_lead_nowhere() {
    let house = shared().await;
    let admin = house.admin().await;
    for key in [
        "products/..%2f..%2fsecret",
        "products/%2e%2e/%2e%2e/etc/passwd",
        "videos//x",
        "products/a/photos/.hidden",
        "elsewhere/x.jpg",
        "products/a%00b/photos/x.jpg",
        "%ff",
    ] {
        let status = admin.get(&format!("/media/{key}")).send().await.unwrap().status();
        assert_eq!(status, 404, "{key}");
    }
}

#[tokio::test]
async fn a_signed_address_opens_its_folder_to_anybody_for_a_while() {
    let house = shared().await;
    let finished = finished().await;
    let page = house.admin().await.page(&format!("/admin/generations/{}", finished.id)).await;
    let signed = page.split('"').find(|part| part.starts_with("/media/signed/")).expect("stills are signed").to_owned();
    let visitor = house.visitor();
    let answer = ask(&visitor, &signed, &[("range", "bytes=0-9")]).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (206, "image/jpeg"), "{signed}");
    assert!(header(&answer, "cache-control").starts_with("private"));
    // Players on pages of others fetch what they were given the address of.
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    let mut parts: Vec<&str> = signed.trim_start_matches("/media/signed/").splitn(3, '/').collect();
    let address = |parts: &[&str]| format!("/media/signed/{}", parts.join("/"));
    assert_eq!(address(&parts), signed);
    let (expires, signature) = (parts[0].parse::<i64>().unwrap(), parts[1]);
    let (later, other) = ((expires + 3_600).to_string(), signature.replace(&signature[..1], "x"));
    for (at, part) in [(0, later.as_str()), (1, other.as_str()), (0, "soon"), (1, "-")] {
        let before = std::mem::replace(&mut parts[at], part);
        assert!(ask(&visitor, &address(&parts), &[]).await.status() == 404, "{part}");
        parts[at] = before;
    }
    parts[2] = "products/0193a1b2-0000-7000-8000-000000000001/stills/0193a1b2-0000-7000-8000-000000000002.jpg";
    assert_eq!(ask(&visitor, &address(&parts), &[]).await.status(), 404);
    parts[2] = "../../secret";
    assert_eq!(ask(&visitor, &address(&parts), &[]).await.status(), 404);
}

#[tokio::test]
async fn a_video_nobody_has_published_is_not_for_everybody() {
    let house = shared().await;
    let key = format!("videos/{}/encoded/720p.mp4", Uuid::now_v7());
    let objects = house.ground.objects().await;
    objects.put_bytes(&Key::parse(&key).unwrap(), b"a draft".to_vec().into(), "video/mp4").await.unwrap();
    let path = format!("/media/{key}");
    assert_eq!(house.visitor().get(&path).send().await.unwrap().status(), 404);
    let answer = house.admin().await.get(&path).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "cache-control")), (200, "private, max-age=3600"));
}

#[tokio::test]
async fn players_of_other_pages_may_ask_for_parts() {
    let visitor = shared().await.visitor();
    let path = format!("/media/{}", shared_product().await.photo_key);
    let request = visitor.request(Method::OPTIONS, &path).header("origin", "https://shop.example");
    let request = request.header("access-control-request-method", "GET");
    let answer = request.header("access-control-request-headers", "range").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (204, "*"));
    assert!(header(&answer, "access-control-allow-headers").contains("range"));
}

#[tokio::test]
async fn what_is_kept_in_memory_is_served_like_what_is_not() {
    let house = House::build(&[("MEDIA_CACHE_MIB", "0")]).await;
    let product = house.ground.add_product("uncached").await;
    let visitor = house.visitor();
    let path = format!("/media/{}", product.photo_key);
    let (kept, whole, _) = photo(&shared().await.visitor()).await;
    for range in ["bytes=0-", "bytes=7-70", "bytes=-1", "bytes=0-1,3-4"] {
        let streamed = ask(&visitor, &path, &[("range", range)]).await;
        let kept = ask(&shared().await.visitor(), &kept, &[("range", range)]).await;
        for name in ["content-range", "content-length", "content-type", "cache-control", "accept-ranges"] {
            assert_eq!(header(&streamed, name), header(&kept, name), "{range} {name}");
        }
        assert_eq!(streamed.status(), kept.status());
        assert_eq!(streamed.bytes().await.unwrap(), kept.bytes().await.unwrap(), "{range}");
    }
    // What is gone from the store is gone at once where nothing is kept.
    let objects = house.ground.objects().await;
    objects.delete(&Key::parse(&product.photo_key).unwrap()).await.unwrap();
    assert_eq!(ask(&visitor, &path, &[]).await.status(), 404);
    assert!(!whole.is_empty());
}
