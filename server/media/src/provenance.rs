//! Says in a file that it was made by AI, as machines read it: the IPTC digital source type in an XMP packet (ISO 16684-1).
//! Whatever copies the file with ffmpeg drops it, so this is the last change of its bytes.

use std::path::Path;

use crate::{Error, mp4};

/// The packet. The only thing it says is what Google Merchant Center and Article 50 of the EU's AI Act ask for.
const XMP: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
    <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
    <rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
    Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\"/>\
    </rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>";
/// What an APP1 segment with XMP begins with (XMP specification part 3, 1.1.3).
const JPEG_HEAD: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// The `uuid` box with XMP (XMP specification part 3, 1.1.5).
const MP4_UUID: [u8; 16] =
    [0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac];
/// The flag of VP8X for an XMP chunk (RFC 9649, section 2.7.1).
const WEBP_XMP_FLAG: u8 = 0x04;

/// A JPEG that says so. Bytes that are no JPEG come back as they are.
pub(crate) fn mark_jpeg(bytes: &[u8]) -> Vec<u8> {
    let [0xff, 0xd8, rest @ ..] = bytes else { return bytes.to_vec() };
    // JFIF wants its own segment to be the first.
    let first = match rest {
        [0xff, 0xe0, high, low, ..] => 2 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    let (before, after) = rest.split_at(first.min(rest.len()));
    let length = u16::try_from(2 + JPEG_HEAD.len() + XMP.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0xff, 0xd8], before, &[0xff, 0xe1], &length, JPEG_HEAD, XMP.as_bytes(), after].concat()
}

/// A WebP that says so; its size is needed where it is a simple one. None when it is no WebP.
pub(crate) fn mark_webp(bytes: &[u8], width: u32, height: u32) -> Option<Vec<u8>> {
    let chunks = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WEBP")?;
    let mut inside = Vec::with_capacity(bytes.len() + XMP.len() + 64);
    if chunks.starts_with(b"VP8X") {
        inside.extend_from_slice(chunks);
        *inside.get_mut(8)? |= WEBP_XMP_FLAG;
    } else {
        let side = |side: u32| side.saturating_sub(1).to_le_bytes();
        inside.extend_from_slice(b"VP8X");
        inside.extend_from_slice(&10_u32.to_le_bytes());
        inside.extend_from_slice(&[WEBP_XMP_FLAG, 0, 0, 0]);
        inside.extend_from_slice(side(width).get(..3)?);
        inside.extend_from_slice(side(height).get(..3)?);
        inside.extend_from_slice(chunks);
    }
    inside.extend_from_slice(b"XMP ");
    inside.extend_from_slice(&u32::try_from(XMP.len()).ok()?.to_le_bytes());
    inside.extend_from_slice(XMP.as_bytes());
    if XMP.len() % 2 == 1 {
        inside.push(0);
    }
    let size = u32::try_from(inside.len() + 4).ok()?.to_le_bytes();
    Some([&b"RIFF"[..], &size, b"WEBP", &inside].concat())
}

/// Takes what nobody needs to know out of an MP4 and says so in it.
pub(crate) async fn mark_mp4(path: &Path) -> Result<(), Error> {
    let path = path.to_owned();
    let done = tokio::task::spawn_blocking(move || mp4::seal(&path, MP4_UUID, XMP.as_bytes())).await;
    Ok(done.map_err(std::io::Error::other)??)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sniff_image;

    fn has(bytes: &[u8]) -> bool {
        let word = b"digitalsourcetype/trainedAlgorithmicMedia";
        bytes.windows(word.len()).any(|window| window == word)
    }

    fn picture(format: image::ImageFormat) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_fn(80, 64, |x, y| image::Rgb([x as u8 * 3, y as u8 * 3, 9]));
        let written = image::DynamicImage::ImageRgb8(picture).write_to(&mut bytes, format);
        assert!(written.is_ok(), "{written:?}");
        bytes.into_inner()
    }

    #[test]
    fn a_marked_jpeg_is_the_same_picture() {
        let plain = picture(image::ImageFormat::Jpeg);
        let marked = mark_jpeg(&plain);
        assert!(!has(&plain) && has(&marked));
        assert_eq!(marked.get(2..4), Some(&[0xff, 0xe0][..]), "JFIF first");
        assert_eq!(sniff_image(&marked).ok(), sniff_image(&plain).ok());
        assert_eq!(image::load_from_memory(&marked).ok(), image::load_from_memory(&plain).ok());
        assert_eq!(mark_jpeg(b"no picture"), b"no picture");
    }

    #[test]
    fn a_marked_webp_is_the_same_picture() {
        let plain = picture(image::ImageFormat::WebP);
        let marked = mark_webp(&plain, 80, 64).unwrap_or_default();
        assert!(!has(&plain) && has(&marked));
        assert_eq!(sniff_image(&marked).ok(), sniff_image(&plain).ok());
        assert_eq!(image::load_from_memory(&marked).ok(), image::load_from_memory(&plain).ok());
        let twice = mark_webp(&marked, 80, 64).unwrap_or_default();
        assert_eq!(sniff_image(&twice).ok(), sniff_image(&plain).ok());
        assert_eq!(mark_webp(b"no picture", 1, 1), None);
    }
}
