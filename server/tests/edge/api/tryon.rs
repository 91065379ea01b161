//! A try-on image becomes a video, in the words of the plan.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Code, common, form, is_under_way, json as read, problem};
use crate::{
    browser::header,
    house::{House, entries_of, photo, shared},
};

#[tokio::test]
async fn an_uploaded_picture_becomes_a_video_and_only_the_clip_is_bought() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("tryon").await;
    let code = Code::of(&house).await;
    let image = code.upload(product.id).await;
    let settings = json!({"duration": 3, "format": "webm", "enableHLS": true});
    let body = json!({"tryonImageId": image, "settings": settings});
    let answer = code.post("/api/video/generate", &body).send().await.unwrap();
    let location = header(&answer, "location").to_owned();
    let job = read(answer, 202).await["jobId"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/api/video/status/{job}"));
    let first = code.read(&location).await;
    assert_eq!(first["jobId"], job);
    assert!(first["progress"].as_u64().is_some_and(|percent| (33..=100).contains(&percent)), "{first}");
    let status = code.ended(&job).await;
    assert_eq!((&status["status"], &status["progress"]), (&json!("completed"), &json!(100)), "{status}");
    let urls = &status["result"]["urls"];
    for (name, kind) in [("mp4", "video/mp4"), ("webm", "video/webm"), ("hls", "mpegurl"), ("thumbnail", "image/jpeg")]
    {
        let url = urls[name].as_str().unwrap();
        assert!(url.starts_with(&house.url), "{name} is a whole address: {url}");
        let answer = reqwest::get(url).await.unwrap();
        assert!(header(&answer, "content-type").contains(kind), "{name}: {:?}", answer.headers());
        assert_eq!(answer.status(), 200, "{name}");
    }
    let video = status["result"]["videoId"].as_str().unwrap();
    let whole = code.read(&format!("/api/video/{video}")).await;
    assert_eq!((&whole["jobId"], &whole["productId"]), (&json!(job), &json!(product.id.to_string())), "{whole}");
    assert_eq!((&whole["isPublished"], &whole["urls"]), (&json!(true), urls), "{whole}");
    assert!(whole["durationMs"].as_u64().is_some_and(|ms| ms.abs_diff(3_000) < 100), "{whole}");
    for (query, accept, protocol, address) in [
        ("", "*/*", "progressive", "mp4"),
        ("", "application/vnd.apple.mpegurl", "hls", "hls"),
        ("?format=webm", "*/*", "progressive", "webm"),
    ] {
        let answer =
            code.get(&format!("/api/video/{video}/stream{query}")).header("accept", accept).send().await.unwrap();
        let stream = read(answer, 200).await;
        assert_eq!((&stream["protocol"], &stream["url"]), (&json!(protocol), &urls[address]), "{stream}");
    }
    let invoice = house.invoice().await;
    assert_eq!((entries_of(&invoice, "fal"), entries_of(&invoice, "gemini")), (1, 0), "{invoice}");
    let paid = house.ground.database.paid().await;
    assert_eq!((paid, house.ground.database.open_holds().await), (invoice["total_micro_usd"].as_i64().unwrap(), 0));
    assert_eq!(whole["costMicroUsd"], paid);
    let page = house.admin().await.page(&format!("/admin/generations/{job}")).await;
    assert!(page.contains("/stills/"), "the desk shows the picture it was made from");
    let seen = house.visitor().page(&format!("/products/{}", product.slug)).await;
    assert!(seen.contains(video), "shoppers see it");
}

