//! What the stills and clips look like, measured.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;
use std::process::Command;

use image::RgbImage;
use serde_json::{Value, json};
use support::{Desk, GARMENT, data_uri, product_photo};

fn decode(bytes: &[u8]) -> RgbImage {
    image::load_from_memory(bytes).unwrap().to_rgb8()
}

/// How many pixels are within `distance` of the garment's colour, per channel.
fn garment_pixels(picture: &RgbImage, distance: u8) -> usize {
    let is_near =
        |pixel: &&image::Rgb<u8>| pixel.0.iter().zip(GARMENT).all(|(have, want)| have.abs_diff(want) <= distance);
    picture.pixels().filter(is_near).count()
}

/// Mean difference per channel of two pictures, the second sized to the first.
fn difference(one: &RgbImage, other: &RgbImage) -> f64 {
    let (width, height) = one.dimensions();
    let other = image::imageops::resize(other, width, height, image::imageops::FilterType::Triangle);
    let sum: u64 = one.as_raw().iter().zip(other.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.as_raw().len() as f64
}

fn frame(clip: &Path, which: &[&str], target: &Path) -> RgbImage {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(which)
        .arg("-i")
        .arg(clip)
        .args(["-update", "1", "-q:v", "1"])
        .args(if which.is_empty() { ["-frames:v", "1"] } else { ["-f", "image2"] })
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success());
    decode(&std::fs::read(target).unwrap())
}

#[tokio::test]
async fn a_still_keeps_the_garment_and_the_clip_moves_between_the_stills() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let photo = product_photo();
    let bytes_a = desk.still(&photo, "A woman wears this top, pose A.").await;
    let bytes_b = desk.still(&photo, "A woman wears this top, pose B.").await;
    let (a, b) = (decode(&bytes_a), decode(&bytes_b));
    assert_eq!(a.dimensions(), (864, 1152));
    for still in [&a, &b] {
        let share = garment_pixels(still, 4) as f64 / f64::from(still.width() * still.height());
        assert!((0.08..0.5).contains(&share), "{share} of the still has the garment's colour");
    }
    let apart = difference(&a, &b);
    assert!(apart > 4.0, "the poses differ by {apart} only");
    assert_eq!(bytes_a, desk.still(&photo, "A woman wears this top, pose A.").await);

    let input = json!({
        "image_urls": [data_uri(&bytes_a), data_uri(&bytes_b)],
        "transitions": [{"duration": 2}], "resolution": "720p",
    });
    let accepted = desk.submit(&input).await;
    desk.finish(&accepted).await;
    let result: Value = desk.result(&accepted).await.json().await.unwrap();
    let url = result["video"]["url"].as_str().unwrap();
    let clip = state.path().join("clip.mp4");
    std::fs::write(&clip, desk.client.get(url).send().await.unwrap().bytes().await.unwrap()).unwrap();
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-of", "json", "-show_entries"])
        .arg("stream=codec_name,width,height,r_frame_rate,pix_fmt,nb_read_frames,duration")
        .arg(&clip)
        .output()
        .unwrap();
    let probe: Value = serde_json::from_slice(&probe.stdout).unwrap();
    assert_eq!(
        probe["streams"][0],
        json!({
            "codec_name": "h264", "width": 720, "height": 960, "pix_fmt": "yuv420p",
            "r_frame_rate": "24/1", "nb_read_frames": "48", "duration": "2.000000",
        })
    );
    let first = frame(&clip, &[], &state.path().join("first.png"));
    let last = frame(&clip, &["-sseof", "-0.1"], &state.path().join("last.png"));
    for (shown, still, other) in [(&first, &a, &b), (&last, &b, &a)] {
        let (near, far) = (difference(shown, still), difference(shown, other));
        assert!(near < 2.5 && near * 2.0 < far, "{near} to its still, {far} to the other");
    }
    desk.simulator.stop().await;
}

/// Whoever keeps a still may encode it again: the clip must move all the same, not fade.
#[tokio::test]
async fn stills_that_were_encoded_again_are_recognised() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let photo = product_photo();
    let mut middles = Vec::new();
    for quality in [None, Some(70)] {
        let mut urls = Vec::new();
        for pose in ["A", "B"] {
            let bytes = desk.still(&photo, &format!("A woman wears this top, pose {pose}.")).await;
            urls.push(data_uri(&quality.map_or(bytes.clone(), |quality| encode_again(&bytes, quality))));
        }
        let input = json!({"image_urls": urls, "transitions": [{"duration": 1}], "resolution": "720p"});
        let accepted = desk.submit(&input).await;
        desk.finish(&accepted).await;
        let result: Value = desk.result(&accepted).await.json().await.unwrap();
        let url = result["video"]["url"].as_str().unwrap();
        let clip = state.path().join("again.mp4");
        std::fs::write(&clip, desk.client.get(url).send().await.unwrap().bytes().await.unwrap()).unwrap();
        middles.push(frame(&clip, &["-ss", "0.5"], &state.path().join("middle.png")));
    }
    let apart = difference(&middles[0], &middles[1]);
    assert!(apart < 0.5, "the middle frames differ by {apart}");
    desk.simulator.stop().await;
}

fn encode_again(bytes: &[u8], quality: u8) -> Vec<u8> {
    let mut again = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut again, quality);
    decode(bytes).write_with_encoder(encoder).unwrap();
    again
}

#[tokio::test]
async fn the_aspect_ratio_is_the_one_asked_for() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let mut ask = support::question("A man wears this top, start frame.", &product_photo());
    ask["generationConfig"]["imageConfig"] = json!({"aspectRatio": "9:16", "imageSize": "1K"});
    let answer = desk.ask_gemini("gemini-3-pro-image", &ask).await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    let data = answer["candidates"][0]["content"]["parts"][1]["inlineData"]["data"].as_str().unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap();
    assert_eq!(decode(&bytes).dimensions(), (768, 1344));
    desk.simulator.stop().await;
}
