//! Pictures from outside: header check before decode, limits while decoding, metadata left behind.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, GenericImageView, ImageDecoder, ImageEncoder, ImageError, ImageFormat,
    ImageReader, Limits, Rgb, RgbImage, codecs::jpeg::JpegEncoder, metadata::Orientation,
};

use crate::{Error, provenance};

/// Heaviest file.
const MAX_BYTES: usize = 40 << 20;
/// Most pixels.
const MAX_PIXELS: u64 = 40_000_000;
/// Longest side.
const MAX_SIDE: u32 = 8192;
/// Shortest side.
const MIN_SIDE: u32 = 64;
/// Memory one decode may take: 40 megapixels of four 16-bit channels.
const MAX_MEMORY_BYTES: u64 = 320 << 20;
/// JPEG quality of a normalised still.
const QUALITY: u8 = 92;

/// What a picture is, read from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    /// As shown, orientation applied. 64 to 8192.
    pub width: u32,
    /// As shown, orientation applied. 64 to 8192.
    pub height: u32,
    /// `image/jpeg`, `image/png` or `image/webp`.
    pub content_type: &'static str,
    /// `jpg`, `png` or `webp`.
    pub extension: &'static str,
}

/// A still made safe: JPEG, upright, on white, without metadata but the mark of its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// The JPEG.
    pub bytes: Vec<u8>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// Looks at the header only: what the bytes are (never what they are called) and whether the picture is within limits
/// (40 MB, 64 to 8192 pixels a side, 40 megapixels). No pixel is decoded.
///
/// # Errors
/// [`Error::NotAPicture`], [`Error::Corrupt`], [`Error::TooLarge`], [`Error::TooSmall`].
pub fn sniff_image(bytes: &[u8]) -> Result<ImageInfo, Error> {
    let (decoder, format, orientation) = open(bytes)?;
    let (width, height) = decoder.dimensions();
    let is_turned = matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let (width, height) = if is_turned { (height, width) } else { (width, height) };
    let (content_type, extension) = match format {
        ImageFormat::Png => ("image/png", "png"),
        ImageFormat::WebP => ("image/webp", "webp"),
        _ => ("image/jpeg", "jpg"),
    };
    Ok(ImageInfo { width, height, content_type, extension })
}

/// Decodes a picture within limits and writes it anew as JPEG (quality 92): orientation applied, transparency put on
/// white, nothing of the original file kept but its pixels, marked as made by AI. Runs on a blocking thread.
///
/// # Errors
/// As [`sniff_image`], and [`Error::Corrupt`] when the pixels cannot be decoded.
pub async fn normalise_still(bytes: Vec<u8>) -> Result<Still, Error> {
    let done = tokio::task::spawn_blocking(move || normalise(&bytes)).await;
    done.map_err(|error| Error::Disk(std::io::Error::other(error)))?
}

/// Decodes a picture within limits, upright.
pub(crate) fn decode(bytes: &[u8]) -> Result<DynamicImage, Error> {
    let (decoder, _, orientation) = open(bytes)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refuse)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn normalise(bytes: &[u8]) -> Result<Still, Error> {
    let flat = on_white(decode(bytes)?);
    let (width, height) = flat.dimensions();
    let mut still = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut still, QUALITY);
    encoder.write_image(flat.as_raw(), width, height, ExtendedColorType::Rgb8).map_err(refuse)?;
    Ok(Still { bytes: provenance::mark_jpeg(&still), width, height })
}

fn open(bytes: &[u8]) -> Result<(impl ImageDecoder + '_, ImageFormat, Orientation), Error> {
    let format = match bytes {
        [0xff, 0xd8, 0xff, ..] => ImageFormat::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => ImageFormat::Png,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ImageFormat::WebP,
        _ => return Err(Error::NotAPicture),
    };
    if format == ImageFormat::Jpeg && !is_whole_jpeg(bytes) {
        return Err(Error::Corrupt("the picture ends too early".to_owned()));
    }
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge(format!("{} bytes", bytes.len())));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refuse)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Error::TooLarge(format!("{width} × {height} pixels")));
    }
    if width.min(height) < MIN_SIDE {
        return Err(Error::TooSmall(format!("{width} × {height} pixels")));
    }
    // A damaged tag is no reason to refuse a sound picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((decoder, format, orientation))
}

/// Whether the last scan is closed by an end marker: the decoder paints what is missing of it grey and says nothing.
/// Neither marker can occur inside the data of a scan (ITU-T T.81, B.1.1.5).
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|window| window == marker);
    matches!((last([0xff, 0xda]), last([0xff, 0xd9])), (Some(scan), Some(end)) if scan < end)
}

fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let (width, height) = picture.dimensions();
    let picture = picture.into_rgba8();
    let mut flat = RgbImage::new(width, height);
    for (target, source) in flat.pixels_mut().zip(picture.pixels()) {
        let [red, green, blue, alpha] = source.0;
        let blend = |channel: u8| {
            let mixed = u32::from(channel) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from((mixed + 127) / 255).unwrap_or(u8::MAX)
        };
        *target = Rgb([blend(red), blend(green), blend(blue)]);
    }
    flat
}

fn refuse(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Error::TooLarge("more memory than is given".to_owned()),
        other => Error::Corrupt(other.to_string()),
    }
}
