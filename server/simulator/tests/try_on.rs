//! Try-on pictures, measured: the garment is there, the person is still the
//! same one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use image::{Rgb, RgbImage, imageops};
use serde_json::json;
use support::{Desk, GARMENT, data_uri, product_photo};

fn decode(bytes: &[u8]) -> RgbImage {
    image::load_from_memory(bytes).unwrap().to_rgb8()
}

fn encode(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The product in another colour.
fn dyed(photo: &[u8], colour: [u8; 3]) -> Vec<u8> {
    let mut picture = decode(photo);
    for pixel in picture.pixels_mut() {
        let is_cloth = pixel.0.iter().zip(GARMENT).all(|(have, want)| have.abs_diff(want) < 30);
        if is_cloth {
            *pixel = Rgb(colour);
        }
    }
    encode(&picture)
}

/// Which share of a region has a colour.
fn share(picture: &RgbImage, rows: std::ops::Range<f32>, colour: [u8; 3]) -> f32 {
    let (width, height) = picture.dimensions();
    let row = |share: f32| (share * height as f32) as u32;
    let (from, to) = (row(rows.start), row(rows.end));
    let count = (from..to)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .filter(|(x, y)| picture.get_pixel(*x, *y).0.iter().zip(colour).all(|(have, want)| have.abs_diff(want) < 14))
        .count();
    count as f32 / (width * (to - from)) as f32
}

fn difference(one: &RgbImage, other: &RgbImage, rows: std::ops::Range<f32>) -> f32 {
    let (width, height) = one.dimensions();
    let (from, to) = ((rows.start * height as f32) as u32, (rows.end * height as f32) as u32);
    let cut = |picture: &RgbImage| imageops::crop_imm(picture, 0, from, width, to - from).to_image();
    let (one, other) = (cut(one), cut(other));
    let sum: u64 = one.as_raw().iter().zip(other.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f32 / one.as_raw().len() as f32
}

const RED: [u8; 3] = [176, 42, 58];

#[tokio::test]
async fn our_own_figure_keeps_its_pose_and_studio_and_changes_its_clothes() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let photo = product_photo();
    let person = desk.still(&photo, "A woman wears this top, pose B.").await;
    let ask = json!({"human_image_url": data_uri(&person), "garment_image_url": data_uri(&dyed(&photo, RED))});
    let body = desk.make("fal-ai/kling/v1-5/kolors-virtual-try-on", &ask).await;
    let tried = decode(&desk.download(&body["image"]["url"]).await);
    let before = decode(&person);
    assert_eq!(tried.dimensions(), before.dimensions());
    assert!(difference(&before, &tried, 0.0..0.2) < 1.0, "another head");
    assert!(share(&tried, 0.3..0.8, RED) > 0.15);
    assert!(share(&tried, 0.0..1.0, GARMENT) < 0.01, "the old top is gone");
    // It is a still of ours again: a clip out of it moves the figure.
    let clip = json!({"image_url": body["image"]["url"], "fps": 25});
    desk.make("fal-ai/stable-video", &clip).await;
    desk.simulator.stop().await;
}

#[tokio::test]
async fn anybody_else_is_dressed_as_they_stand() {
    let state = tempfile::tempdir().unwrap();
    let desk = Desk::open(state.path()).await;
    let photo = product_photo();
    // A mirrored still is nobody we know.
    let still = decode(&desk.still(&photo, "A woman wears this top, pose A.").await);
    let stranger = imageops::flip_horizontal(&imageops::resize(&still, 864, 1152, imageops::FilterType::Triangle));
    let ask = json!({
        "human_image_url": data_uri(&encode(&stranger)), "garment_image_url": data_uri(&dyed(&photo, RED)),
    });
    let body = desk.make("fal-ai/kling/v1-5/kolors-virtual-try-on", &ask).await;
    let tried = decode(&desk.download(&body["image"]["url"]).await);
    assert_eq!(tried.dimensions(), stranger.dimensions());
    assert!(difference(&stranger, &tried, 0.0..0.14) < 0.5, "the head is not touched");
    let (old, new) = (share(&tried, 0.2..0.8, GARMENT), share(&tried, 0.2..0.8, RED));
    assert!(new > 0.2 && old < 0.35 * new, "{new} new, {old} old");
    desk.simulator.stop().await;
}
