//! Every model of fal's that answers here: what it gives, in which size and
//! at which price.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;
use std::process::Command;

use image::RgbImage;
use serde_json::{Value, json};
use simulator::Settings;
use support::{Desk, data_uri, product_photo};

struct Clip {
    endpoint: &'static str,
    /// Beside the pictures.
    input: Value,
    size: [u32; 2],
    fps: u32,
    frames: u32,
    units: &'static str,
    micro_usd: i64,
    has_sound: bool,
}

fn clips() -> Vec<Clip> {
    let usual = |endpoint, input, size, frames, units, micro_usd| Clip {
        endpoint,
        input,
        size,
        fps: 24,
        frames,
        units,
        micro_usd,
        has_sound: false,
    };
    vec![
        usual("fal-ai/pika/v2.2/image-to-video", json!({"prompt": "p", "duration": 5}), [720, 960], 120, "5", 200_000),
        Clip {
            has_sound: true,
            ..usual(
                "fal-ai/veo3.1/fast/first-last-frame-to-video",
                json!({"prompt": "p", "duration": "4s"}),
                [720, 1280],
                96,
                "4",
                600_000,
            )
        },
        usual(
            "fal-ai/kling-video/v3/standard/image-to-video",
            json!({"prompt": "p", "duration": "3", "generate_audio": false}),
            [720, 960],
            72,
            "3",
            252_000,
        ),
        Clip {
            fps: 24,
            ..usual(
                "fal-ai/wan-flf2v",
                json!({"prompt": "p", "resolution": "480p", "frames_per_second": 24, "num_frames": 82}),
                [480, 640],
                82,
                "0.625",
                250_000,
            )
        },
        Clip {
            fps: 10,
            ..usual("fal-ai/stable-video", json!({"fps": 10, "motion_bucket_id": 80}), [576, 768], 25, "1", 75_000)
        },
    ]
}

/// Every name a picture goes by, so that one input fits all.
fn with_pictures(input: &Value, first: &str, last: &str) -> Value {
    let mut input = input.clone();
    for field in ["image_url", "first_frame_url", "start_image_url", "model_image", "human_image_url"] {
        input[field] = json!(first);
    }
    for field in ["last_frame_url", "end_image_url", "garment_image", "garment_image_url"] {
        input[field] = json!(last);
    }
    input["image_urls"] = json!([first, last]);
    input
}

fn probe(clip: &Path) -> Value {
    let done = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-of", "json", "-show_entries"])
        .arg("stream=codec_type,width,height,r_frame_rate,nb_read_frames")
        .arg(clip)
        .output()
        .unwrap();
    serde_json::from_slice(&done.stdout).unwrap()
}

#[tokio::test]
async fn every_clip_model_gives_a_clip_as_asked_for_at_its_price() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let photo = product_photo();
    let first = desk.upload(&desk.still(&photo, "A woman wears this top, pose A.").await).await;
    let last = desk.upload(&desk.still(&photo, "A woman wears this top, pose B.").await).await;
    for clip in clips() {
        let before = desk.total().await;
        let accepted = desk.submit_to(clip.endpoint, &with_pictures(&clip.input, &first, &last)).await;
        desk.finish(&accepted).await;
        let result = desk.result(&accepted).await;
        assert_eq!(result.headers()["x-fal-billable-units"], clip.units, "{}", clip.endpoint);
        let body: Value = result.json().await.unwrap();
        assert_eq!(desk.total().await - before, clip.micro_usd, "{}", clip.endpoint);
        let file = state.path().join("clip.mp4");
        std::fs::write(&file, desk.download(&body["video"]["url"]).await).unwrap();
        let streams = probe(&file);
        assert_eq!(
            streams["streams"][0],
            json!({
                "codec_type": "video", "width": clip.size[0], "height": clip.size[1],
                "r_frame_rate": format!("{}/1", clip.fps), "nb_read_frames": clip.frames.to_string(),
            }),
            "{}",
            clip.endpoint
        );
        assert_eq!(streams["streams"][1]["codec_type"] == "audio", clip.has_sound, "{}", clip.endpoint);
    }
    desk.simulator.stop().await;
}

fn decode(bytes: &[u8]) -> RgbImage {
    image::load_from_memory(bytes).unwrap().to_rgb8()
}

