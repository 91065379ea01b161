//! A video that was taken down: for nobody but the desk and who has an address that was signed.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Code, json as read};
use crate::{browser::header, house::House};

/// Every process has seen it by then.
const PATIENCE: Duration = Duration::from_secs(15);

async fn status(url: &str) -> StatusCode {
    reqwest::get(url).await.unwrap().status()
}

async fn until_it_answers(url: &str, expected: StatusCode) {
    let begun = Instant::now();
    while status(url).await != expected {
        assert!(begun.elapsed() < PATIENCE, "{url} is not answered {expected}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn addresses(urls: &Value) -> Vec<String> {
    urls.as_object().unwrap().values().map(|url| url.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_video_that_was_taken_down_plays_from_signed_addresses_only() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("private").await;
    let code = Code::of(&house).await;
    let image = code.upload(product.id).await;
    let job = code.generate(&image, json!({"duration": 3, "enableHLS": true, "format": "webm"})).await;
    let result = code.ended(&job).await["result"].clone();
    let stream = format!("/api/video/{}/stream", result["videoId"].as_str().unwrap());
    let act = async |action: &str| {
        let path = format!("/api/admin/video-generation/{job}/{action}");
        read(code.post(&path, &json!({})).send().await.unwrap(), 200).await
    };
    let public = addresses(&result["urls"]);
    assert_eq!(public.len(), 4, "{result}");
    assert!(code.read(&stream).await["expiresAt"].is_null(), "an address for everybody has no end");
    for url in &public {
        assert_eq!(status(url).await, 200, "{url}");
    }
    act("unpublish").await;
    for url in &public {
        until_it_answers(url, StatusCode::NOT_FOUND).await;
    }
    for format in ["mp4", "webm", "hls"] {
        let signed = code.read(&format!("{stream}?format={format}")).await;
        let url = signed["url"].as_str().unwrap();
        assert!(url.starts_with(&format!("{}/media/signed/", house.url)), "{signed}");
        let end: DateTime<Utc> = signed["expiresAt"].as_str().unwrap().parse().unwrap();
        assert!((6..=7).contains(&((end - Utc::now()).num_minutes() / 60)), "{signed}");
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!((answer.status(), header(&answer, "access-control-allow-origin")), (StatusCode::OK, "*"), "{url}");
        assert_eq!(header(&answer, "cache-control"), "private, max-age=3600");
        if format == "hls" {
            every_part_plays(url, &answer.text().await.unwrap()).await;
        }
        let forged = url.replacen("/media/signed/", "/media/signed/1", 1);
        assert_eq!(status(&forged).await, 404, "the end is part of what was signed");
    }
    let told = code.read(&format!("/api/video/status/{job}")).await;
    for url in addresses(&told["result"]["urls"]) {
        assert!(url.contains("/media/signed/"), "{told}");
        assert_eq!(status(&url).await, 200, "{url}");
    }
    act("publish").await;
    for url in &public {
        until_it_answers(url, StatusCode::OK).await;
    }
    assert!(code.read(&stream).await["expiresAt"].is_null());
}

#[tokio::test]
async fn what_was_seen_to_be_shown_goes_on_playing_while_the_database_is_away() {
    let house = House::build(&[]).await;
    let product = house.ground.add_product("away").await;
    let code = Code::of(&house).await;
    let mut urls = Vec::new();
    for _ in 0..2 {
        let image = code.upload(product.id).await;
        let job = code.generate(&image, json!({"duration": 3})).await;
        urls.push(code.ended(&job).await["result"]["urls"]["mp4"].as_str().unwrap().to_owned());
    }
    let (seen, unseen) = (&urls[0], &urls[1]);
    assert_eq!(status(seen).await, 200);
    house.ground.database.set_open(false).await;
    // Longer than it is believed without asking.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(7) {
        assert_eq!(status(seen).await, 200, "after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(status(unseen).await, 503, "whether this one is shown nobody knows");
    house.ground.database.set_open(true).await;
    until_it_answers(unseen, StatusCode::OK).await;
}

/// What a playlist names, and what that names, is found beside it.
async fn every_part_plays(url: &str, playlist: &str) {
    let mut lists = vec![(url.to_owned(), playlist.to_owned())];
    let mut parts = 0;
    while let Some((url, text)) = lists.pop() {
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let part = reqwest::Url::parse(&url).unwrap().join(line).unwrap().to_string();
            let answer = reqwest::get(&part).await.unwrap();
            assert_eq!(answer.status(), 200, "{part}");
            if line.ends_with(".m3u8") {
                lists.push((part, answer.text().await.unwrap()));
            } else {
                parts += 1;
            }
        }
    }
    assert!(parts > 0, "no playlist names a part");
}
