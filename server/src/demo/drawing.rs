//! Drawings, `assets/catalogue/{slug}.svg`, as pixels: for the example that makes the photos and the tests that compare
//! them. The server itself draws nothing.

use std::path::Path;

use anyhow::Context as _;
use image::RgbImage;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::catalogue::Crop;

/// The crop of a product's drawing, `width` pixels across and 4/3 of that down. The same crop and width always give the
/// same pixels. At the size of a photo this takes seconds, many for a close-up.
///
/// # Errors
///
/// If the drawing is missing or is not an SVG.
pub fn draw(slug: &str, crop: Crop, width: u32) -> anyhow::Result<RgbImage> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/catalogue").join(format!("{slug}.svg"));
    let svg = std::fs::read(&path).with_context(|| format!("the drawing {} could not be read", path.display()))?;
    let tree = Tree::from_data(&svg, &Options::default())
        .with_context(|| format!("the drawing {} does not parse", path.display()))?;
    let height = width * 4 / 3;
    let mut canvas = Pixmap::new(width, height).with_context(|| format!("no canvas of {width} x {height} pixels"))?;
    let scale = width as f32 / f32::from(crop.width);
    let transform = Transform::from_scale(scale, scale).pre_translate(-f32::from(crop.x), -f32::from(crop.y));
    resvg::render(&tree, transform, &mut canvas.as_mut());
    // The backdrop is opaque, so the premultiplied colours are the colours.
    let pixels =
        canvas.data().as_chunks::<4>().0.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]).collect();
    RgbImage::from_raw(width, height, pixels).context("fewer pixels than the canvas has")
}
