//! Bad input: a problem document each time, never a fault, never half a generation.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use uuid::Uuid;

use super::{Code, PROBLEM, common, problem};
use crate::{
    browser::header,
    house::{House, photo, shared},
};

const GENERATE: &str = "/api/video/generate";
const GENERATIONS: &str = "/api/admin/video-generation";
const EVENTS: &str = "/api/admin/video-generation/events";
const PRODUCTS: &str = "/api/admin/products";

/// Generations of a product.
async fn generations_of(house: &House, product: Uuid) -> i64 {
    sqlx::query_scalar("select count(*) from generations where product_id = $1")
        .bind(product)
        .fetch_one(&mut house.ground.database.connect().await)
        .await
        .unwrap()
}

fn fields(told: &Value) -> Vec<(&str, &str)> {
    let errors = told["errors"].as_array().unwrap();
    errors.iter().map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    // A house of its own: what is bought here is on nobody else's invoice.
    let house = House::build(&[]).await;
    let code = Code::of(&house).await;
    // What is right in these requests would do: they name a picture and a product a video can be made of.
    let product = house.ground.add_product("half-made").await.id;
    let id = code.upload(product).await;
    for (body, expected) in [
        (json!({}), vec![("tryonImageId", "missing")]),
        (json!({"tryonImageId": 4}), vec![("tryonImageId", "wrong_type")]),
        (json!({"tryonImageId": "x"}), vec![("tryonImageId", "invalid_value")]),
        (json!({"tryonImageId": format!("{id}\0")}), vec![("tryonImageId", "invalid_value")]),
        (json!({"tryonImageId": id, "more": 1}), vec![("more", "unknown")]),
        (json!({"tryonImageId": id, "settings": 4}), vec![("settings", "wrong_type")]),
        (
            json!({"tryonImageId": id, "settings": {"duration": 6, "fps": 23, "resolution": "4k", "format": "gif"}}),
            vec![
                ("settings.duration", "invalid_value"),
                ("settings.resolution", "invalid_value"),
                ("settings.fps", "invalid_value"),
                ("settings.format", "invalid_value"),
            ],
        ),
        (
            json!({"tryonImageId": id, "settings": {"duration": "4", "enableHLS": 1, "enableBranding": null, "hls": true}}),
            vec![
                ("settings.duration", "wrong_type"),
                ("settings.enableHLS", "wrong_type"),
                ("settings.enableBranding", "wrong_type"),
                ("settings.hls", "unknown"),
            ],
        ),
    ] {
        let told = problem(code.post(GENERATE, &body).send().await.unwrap(), 422, "invalid").await;
        assert_eq!(fields(&told), expected, "{body}");
    }
    let told = json!({"productId": product.to_string(), "options": {"recipe": "x", "modelType": 1, "duration": 2.5}});
    let told = problem(code.post("/api/admin/video-generation", &told).send().await.unwrap(), 422, "invalid").await;
    let expected =
        [("options.modelType", "wrong_type"), ("options.duration", "wrong_type"), ("options.recipe", "invalid_value")];
    assert_eq!(fields(&told), expected);
    for duration in [json!(2), json!(6), json!(-1), json!(1e30), json!(4.5)] {
        let body = json!({"tryonImageId": id, "settings": {"duration": duration}});
        assert_eq!(code.post(GENERATE, &body).send().await.unwrap().status(), 422, "{body}");
    }
    assert_eq!(generations_of(&house, product).await, 0, "none is half made");
    // Within the bounds: nothing is wrong but the picture, which nobody uploaded.
    let nobody = Uuid::now_v7().to_string();
    for duration in [json!(3), json!(5), json!(4.0)] {
        let body = json!({"tryonImageId": nobody, "settings": {"duration": duration}});
        problem(code.post(GENERATE, &body).send().await.unwrap(), 404, "not_found").await;
    }
    code.generate(&id, json!({"duration": 3})).await;
    assert_eq!(generations_of(&house, product).await, 1, "the same picture makes one where everything is right");
}

#[tokio::test]
async fn other_bodies_are_refused_by_what_they_are() {
    let (code, _) = common().await;
    let send = async |kind: &str, body: Vec<u8>| {
        let request = code.request(Method::POST, GENERATE).header("idempotency-key", Uuid::now_v7().to_string());
        request.header("content-type", kind).body(body).send().await.unwrap()
    };
    problem(send("text/plain", b"{}".to_vec()).await, 415, "unsupported_media_type").await;
    problem(send("application/x-www-form-urlencoded", b"a=b".to_vec()).await, 415, "unsupported_media_type").await;
    for body in [&b""[..], b"{", b"{\"a\":}", b"\xff\xfe", b"{\"tryonImageId\": \"\\ud800\"}"] {
        problem(send("application/json", body.to_vec()).await, 400, "malformed").await;
    }
    for body in [&b"[]"[..], b"null", b"\"text\"", b"4"] {
        problem(send("application/json", body.to_vec()).await, 422, "invalid").await;
    }
    let deep = [b"{\"a\":".repeat(2_000), b"1".to_vec(), b"}".repeat(2_000)].concat();
    problem(send("application/json", deep).await, 400, "malformed").await;
    problem(send("application/json", vec![b' '; 1_100_000]).await, 413, "too_large").await;
}

