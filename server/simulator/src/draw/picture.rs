//! Pictures as files and as pixels.

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder as _, RgbImage, imageops};
use resvg::tiny_skia::{IntSize, Pixmap};

use super::{DrawError, Drawn};

const JPEG_QUALITY: u8 = 92;

/// How a picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Jpeg,
    Png,
    Webp,
}

impl PictureFormat {
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The bytes of a file as a finished picture of this size.
    pub(super) fn finished(self, bytes: Bytes, width: u32, height: u32) -> Drawn {
        let content_type = match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        };
        Drawn { bytes, width, height, content_type, extension: self.extension() }
    }

    /// Encodes a picture; the same pixels give the same bytes.
    pub(super) fn encode(self, picture: &RgbImage) -> Result<Vec<u8>, DrawError> {
        let mut bytes = Vec::new();
        let (pixels, width, height) = (picture.as_raw(), picture.width(), picture.height());
        let written = match self {
            Self::Jpeg => JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
                pixels,
                width,
                height,
                ExtendedColorType::Rgb8,
            ),
            Self::Png => PngEncoder::new(&mut bytes).write_image(pixels, width, height, ExtendedColorType::Rgb8),
            Self::Webp => {
                WebPEncoder::new_lossless(&mut bytes).write_image(pixels, width, height, ExtendedColorType::Rgb8)
            }
        };
        written.map_err(DrawError::studio)?;
        Ok(bytes)
    }
}

/// Reads a picture of any kind we know.
pub(super) fn read_picture(bytes: &[u8]) -> Result<RgbImage, DrawError> {
    Ok(image::load_from_memory(bytes).map_err(DrawError::input)?.to_rgb8())
}

/// A picture as a canvas.
pub(super) fn canvas_of(picture: &RgbImage) -> Result<Pixmap, DrawError> {
    let data = picture.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2], 255]);
    IntSize::from_wh(picture.width(), picture.height())
        .and_then(|size| Pixmap::from_vec(data.collect(), size))
        .ok_or_else(|| DrawError::studio("no canvas of this size"))
}

/// The opaque pixels of a canvas.
pub(super) fn picture_of(canvas: &Pixmap) -> Result<RgbImage, DrawError> {
    let pixels = canvas.data().as_chunks::<4>().0.iter().flat_map(|&[red, green, blue, _]| [red, green, blue]);
    RgbImage::from_raw(canvas.width(), canvas.height(), pixels.collect())
        .ok_or_else(|| DrawError::studio("a canvas without pixels"))
}

/// Sizes a picture so that it fills the frame, cutting what hangs over.
pub(super) fn fill_frame(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (wide, high) = covering(picture.dimensions(), (width, height));
    let filter = imageops::FilterType::Triangle;
    let large = if picture.dimensions() == (wide, high) {
        picture.clone()
    } else {
        imageops::resize(picture, wide, high, filter)
    };
    crop_middle(large, width, height)
}

/// The size in the ratio of `inner` that just covers `frame`.
pub(super) fn covering(inner: (u32, u32), frame: (u32, u32)) -> (u32, u32) {
    let factor = (frame.0 as f32 / inner.0.max(1) as f32).max(frame.1 as f32 / inner.1.max(1) as f32);
    let sized = |side: u32, least: u32| ((side as f32 * factor).round() as u32).max(least);
    (sized(inner.0, frame.0), sized(inner.1, frame.1))
}

/// The middle of a picture that is at least this large.
pub(super) fn crop_middle(picture: RgbImage, width: u32, height: u32) -> RgbImage {
    let (wide, high) = picture.dimensions();
    if (wide, high) == (width, height) {
        return picture;
    }
    let left = wide.saturating_sub(width) / 2;
    let top = high.saturating_sub(height) / 2;
    imageops::crop_imm(&picture, left, top, width, height).to_image()
}