#[tokio::test]
async fn bytes_decide_whether_a_picture_is_one() {
    let (code, product) = common().await;
    let product = product.to_string();
    for (image, what) in [(&b""[..], "nothing"), (b"<svg/>", "a drawing"), (&photo()[..40], "a torn picture")] {
        let told = problem(code.upload_form(&form(&product, image)).send().await.unwrap(), 422, "invalid").await;
        assert_eq!(told["errors"][0]["field"], "image", "{what}: {told}");
    }
    let nobody = form(&Uuid::now_v7().to_string(), &photo());
    problem(code.upload_form(&nobody).send().await.unwrap(), 404, "not_found").await;
    let told = problem(code.upload_form(&form("x", &photo())).send().await.unwrap(), 422, "invalid").await;
    assert_eq!(told["errors"][0]["field"], "productId", "{told}");
    let answer = code.post("/api/video/tryon-images", &json!({})).send().await.unwrap();
    problem(answer, 415, "unsupported_media_type").await;
    let large = form(&product, &vec![0; 21_000_000]);
    problem(code.upload_form(&large).send().await.unwrap(), 413, "too_large").await;
    let odd = code
        .request(Method::POST, "/api/video/tryon-images")
        .header("content-type", "multipart/form-data; boundary=edge");
    let odd = odd.body("--edge\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nx\r\n--edge--\r\n");
    let told = problem(odd.send().await.unwrap(), 422, "invalid").await;
    let fields: Vec<&Value> = told["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["file", "productId", "image"], "{told}");
}

#[tokio::test]
async fn a_failure_and_a_stop_say_why_and_can_be_retried_with_the_same_picture() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("stop").await;
    let code = Code::of(&house).await;
    house.set_faults(&json!([{"model": "fal-ai/", "fault": "moderation", "times": 9}])).await;
    let image = code.upload(product.id).await;
    let job = code.generate(&image, json!({"duration": 3})).await;
    let status = code.ended(&job).await;
    assert_eq!((&status["status"], &status["errorCode"]), (&json!("failed"), &json!("content_refused")), "{status}");
    assert!(status["error"].as_str().is_some_and(|text| text.ends_with('.') && text.is_ascii()), "{status}");
    let korean = code.get(&format!("/api/video/status/{job}")).header("accept-language", "ko").send().await.unwrap();
    let korean = read(korean, 200).await;
    assert!(korean["error"].as_str().is_some_and(|text| !text.is_ascii()), "{korean}");
    house.set_faults(&json!([])).await;
    let path = format!("/api/admin/video-generation/{job}");
    let cheap = code.post(&format!("{path}/retry"), &json!({"maxCostMicroUsd": 1})).send().await.unwrap();
    problem(cheap, 409, "price_changed").await;
    let retry = read(code.post(&format!("{path}/retry"), &json!({})).send().await.unwrap(), 202).await;
    assert!(retry["retryOf"] == job.as_str() && is_under_way(&retry), "{retry}");
    let again = code.ended(retry["jobId"].as_str().unwrap()).await;
    assert_eq!(again["status"], "completed", "{again}");
    // Its retry stands: whoever asks once more is led to it.
    let once_more = read(code.post(&format!("{path}/retry"), &json!({})).send().await.unwrap(), 202).await;
    assert_eq!(once_more["jobId"], retry["jobId"], "{once_more}");
    assert_eq!(entries_of(&house.invoice().await, "gemini"), 0, "the picture was taken over");
    problem(code.post(&format!("{path}/cancel"), &json!({})).send().await.unwrap(), 409, "conflict").await;
}

#[tokio::test]
async fn a_picture_is_removed_when_somebody_asks_for_it() {
    let (code, product) = common().await;
    let image = code.upload(product).await;
    let path = format!("/api/video/tryon-images/{image}");
    let reader = Code::with(shared().await, &["video:read"]).await;
    problem(reader.request(Method::DELETE, &path).send().await.unwrap(), 403, "scope_missing").await;
    let database = &shared().await.ground.database;
    let key: String = sqlx::query_scalar("select object_key from tryon_images where id = $1")
        .bind(image.parse::<Uuid>().unwrap())
        .fetch_one(&mut database.connect().await)
        .await
        .unwrap();
    let key = storage::Key::parse(&key).unwrap();
    let objects = shared().await.ground.objects().await;
    assert!(objects.head(&key).await.unwrap().is_some());
    assert_eq!(code.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert!(objects.head(&key).await.unwrap().is_none(), "it is nowhere any more");
    problem(code.request(Method::DELETE, &path).send().await.unwrap(), 404, "not_found").await;
    let body = json!({"tryonImageId": image});
    problem(code.post("/api/video/generate", &body).send().await.unwrap(), 404, "not_found").await;
    problem(code.get(&path).send().await.unwrap(), 405, "method_not_allowed").await;
}
