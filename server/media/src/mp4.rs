//! What a browser needs to know of an MP4 before it plays: read from the boxes (ISO/IEC 14496-12 and -15).

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// A header box larger than this is not one of ours.
const MAX_MOOV_BYTES: u64 = 4 << 20;
/// A file with more top-level boxes is not one of ours.
const MAX_BOXES: usize = 64;

/// The facts that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mp4 {
    /// RFC 6381: `avc1.` and profile, constraints and level out of `avcC`.
    pub codecs: String,
    /// Whether playing can begin before everything is there.
    pub is_fast_start: bool,
}

/// Reads the boxes of a file; none when they are not those of an H.264 MP4. Blocking.
pub(crate) fn read(path: &Path) -> io::Result<Option<Mp4>> {
    let mut file = File::open(path)?;
    let (mut at, mut seen_mdat) = (0_u64, false);
    for _ in 0..MAX_BOXES {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let got = fill(&mut file, &mut head)?;
        let Some((kind, header, size)) = head.get(..got).and_then(header) else { return Ok(None) };
        match &kind {
            b"moov" if size <= MAX_MOOV_BYTES => {
                let mut moov = vec![0; usize::try_from(size - header).unwrap_or_default()];
                file.seek(SeekFrom::Start(at + header))?;
                file.read_exact(&mut moov)?;
                return Ok(codecs(&moov).map(|codecs| Mp4 { codecs, is_fast_start: !seen_mdat }));
            }
            b"moov" => return Ok(None),
            b"mdat" => seen_mdat = true,
            _ => {}
        }
        let Some(next) = at.checked_add(size) else { return Ok(None) };
        at = next;
    }
    Ok(None)
}

fn fill(file: &mut File, window: &mut [u8; 16]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = window.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            count => got += count,
        }
    }
    Ok(got)
}

/// Kind, length of the header and length of the whole box.
fn header(bytes: &[u8]) -> Option<([u8; 4], u64, u64)> {
    let short = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    let kind = bytes.get(4..8)?.try_into().ok()?;
    let (header, size) = match short {
        1 => (16, u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?)),
        size => (8, u64::from(size)),
    };
    (size >= header).then_some((kind, header, size))
}

/// The inside of the first box of this kind.
fn child<'a>(mut bytes: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    loop {
        let (kind, header, size) = header(bytes)?;
        let (start, end) = (usize::try_from(header).ok()?, usize::try_from(size).ok()?);
        if kind == *wanted {
            return bytes.get(start..end);
        }
        bytes = bytes.get(end..)?;
    }
}

fn codecs(moov: &[u8]) -> Option<String> {
    let path: [&[u8; 4]; 5] = [b"trak", b"mdia", b"minf", b"stbl", b"stsd"];
    let stsd = path.iter().try_fold(moov, |inside, name| child(inside, name))?;
    // Version, flags and the count of entries come before the entries; 78 bytes of fields before the boxes of one.
    let entry = child(stsd.get(8..)?, b"avc1")?;
    let configuration = child(entry.get(78..)?, b"avcC")?;
    match configuration {
        [1, profile, constraints, level, ..] => Some(format!("avc1.{profile:02x}{constraints:02x}{level:02x}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(inside.len() + 8).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(inside);
        bytes
    }

    fn moov() -> Vec<u8> {
        let avc1 = boxed(b"avc1", &[vec![0; 78], boxed(b"avcC", &[1, 0x64, 0, 0x1f, 0xff])].concat());
        let stsd = boxed(b"stsd", &[vec![0, 0, 0, 0, 0, 0, 0, 1], avc1].concat());
        let inner = [b"stbl", b"minf", b"mdia", b"trak"].iter().fold(stsd, |inside, kind| boxed(kind, &inside));
        boxed(b"moov", &[boxed(b"mvhd", &[0; 100]), inner].concat())
    }

    fn read_bytes(bytes: &[u8]) -> Option<Mp4> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read(file.path()).unwrap_or_default()
    }

    #[test]
    fn the_order_of_the_boxes_and_the_codec_are_read() {
        let (ftyp, mdat) = (boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"mdat", &[7; 50]));
        let codecs = "avc1.64001f".to_owned();
        let front = read_bytes(&[ftyp.clone(), moov(), mdat.clone()].concat());
        assert_eq!(front, Some(Mp4 { codecs: codecs.clone(), is_fast_start: true }));
        let back = read_bytes(&[ftyp.clone(), mdat, moov()].concat());
        assert_eq!(back, Some(Mp4 { codecs, is_fast_start: false }));
        assert_eq!(read_bytes(&ftyp), None);
        assert_eq!(read_bytes(b""), None);
    }

    proptest! {
        #[test]
        fn damaged_boxes_are_none(at in 0_usize..300, value in any::<u8>(), cut in 0_usize..400) {
            let mut bytes = moov();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            bytes.truncate(cut);
            let read = read_bytes(&bytes);
            prop_assert!(read.is_none_or(|mp4| mp4.codecs.starts_with("avc1.")));
        }
    }
}
