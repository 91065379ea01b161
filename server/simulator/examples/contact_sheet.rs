//! Every photo of a folder worn in both poses, side by side on one sheet, to be
//! judged by eye: `cargo run -p simulator --example contact_sheet -- FOLDER SHEET.png [TRY_ON_PERSON.jpg]`.
//! With a picture of a person the garments are tried on by them instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{RgbImage, imageops};
use serde_json::{Value, json};
use simulator::{Settings, Simulator};

const WIDTH: u32 = 432;
const HEIGHT: u32 = 576;
const COLUMNS: u32 = 6;

#[tokio::main]
async fn main() {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, sheet] = [0, 1].map(|place| arguments.get(place).expect("FOLDER SHEET.png").clone());
    let state = tempfile::tempdir().unwrap();
    let settings = Settings { state_dir: state.path().to_owned(), ..Settings::default() };
    let simulator = Simulator::start(settings).await.unwrap();
    let mut photos: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    photos.retain(|path| path.extension().is_some_and(|kind| kind == "jpg") && !name_of(path).ends_with("-detail"));
    photos.sort();
    let mut pictures = Vec::new();
    for photo in &photos {
        let words = name_of(photo).replace('-', " ");
        let bytes = std::fs::read(photo).unwrap();
        match arguments.get(2) {
            Some(person) => pictures.push(try_on(&simulator, &std::fs::read(person).unwrap(), &bytes).await),
            None => {
                for pose in ["A", "B"] {
                    pictures
                        .push(still(&simulator, &bytes, &format!("A woman wears this {words}. Pose {pose}.")).await);
                }
            }
        }
    }
    let rows = (pictures.len() as u32).div_ceil(COLUMNS);
    let mut whole = RgbImage::new(WIDTH * COLUMNS, HEIGHT * rows);
    for (place, picture) in (0_u32..).zip(&pictures) {
        let small = imageops::resize(picture, WIDTH, HEIGHT, imageops::FilterType::Triangle);
        let (x, y) = (place % COLUMNS * WIDTH, place / COLUMNS * HEIGHT);
        imageops::replace(&mut whole, &small, i64::from(x), i64::from(y));
    }
    whole.save(&sheet).unwrap();
    println!("{} pictures on {}", pictures.len(), sheet.display());
    simulator.stop().await;
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

async fn still(simulator: &Simulator, photo: &[u8], words: &str) -> RgbImage {
    let url = simulator.url().join("v1/models/gemini-nano-banana-2.1:generateContent").unwrap();
    let ask = json!({"contents": [{"parts": [
        {"text": words}, {"inlineData": {"mimeType": "image/jpeg", "data": STANDARD.encode(photo)}},
    ]}]});
    let answer: Value = reqwest::Client::new().post(url).json(&ask).send().await.unwrap().json().await.unwrap();
    let data = answer["candidates"][0]["content"]["parts"][1]["inlineData"]["data"].as_str().unwrap();
    image::load_from_memory(&STANDARD.decode(data).unwrap()).unwrap().to_rgb8()
}

async fn try_on(simulator: &Simulator, person: &[u8], garment: &[u8]) -> RgbImage {
    let uri = |bytes: &[u8]| format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes));
    let ask = json!({"model_image": uri(person), "garment_image": uri(garment), "sync_mode": true});
    let url = simulator.url().join("run/fal-ai/fashn/tryon/v1.6").unwrap();
    let answer: Value = reqwest::Client::new().post(url).json(&ask).send().await.unwrap().json().await.unwrap();
    let data = answer["images"][0]["url"].as_str().unwrap().split_once(',').unwrap().1.to_owned();
    image::load_from_memory(&STANDARD.decode(data).unwrap()).unwrap().to_rgb8()
}
