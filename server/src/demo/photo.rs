//! Photos: a drawing, seen whole or close, as JPEG.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::DemoError;
use super::catalogue::{Crop, DemoProduct};
use super::drawings::find_drawing;

/// Pixels across.
const WIDTH: u32 = 1200;
/// Pixels down.
const HEIGHT: u32 = 1600;
/// High enough that stitches and grain survive.
const JPEG_QUALITY: u8 = 90;

/// How a product is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The whole garment on its backdrop.
    Whole,
    /// The close-up that the catalogue names.
    Detail,
}

/// An encoded photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub content_type: &'static str,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Draws a product as a photo of 1200 x 1600 pixels. The same product and view always give the same bytes.
///
/// Takes seconds of computing (a close-up about four times as long as the whole) and never waits: call it where
/// blocking is allowed, once per photo, and keep the result.
///
/// # Errors
///
/// [`DemoError`] if the product is not one of the catalogue or its drawing is broken.
pub fn draw_photo(product: &DemoProduct, view: View) -> Result<Photo, DemoError> {
    let crop = match view {
        View::Whole => Crop::WHOLE,
        View::Detail => product.detail,
    };
    let rgb = draw_pixels(&product.slug, crop, WIDTH)?;
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .encode(&rgb, WIDTH, HEIGHT, ExtendedColorType::Rgb8)
        .map_err(|source| DemoError::Encode { slug: product.slug.clone(), source })?;
    Ok(Photo { bytes, content_type: "image/jpeg", width: WIDTH, height: HEIGHT })
}

/// The crop of a drawing as rows of RGB, `width` pixels across and 4/3 of that down.
pub(super) fn draw_pixels(slug: &str, crop: Crop, width: u32) -> Result<Vec<u8>, DemoError> {
    let svg = find_drawing(slug).ok_or_else(|| DemoError::NoDrawing(slug.to_owned()))?;
    let tree = Tree::from_str(svg, &Options::default())
        .map_err(|source| DemoError::Drawing { slug: slug.to_owned(), source })?;
    let height = width * HEIGHT / WIDTH;
    let mut canvas = Pixmap::new(width, height).ok_or(DemoError::Canvas { width, height })?;
    let scale = width as f32 / f32::from(crop.width());
    let transform = Transform::from_scale(scale, scale).pre_translate(-f32::from(crop.x()), -f32::from(crop.y()));
    resvg::render(&tree, transform, &mut canvas.as_mut());
    // The backdrop is opaque, so the premultiplied colours are the colours.
    Ok(canvas.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
}
