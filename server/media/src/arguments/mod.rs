//! The words on the command line. Always a list, never a shell; inputs are absolute `file:` paths, so that no name can
//! be taken for an option, a protocol or a pattern.

mod export;
mod job;
mod poster;

use std::{
    ffi::{OsStr, OsString},
    path::{Path, absolute},
};

use crate::Error;

pub(crate) use export::ExportJob;
pub(crate) use job::{Job, Output, Shapes};
pub(crate) use poster::PosterJob;

/// Containers that are opened. Without this a text file that names other files is a playlist, whatever its name.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm";
/// Decoders that may be used. Sound is dropped, but looking at a file opens a decoder for every track of it.
const DECODERS: &str = "h264,hevc,vp8,vp9,av1,libdav1d,libaom-av1,mpeg4,aac,mp3,mp3float,opus,libopus,vorbis,ac3,eac3,\
                        flac,alac,pcm_s16le,pcm_s16be";
/// A frame of more pixels is not decoded (7680 × 4320).
const MAX_PIXELS: &str = "33177600";

/// What stands before every `-i`.
pub(crate) const GUARDS: [&str; 8] = [
    "-protocol_whitelist",
    "file,pipe",
    "-format_whitelist",
    FORMATS,
    "-codec_whitelist",
    DECODERS,
    "-max_pixels",
    MAX_PIXELS,
];

/// And before the pictures that are laid over a clip, which are PNGs of our own making.
const PICTURE_GUARDS: [&str; 8] =
    ["-protocol_whitelist", "file", "-codec_whitelist", "png", "-max_pixels", MAX_PIXELS, "-f", "png_pipe"];

/// `file:` and the absolute path.
pub(crate) fn file(path: &Path) -> Result<OsString, Error> {
    let mut word = OsString::from("file:");
    word.push(absolute(path)?);
    Ok(word)
}

/// Decodes every frame of a file and fails at the first damage. The frames are written to stdout as `side` × `side` RGB
/// pictures, for [`crate::content`] to look at; what tracks it has, into the file `facts`.
pub(crate) fn look(path: &Path, side: u32, facts: &str) -> Result<Vec<OsString>, Error> {
    let mut words = decoding();
    // Frames that no other frame is made of are not smoothed: what is left of that in pictures this small is nothing.
    words.all(GUARDS).all(["-threads", "2", "-skip_loop_filter", "noref", "-i"]).one(file(path)?);
    words.all(["-map", "0:v:0", "-vf", &format!("scale={side}:{side}:flags=area")]);
    words.all(["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]);
    write_down(&mut words, 1, facts);
    Ok(words.0)
}

/// Decodes every frame of these files and fails at the first damage; what tracks they have is written into the file
/// `facts`.
pub(crate) fn decode(paths: &[&Path], facts: &str) -> Result<Vec<OsString>, Error> {
    let mut words = decoding();
    for path in paths {
        // Nobody looks at them: they are read to their last bit, and not smoothed.
        words.all(GUARDS).all(["-threads", "2", "-skip_loop_filter", "all", "-i"]).one(file(path)?);
    }
    for number in 0..paths.len() {
        words.all(["-map", &format!("{number}:v:0")]);
    }
    words.all(["-f", "null", "-"]);
    write_down(&mut words, paths.len(), facts);
    Ok(words.0)
}

fn decoding() -> Words {
    let mut words = Words::default();
    words.all(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y", "-xerror"]);
    words
}

/// All tracks of the inputs and when their frames are shown, for [`crate::track`] to read: without another run to ask
/// for it.
fn write_down(words: &mut Words, inputs: usize, facts: &str) {
    for number in 0..inputs {
        words.all(["-map", &number.to_string()]);
    }
    words.all(["-c", "copy", "-f", "framecrc", facts]);
}

/// Tells streams and container of a file as JSON.
pub(crate) fn describe(path: &Path) -> Result<Vec<OsString>, Error> {
    let mut words = Words::default();
    words.all(["-hide_banner", "-loglevel", "error"]).all(GUARDS);
    words.all(["-of", "json", "-show_streams", "-show_format", "-i"]).one(file(path)?);
    Ok(words.0)
}

#[derive(Default)]
struct Words(Vec<OsString>);

impl Words {
    fn all<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.0.extend(words.into_iter().map(|word| OsStr::new(word).to_owned()));
        self
    }

    fn one(&mut self, word: OsString) -> &mut Self {
        self.0.push(word);
        self
    }
}
