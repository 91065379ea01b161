//! Pictures from outside, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use media::{Error, normalise_still, sniff_image};

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let paint = |x: u32, _| Rgba([if x < width / 2 { 250 } else { 20 }, 40, 90, 255]);
    let picture = DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, paint));
    let picture = if format == ImageFormat::Jpeg { DynamicImage::ImageRgb8(picture.into_rgb8()) } else { picture };
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG whose camera says that it must be turned by 90° to be seen upright, and where it was taken.
fn turned_jpeg(width: u32, height: u32) -> Vec<u8> {
    let plain = picture(width, height, ImageFormat::Jpeg);
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    tiff.extend_from_slice(b"GPS 37.5665 126.9780");
    let mut exif = b"Exif\0\0".to_vec();
    exif.extend_from_slice(&tiff);
    let mut bytes = plain[..2].to_vec();
    bytes.extend_from_slice(&[0xff, 0xe1]);
    bytes.extend_from_slice(&u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    bytes.extend_from_slice(&exif);
    bytes.extend_from_slice(&plain[2..]);
    bytes
}

/// A PNG header that promises a picture of this size, with nothing behind it.
fn png_promise(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = picture(64, 64, ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[test]
fn the_kind_is_read_from_the_bytes() {
    let cases = [
        (ImageFormat::Jpeg, "image/jpeg", "jpg"),
        (ImageFormat::Png, "image/png", "png"),
        (ImageFormat::WebP, "image/webp", "webp"),
    ];
    for (format, content_type, extension) in cases {
        let info = sniff_image(&picture(300, 200, format)).unwrap();
        assert_eq!((info.width, info.height, info.content_type, info.extension), (300, 200, content_type, extension));
    }
}

#[test]
fn what_is_no_picture_is_refused() {
    for bytes in [&b""[..], b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"#EXTM3U", b"RIFF0000WAVE"] {
        assert!(matches!(sniff_image(bytes), Err(Error::NotAPicture)));
    }
    for cut in [3, 8, 12, 20] {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let bytes = picture(300, 200, format);
            assert!(sniff_image(&bytes[..cut]).is_err(), "{format:?} cut after {cut}");
        }
    }
}

#[tokio::test]
async fn pixel_bombs_are_refused_by_their_header() {
    for (width, height) in [(16_000, 16_000), (8193, 64), (8000, 8000), (u32::MAX >> 1, 64)] {
        let bomb = png_promise(width, height);
        let begin = std::time::Instant::now();
        assert!(matches!(sniff_image(&bomb), Err(Error::TooLarge(_))), "{width} × {height}");
        assert!(matches!(normalise_still(bomb).await, Err(Error::TooLarge(_))));
        assert!(begin.elapsed().as_millis() < 200);
    }
    assert!(matches!(sniff_image(&picture(63, 640, ImageFormat::Png)), Err(Error::TooSmall(_))));
    assert!(sniff_image(&picture(64, 8192, ImageFormat::Png)).is_ok());
}

#[tokio::test]
async fn a_still_is_upright_and_without_metadata() {
    let bytes = turned_jpeg(400, 200);
    let info = sniff_image(&bytes).unwrap();
    assert_eq!((info.width, info.height), (200, 400));
    let still = normalise_still(bytes).await.unwrap();
    assert_eq!((still.width, still.height), (200, 400));
    for word in [&b"Exif"[..], b"GPS"] {
        assert!(!still.bytes.windows(word.len()).any(|window| window == word));
    }
    let seen = image::load_from_memory(&still.bytes).unwrap().into_rgb8();
    // Left was light: after turning clockwise, above is light.
    assert!(seen.get_pixel(100, 50).0[0] > 200 && seen.get_pixel(100, 350).0[0] < 60);
}

#[tokio::test]
async fn transparency_becomes_white() {
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(64, 64, Rgba([0, 0, 0, 0])));
    let mut bytes = Cursor::new(Vec::new());
    clear.write_to(&mut bytes, ImageFormat::Png).unwrap();
    let still = normalise_still(bytes.into_inner()).await.unwrap();
    let seen = image::load_from_memory(&still.bytes).unwrap().into_rgb8();
    assert!(seen.pixels().all(|pixel| pixel.0.iter().all(|channel| *channel > 250)));
}

#[tokio::test]
async fn damaged_pixels_are_corrupt() {
    let png = png_promise(640, 640);
    assert!(matches!(normalise_still(png).await, Err(Error::Corrupt(_))));
    let jpeg = picture(300, 200, ImageFormat::Jpeg);
    let cut = jpeg[..jpeg.len() / 4].to_vec();
    assert!(matches!(normalise_still(cut).await, Err(Error::Corrupt(_))));
}
