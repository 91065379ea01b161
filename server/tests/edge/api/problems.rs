//! Bad input: a problem document each time, never a fault, never half a generation.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{common, problem};
use crate::{browser::header, house::shared};

const GENERATE: &str = "/api/video/generate";

fn fields(told: &Value) -> Vec<(&str, &str)> {
    let errors = told["errors"].as_array().unwrap();
    errors.iter().map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let (code, product) = common().await;
    let id = Uuid::now_v7().to_string();
    let before = shared().await.ground.database.number("select count(*) from generations").await;
    for (body, expected) in [
        (json!({}), vec![("tryonImageId", "missing")]),
        (json!({"tryonImageId": 4}), vec![("tryonImageId", "wrong_type")]),
        (json!({"tryonImageId": "x"}), vec![("tryonImageId", "invalid_value")]),
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
    let bounds =
        [(json!(3), 404), (json!(5), 404), (json!(4.0), 404), (json!(2), 422), (json!(-1), 422), (json!(1e30), 422)];
    for (duration, status) in bounds {
        let body = json!({"tryonImageId": id, "settings": {"duration": duration}});
        assert_eq!(code.post(GENERATE, &body).send().await.unwrap().status(), status, "{body}");
    }
    let after =
        shared().await.ground.database.number("select count(*) from generations where tryon_image_id is not null");
    assert_eq!(after.await, 0, "{before} before: none is half made");
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
    problem(code.post(GENERATE, &body).send().await.unwrap(), 404, "not_found").await;
    let body = json!({"productId": nobody});
    problem(code.post("/api/admin/video-generation", &body).send().await.unwrap(), 404, "not_found").await;
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
