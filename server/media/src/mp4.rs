//! The boxes of an MP4 (ISO/IEC 14496-12 and -15, AV1 in ISOBMFF): what a browser needs to know before it plays, and what
//! nobody needs to know.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::Path,
};

/// A header box larger than this is not one of ours.
const MAX_MOOV_BYTES: u64 = 4 << 20;
/// A file with more top-level boxes is not one of ours.
const MAX_BOXES: usize = 64;
/// Fields of a visual sample entry before its boxes; the name of the encoder is in them.
const ENTRY_FIELDS: usize = 78;
const ENCODER_NAME: Range<usize> = 42..74;

/// The facts that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mp4 {
    /// RFC 6381: `avc1.` and profile, constraints and level out of `avcC`, or `av01.` and the like out of `av1C`.
    pub codecs: String,
    /// Whether playing can begin before everything is there.
    pub is_fast_start: bool,
    /// Whether the matrix of the first track changes nothing: not turned, not mirrored.
    pub is_upright: bool,
}

/// Reads the boxes of a file; none when they are not those of an H.264 or AV1 MP4. Blocking.
pub(crate) fn read(path: &Path) -> io::Result<Option<Mp4>> {
    let Some((_, moov, is_fast_start)) = header_of(&mut File::open(path)?)? else { return Ok(None) };
    let is_upright = is_upright(&moov);
    Ok(codecs(&moov).map(|codecs| Mp4 { codecs, is_fast_start, is_upright }))
}

/// Takes the name of the encoder out of the header, in place, and appends a `uuid` box. Blocking.
pub(crate) fn seal(path: &Path, uuid: [u8; 16], inside: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    if let Some((at, moov, _)) = header_of(&mut file)?
        && let Some(name) = entry(&moov).map(|entry| entry.start + ENCODER_NAME.start)
    {
        file.seek(SeekFrom::Start(at + u64::try_from(name).unwrap_or_default()))?;
        file.write_all(&[0; ENCODER_NAME.end - ENCODER_NAME.start])?;
    }
    file.seek(SeekFrom::End(0))?;
    let size = u32::try_from(8 + uuid.len() + inside.len()).map_err(io::Error::other)?;
    file.write_all(&[&size.to_be_bytes()[..], b"uuid", &uuid, inside].concat())
}

/// An initialisation segment without the texts of who wrote it: `moov/udta` and the name of the encoder. None when it has
/// no `moov`.
pub(crate) fn without_texts(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let moov = child(&bytes, 0..bytes.len(), b"moov")?;
    if let Some(name) = entry(bytes.get(moov.clone())?).map(|entry| moov.start + entry.start) {
        bytes.get_mut(name + ENCODER_NAME.start..name + ENCODER_NAME.end)?.fill(0);
    }
    let Some(udta) = child(&bytes, moov.clone(), b"udta") else { return Some(bytes) };
    let whole = udta.start - 8..udta.end;
    let size = u32::try_from(moov.len() + 8 - whole.len()).ok()?;
    bytes.drain(whole);
    bytes.get_mut(moov.start - 8..moov.start - 4)?.copy_from_slice(&size.to_be_bytes());
    Some(bytes)
}

/// What an initialisation segment is coded in.
pub(crate) fn codecs_of(bytes: &[u8]) -> Option<String> {
    codecs(bytes.get(child(bytes, 0..bytes.len(), b"moov")?)?)
}