#[tokio::test]
async fn every_picture_model_gives_pictures_in_the_size_and_format_asked_for() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let photo = product_photo();
    let person = data_uri(&desk.still(&photo, "A woman wears this top, pose A.").await);
    let garment = data_uri(&photo);
    let nano = json!({"prompt": "A woman wears this, pose B", "output_format": "webp", "aspect_ratio": "9:16"});
    let edits = [
        ("fal-ai/nano-banana/edit", 39_800),
        ("fal-ai/nano-banana-pro/edit", 150_000),
        ("fal-ai/nano-banana-2/edit", 80_000),
        ("google/nano-banana-2.1/edit", 39_529),
    ];
    for (endpoint, micro_usd) in edits {
        let before = desk.total().await;
        let mut input = nano.clone();
        input["image_urls"] = json!([garment]);
        let body = desk.make(endpoint, &input).await;
        assert_eq!(desk.total().await - before, micro_usd, "{endpoint}");
        assert!(body["description"].is_string());
        let image = &body["images"][0];
        assert_eq!((&image["width"], &image["height"]), (&json!(768), &json!(1344)));
        assert_eq!(
            (image["content_type"].as_str(), image["file_name"].as_str()),
            (Some("image/webp"), Some("output.webp"))
        );
        let bytes = desk.download(&image["url"]).await;
        assert_eq!(image["file_size"], bytes.len());
        assert_eq!(decode(&bytes).dimensions(), (768, 1344));
    }
    let fashn = desk.make("fal-ai/fashn/tryon/v1.6", &json!({"model_image": person, "garment_image": garment})).await;
    let tried = desk.download(&fashn["images"][0]["url"]).await;
    assert_eq!(decode(&tried).dimensions(), (864, 1296));
    assert!(fashn["images"][0].get("width").is_none(), "it gives files, not images");
    let kolors = json!({"human_image_url": person, "garment_image_url": garment, "sync_mode": true});
    let kolors = desk.make("fal-ai/kling/v1-5/kolors-virtual-try-on", &kolors).await;
    let inline = kolors["image"]["url"].as_str().unwrap().strip_prefix("data:image/png;base64,").unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, inline).unwrap();
    assert_eq!(decode(&bytes).dimensions(), (864, 1152));
    desk.simulator.stop().await;
}

#[tokio::test]
async fn the_same_seed_and_input_give_the_same_bytes_and_another_seed_others() {
    let mut made = Vec::new();
    for _ in 0..2 {
        let state = tempfile::tempdir().unwrap();
        let stands_at = Some("2026-11-26T09:00:00Z".parse().unwrap());
        let settings = Settings { state_dir: state.path().to_owned(), stands_at, ..Settings::default() };
        let desk = Desk::open_with(settings).await;
        let garment = data_uri(&product_photo());
        let mut files = Vec::new();
        for seed in [7, 8] {
            let input = json!({"prompt": "worn", "image_urls": [garment], "seed": seed});
            let body = desk.make("fal-ai/nano-banana/edit", &input).await;
            files.push(desk.download(&body["images"][0]["url"]).await);
        }
        let clip = json!({"image_url": data_uri(&files[0]), "seed": 7});
        let accepted = desk.submit_to("fal-ai/stable-video", &clip).await;
        let id = accepted["request_id"].clone();
        desk.finish(&accepted).await;
        let body: Value = desk.result(&accepted).await.json().await.unwrap();
        assert_eq!(body["seed"], 7);
        files.push(desk.download(&body["video"]["url"]).await);
        assert_ne!(files[0], files[1]);
        made.push((id, files));
        desk.simulator.stop().await;
    }
    assert_eq!(made[0].0, made[1].0, "ids are drawn from the seed");
    assert!(made[0].1 == made[1].1, "the files differ");
}

#[tokio::test]
async fn a_direct_call_gives_the_result_itself_and_needs_a_free_place() {
    let state = tempfile::tempdir().unwrap();
    let settings = Settings { state_dir: state.path().to_owned(), concurrency: 1, ..Settings::default() };
    let desk = Desk::open_with(settings).await;
    let input = json!({"image_url": data_uri(&product_photo()), "fps": 25});
    let url = format!("{}/run/fal-ai/stable-video", desk.base);
    let answer = desk.client.post(&url).json(&input).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-fal-billable-units"], "1");
    assert!(answer.json::<Value>().await.unwrap()["video"]["url"].is_string());

    desk.faults(json!([{"model": "fal-ai/stable-video", "fault": "delay_ms", "ms": 60_000, "step": "run"}])).await;
    let holder = desk.submit_to("fal-ai/stable-video", &input).await;
    desk.reach_state(&holder, "IN_PROGRESS").await;
    let busy = desk.client.post(&url).json(&input).send().await.unwrap();
    assert_eq!(busy.status(), 429);
    assert_eq!(busy.headers()["x-fal-needs-retry"], "1");
    assert_eq!(busy.json::<Value>().await.unwrap()["error_type"], "concurrent_requests_limit");
    assert_eq!(desk.total().await, 150_000);
    desk.simulator.clock().advance(std::time::Duration::from_secs(60));
    desk.finish(&holder).await;
    let wrong = desk.client.post(&url).json(&json!({"fps": 4})).send().await.unwrap();
    assert_eq!(wrong.status(), 422);
    assert_eq!(wrong.headers()["x-fal-retryable"], "false");
    assert_eq!(wrong.json::<Value>().await.unwrap()["detail"].as_array().unwrap().len(), 2);
    desk.simulator.stop().await;
}