#[tokio::test]
async fn where_nothing_is_sent_nothing_else_is_taken() {
    let (code, _) = common().await;
    let (job, webhook) = (Uuid::now_v7(), Uuid::now_v7());
    for path in [
        format!("/api/admin/video-generation/{job}/cancel"),
        format!("/api/admin/video-generation/{job}/approve"),
        format!("/api/admin/video-generation/{job}/publish"),
        format!("/api/admin/video-generation/{job}/unpublish"),
        format!("/api/admin/webhooks/{webhook}/ping"),
        format!("/api/admin/webhooks/{webhook}/deliveries/{job}/replay"),
    ] {
        let told = problem(code.post(&path, &json!({"soon": 1})).send().await.unwrap(), 422, "invalid").await;
        assert_eq!(fields(&told), [("soon", "unknown")], "{path}");
        let text = code.request(Method::POST, &path).header("content-type", "text/plain").body("now");
        problem(text.send().await.unwrap(), 415, "unsupported_media_type").await;
        problem(code.post(&path, &json!({})).send().await.unwrap(), 404, "not_found").await;
        problem(code.request(Method::POST, &path).send().await.unwrap(), 404, "not_found").await;
    }
}

#[tokio::test]
async fn who_is_refused_before_all_was_sent_is_told_why() {
    let (code, product) = common().await;
    let large = super::form(&product.to_string(), &vec![0; 12_000_000]);
    let stranger = Code { token: "lkr_odd".to_owned(), ..code.clone() };
    for _ in 0..5 {
        problem(stranger.upload_form(&large).send().await.unwrap(), 401, "token_invalid").await;
        let pieces = (0..10).map(|_| Ok::<_, std::io::Error>(vec![b' '; 400_000]));
        let chunked = code.request(Method::POST, GENERATE).header("idempotency-key", Uuid::now_v7().to_string());
        let chunked = chunked.header("content-type", "application/json");
        let chunked = chunked.body(reqwest::Body::wrap_stream(futures::stream::iter(pieces)));
        problem(chunked.send().await.unwrap(), 413, "too_large").await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_problem_like_any_other() {
    let (code, product) = common().await;
    let product = format!("/api/admin/products/{product}");
    let retry = format!("/api/admin/video-generation/{}/retry", Uuid::now_v7());
    for (method, path) in [
        ("POST", GENERATE),
        ("POST", "/api/admin/video-generation"),
        ("POST", retry.as_str()),
        ("POST", "/api/admin/products"),
        ("PATCH", product.as_str()),
        ("POST", "/api/admin/webhooks"),
        ("POST", "/api/video/webhook"),
    ] {
        let host = shared().await.url.strip_prefix("http://").unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\nidempotency-key: {}\r\n\
             content-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
             4\r\n{{\"a\"\r\nnothing\r\n",
            code.token,
            Uuid::now_v7()
        );
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Whatever becomes of the connection once it is answered.
        _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{method} {path}: {answer}");
        assert!(answer.contains(PROBLEM) && answer.contains("\"malformed\""), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn ids_of_nothing_and_of_other_things_are_not_found() {
    let (code, product) = common().await;
    let nobody = Uuid::now_v7().to_string();
    for id in [nobody.as_str(), &product.to_string(), "x", "..", "%00", "%ff", &"a".repeat(2_000)] {
        for path in [
            format!("/api/video/status/{id}"),
            format!("/api/video/{id}/stream"),
            format!("/api/admin/video-generation/{id}"),
            format!("/api/admin/video-generation/{id}/events"),
            format!("/api/admin/webhooks/{id}/deliveries"),
        ] {
            let answer = code.get(&path).send().await.unwrap();
            problem(answer, 404, "not_found").await;
        }
    }
    for action in ["cancel", "approve", "publish", "unpublish", "retry"] {
        let answer =
            code.post(&format!("/api/admin/video-generation/{nobody}/{action}"), &json!({})).send().await.unwrap();
        problem(answer, 404, "not_found").await;
    }
    let body = json!({"tryonImageId": product.to_string()});
    let told = problem(code.post(GENERATE, &body).send().await.unwrap(), 404, "not_found").await;
    assert_eq!(fields(&told), [("tryonImageId", "not_found")]);
    let body = json!({"productId": nobody});
    let told = problem(code.post(GENERATIONS, &body).send().await.unwrap(), 404, "not_found").await;
    assert_eq!(fields(&told), [("productId", "not_found")]);
    let told = code.upload_form(&super::form(&nobody, &photo())).send().await.unwrap();
    assert_eq!(fields(&problem(told, 404, "not_found").await), [("productId", "not_found")]);
}

#[tokio::test]
async fn what_stands_in_the_way_is_named() {
    let (code, _) = common().await;
    let name = json!({"ko": "사진 없음", "en": "Bare"});
    let bare = json!({"slug": "bare", "sku": "BARE-1", "name": name, "category": "outer", "priceKrw": 1});
    let made = super::json(code.post(PRODUCTS, &bare).send().await.unwrap(), 201).await;
    let refused = async |path: &str, body: &Value| {
        let told = problem(code.post(path, body).send().await.unwrap(), 409, "conflict").await;
        (told["reason"].as_str().unwrap().to_owned(), told["detail"].as_str().unwrap().to_owned(), told)
    };
    let (reason, detail, told) = refused(GENERATIONS, &json!({"productId": made["productId"]})).await;
    assert_eq!((reason.as_str(), told.get("errors")), ("no_photo", None), "{told}");
    assert_eq!(detail, "The product has no photo. Upload one first.");
    for (field, other) in [("slug", json!({"sku": "BARE-2"})), ("sku", json!({"slug": "bare-2"}))] {
        let mut twin = bare.clone();
        twin.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        let (reason, _, told) = refused(PRODUCTS, &twin).await;
        assert_eq!((reason, fields(&told)), (format!("{field}_taken"), vec![(field, "taken")]), "{told}");
    }
}

#[tokio::test]
async fn parameters_nobody_knows_are_refused() {
    let (code, product) = common().await;
    let nobody = Uuid::now_v7();
    for path in [
        format!("/api/video/status/{nobody}"),
        format!("/api/admin/products/{product}"),
        "/api/admin/webhooks".to_owned(),
        "/api/admin/products".to_owned(),
        EVENTS.to_owned(),
    ] {
        let told = problem(code.get(&format!("{path}?odd=1")).send().await.unwrap(), 422, "invalid").await;
        assert_eq!(fields(&told), [("odd", "unknown")], "{path}");
    }
    let body = json!({"productId": product.to_string()});
    let told = code.post(&format!("{GENERATIONS}?dry=1"), &body).send().await.unwrap();
    assert_eq!(fields(&problem(told, 422, "invalid").await), [("dry", "unknown")]);
    assert_eq!(code.get("/api/admin/webhooks?").send().await.unwrap().status(), 200, "nothing behind it is none");
}

#[tokio::test]
async fn addresses_and_methods_there_are_not_are_problems_too() {
    let (code, _) = common().await;
    for path in ["/api/nothing", "/api/video", "/api/admin/video-generation/x/y/z", "/api/"] {
        problem(code.get(path).send().await.unwrap(), 404, "not_found").await;
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/api/video/generate", "POST"),
        (Method::PUT, "/api/admin/products", "GET"),
        (Method::POST, "/api/openapi.json", "GET"),
        (Method::GET, "/api/video/webhook", "POST"),
        (Method::PUT, "/api/video/webhook/fal/x", "POST"),
    ] {
        let answer = code.request(method, path).send().await.unwrap();
        assert!(header(&answer, "allow").contains(allowed), "{path}: {:?}", answer.headers());
        problem(answer, 405, "method_not_allowed").await;
    }
    for query in ["limit=0", "limit=x", "cursor=%20", "status=odd", "productId=1", "page=2", "limit=1&limit=2"] {
        let answer = code.get(&format!("/api/admin/video-generation?{query}")).send().await.unwrap();
        problem(answer, 422, "invalid").await;
    }
}

#[tokio::test]
async fn a_problem_is_told_in_the_language_that_is_asked_for() {
    let (code, _) = common().await;
    for (language, is_korean) in [("ko-KR,ko;q=0.9", true), ("en", false), ("fr", false)] {
        let request = code.post(GENERATE, &json!({})).header("accept-language", language);
        let answer = request.send().await.unwrap();
        assert!(header(&answer, "vary").contains("accept-language"));
        let told = problem(answer, 422, "invalid").await;
        for text in [&told["title"], &told["detail"], &told["errors"][0]["detail"]] {
            assert_eq!(!text.as_str().unwrap().is_ascii(), is_korean, "{language}: {text}");
        }
    }
}

#[tokio::test]
async fn the_reference_is_served_with_the_description_it_is_made_from() {
    let visitor = shared().await.visitor();
    let answer = visitor.get("/api/openapi.json").send().await.unwrap();
    assert_eq!(header(&answer, "content-type"), "application/json");
    let served: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json")).unwrap();
    assert_eq!(served, serde_json::from_str::<Value>(&kept).unwrap());
    let page = visitor.page("/api/docs").await;
    for word in ["/api/video/generate", "idempotency_key_reused", "GenerateVideo"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(!page.contains("<script"), "it needs none");
}