/// Where the inside of `moov` begins, its bytes, and whether it is before the frames.
fn header_of(file: &mut File) -> io::Result<Option<(u64, Vec<u8>, bool)>> {
    let (mut at, mut seen_mdat) = (0_u64, false);
    for _ in 0..MAX_BOXES {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let got = fill(file, &mut head)?;
        let Some((kind, header, size)) = head.get(..got).and_then(header) else { return Ok(None) };
        match &kind {
            b"moov" if size <= MAX_MOOV_BYTES => {
                let mut moov = vec![0; usize::try_from(size - header).unwrap_or_default()];
                file.seek(SeekFrom::Start(at + header))?;
                file.read_exact(&mut moov)?;
                return Ok(Some((at + header, moov, !seen_mdat)));
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

/// Where the inside of the first box of this kind is.
fn child(bytes: &[u8], within: Range<usize>, wanted: &[u8; 4]) -> Option<Range<usize>> {
    let mut at = within.start;
    while at < within.end {
        let (kind, header, size) = header(bytes.get(at..within.end)?)?;
        let end = at.checked_add(usize::try_from(size).ok()?)?;
        if kind == *wanted {
            return (end <= within.end).then_some(at + usize::try_from(header).ok()?..end);
        }
        at = end;
    }
    None
}

/// Whether the matrix of the first track (`tkhd`, ISO/IEC 14496-12, 8.3.2) changes nothing.
fn is_upright(moov: &[u8]) -> bool {
    let matrix = || {
        let trak = child(moov, 0..moov.len(), b"trak")?;
        let tkhd = moov.get(child(moov, trak, b"tkhd")?)?;
        // Times and duration have 64 bits each in version 1.
        let at = if tkhd.first()? == &1 { 52 } else { 40 };
        tkhd.get(at..at + 36)
    };
    let unity: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
    matrix().is_some_and(|matrix| matrix == unity.map(u32::to_be_bytes).as_flattened())
}

/// Where the inside of the only sample entry is.
fn entry(moov: &[u8]) -> Option<Range<usize>> {
    let path: [&[u8; 4]; 5] = [b"trak", b"mdia", b"minf", b"stbl", b"stsd"];
    let stsd = path.iter().try_fold(0..moov.len(), |inside, name| child(moov, inside, name))?;
    // Version, flags and the count of entries come before the entries.
    let entries = stsd.start.checked_add(8)?..stsd.end;
    child(moov, entries.clone(), b"avc1").or_else(|| child(moov, entries, b"av01"))
}

fn codecs(moov: &[u8]) -> Option<String> {
    let entry = entry(moov)?;
    let boxes = entry.start.checked_add(ENTRY_FIELDS)?..entry.end;
    if let Some(configuration) = child(moov, boxes.clone(), b"avcC") {
        return match moov.get(configuration)? {
            [1, profile, constraints, level, ..] => Some(format!("avc1.{profile:02x}{constraints:02x}{level:02x}")),
            _ => None,
        };
    }
    match moov.get(child(moov, boxes, b"av1C")?)? {
        [0x81, profile_level, rest, ..] => {
            let (profile, level) = (profile_level >> 5, profile_level & 0x1f);
            let tier = if rest & 0x80 == 0 { 'M' } else { 'H' };
            let depth = match (rest & 0x40 != 0, rest & 0x20 != 0) {
                (true, true) if profile == 2 => 12,
                (true, _) => 10,
                _ => 8,
            };
            Some(format!("av01.{profile}.{level:02}{tier}.{depth:02}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(inside.len() + 8).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(inside);
        bytes
    }

    fn moov_of(entry: &[u8; 4], configuration: &[u8]) -> Vec<u8> {
        let mut fields = vec![0; ENTRY_FIELDS];
        fields[ENCODER_NAME.start..ENCODER_NAME.start + 5].copy_from_slice(b"\x04Lavc");
        let entry = boxed(entry, &[fields, configuration.to_vec()].concat());
        let stsd = boxed(b"stsd", &[vec![0, 0, 0, 0, 0, 0, 0, 1], entry].concat());
        let mdia = [b"stbl", b"minf", b"mdia"].iter().fold(stsd, |inside, kind| boxed(kind, &inside));
        let inner = boxed(b"trak", &[boxed(b"tkhd", &tkhd(0, 0x1_0000)), mdia].concat());
        boxed(b"moov", &[boxed(b"mvhd", &[0; 100]), inner, boxed(b"udta", b"Lavf59")].concat())
    }

    /// A track header of a version, with the first number of its matrix.
    fn tkhd(version: u8, first: u32) -> Vec<u8> {
        let matrix = [first, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].map(u32::to_be_bytes);
        let mut inside = vec![0; if version == 1 { 52 } else { 40 }];
        inside[0] = version;
        [inside, matrix.as_flattened().to_vec(), vec![0; 8]].concat()
    }

    fn moov() -> Vec<u8> {
        moov_of(b"avc1", &boxed(b"avcC", &[1, 0x64, 0, 0x1f, 0xff]))
    }

    fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn read_bytes(bytes: &[u8]) -> Option<Mp4> {
        read(file_of(bytes).path()).unwrap_or_default()
    }

    fn has(bytes: &[u8], word: &[u8]) -> bool {
        bytes.windows(word.len()).any(|window| window == word)
    }

    #[test]
    fn the_order_of_the_boxes_and_the_codec_are_read() {
        let (ftyp, mdat) = (boxed(b"ftyp", b"isom\0\0\0\0"), boxed(b"mdat", &[7; 50]));
        let codecs = "avc1.64001f".to_owned();
        let front = read_bytes(&[ftyp.clone(), moov(), mdat.clone()].concat());
        assert_eq!(front, Some(Mp4 { codecs: codecs.clone(), is_fast_start: true, is_upright: true }));
        let back = read_bytes(&[ftyp.clone(), mdat, moov()].concat());
        assert_eq!(back, Some(Mp4 { codecs, is_fast_start: false, is_upright: true }));
        assert_eq!(read_bytes(&ftyp), None);
        assert_eq!(read_bytes(b""), None);
        let av1 = moov_of(b"av01", &boxed(b"av1C", &[0x81, 0x05, 0x0c, 0]));
        assert_eq!(codecs_of(&av1).unwrap(), "av01.0.05M.08");
        let deep = moov_of(b"av01", &boxed(b"av1C", &[0x81, 0x08, 0xcc, 0]));
        assert_eq!(codecs_of(&deep).unwrap(), "av01.0.08H.10");
    }

    #[test]
    fn a_turned_track_is_seen() {
        let upright = |tkhd: &[u8]| is_upright(&boxed(b"trak", &boxed(b"tkhd", tkhd)));
        assert!(upright(&tkhd(0, 0x1_0000)) && upright(&tkhd(1, 0x1_0000)));
        assert!(!upright(&tkhd(0, 0)) && !upright(&tkhd(1, 0xffff_0000)) && !upright(&tkhd(0, 0x1_0000)[..60]));
    }

    #[test]
    fn sealing_takes_a_name_away_and_adds_a_box_at_the_end() {
        let whole = [boxed(b"ftyp", b"isom\0\0\0\0"), moov(), boxed(b"mdat", &[7; 50])].concat();
        let file = file_of(&whole);
        seal(file.path(), [9; 16], b"said").unwrap();
        let sealed = std::fs::read(file.path()).unwrap();
        assert!(has(&whole, b"Lavc") && !has(&sealed, b"Lavc"));
        assert_eq!(sealed.len(), whole.len() + 8 + 16 + 4);
        assert!(sealed.ends_with(&[&b"uuid"[..], &[9; 16], b"said"].concat()));
        assert_eq!(read_bytes(&sealed), read_bytes(&whole));
    }

    #[test]
    fn an_initialisation_segment_loses_its_texts() {
        let init = [boxed(b"ftyp", b"iso5\0\0\0\0"), moov()].concat();
        let clean = without_texts(init.clone()).unwrap();
        assert!(!has(&clean, b"Lav") && !has(&clean, b"udta"));
        assert_eq!(clean.len(), init.len() - 14);
        assert_eq!(codecs_of(&clean), codecs_of(&init));
        assert_eq!(without_texts(clean.clone()), Some(clean));
        assert_eq!(without_texts(b"rubbish".to_vec()), None);
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
            let _ = without_texts(bytes);
        }
    }
}
