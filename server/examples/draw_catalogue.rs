//! Draws the photos of the demo catalogue anew, as `assets/catalogue/README.md` describes.

#[path = "../src/demo/catalogue.rs"]
#[expect(dead_code, reason = "the server reads what this leaves out")]
mod catalogue;
#[path = "../src/demo/drawing.rs"]
mod drawing;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use self::catalogue::{Crop, products};
use self::drawing::draw;

/// Pixels across; 4/3 of that down.
const WIDTH: u32 = 1200;
/// The quality of a whole garment, if it fits.
const WHOLE_QUALITY: u8 = 88;
/// The quality of a close-up, whose grain is large enough to survive more, if it fits.
const DETAIL_QUALITY: u8 = 85;
/// Below this the blocks of the encoder show: a photo that still does not fit may be larger.
const LEAST_QUALITY: u8 = 60;
/// What a photo should fit into: grain is dear, and every photo is part of the binary.
const FIT_BYTES: usize = 170_000;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("usage: draw_catalogue <folder> [slug...]")?);
    let wanted: Vec<String> = std::env::args().skip(2).collect();
    std::fs::create_dir_all(&folder)?;
    for product in products()?.iter().filter(|product| wanted.is_empty() || wanted.contains(&product.slug)) {
        let slug = &product.slug;
        let views =
            [(slug.clone(), Crop::WHOLE, WHOLE_QUALITY), (format!("{slug}-detail"), product.detail, DETAIL_QUALITY)];
        for (name, crop, quality) in views {
            let bytes = encode(&draw(slug, crop, WIDTH)?, quality)?;
            let path = folder.join(name).with_extension("jpg");
            std::fs::write(&path, &bytes)?;
            writeln!(std::io::stdout(), "{} ({} bytes)", path.display(), bytes.len())?;
        }
    }
    Ok(())
}

/// The picture as JPEG: as good as fits, at most `best` and at least [`LEAST_QUALITY`].
fn encode(picture: &RgbImage, best: u8) -> anyhow::Result<Vec<u8>> {
    let (mut low, mut high) = (LEAST_QUALITY, best);
    let mut kept = encode_at(picture, low)?;
    while low < high {
        let middle = (low + high).div_ceil(2);
        let bytes = encode_at(picture, middle)?;
        if bytes.len() <= FIT_BYTES {
            (low, kept) = (middle, bytes);
        } else {
            high = middle - 1;
        }
    }
    Ok(kept)
}

fn encode_at(picture: &RgbImage, quality: u8) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture)?;
    Ok(bytes)
}
