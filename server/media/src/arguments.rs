//! The words on the command line. Always a list, never a shell; inputs are absolute `file:` paths, so that no name can
//! be taken for an option, a protocol or a pattern.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, absolute},
};

use crate::{Error, ladder::Rung, probe::ClipInfo};

/// Containers that are opened. Without this a text file that names other files is a playlist, whatever its name.
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm";
/// Decoders that may be used. Sound is dropped, but looking at a file opens a decoder for every track of it.
const DECODERS: &str = "h264,hevc,vp8,vp9,av1,libdav1d,libaom-av1,mpeg4,aac,mp3,mp3float,opus,libopus,vorbis,ac3,eac3,\
                        flac,alac,pcm_s16le,pcm_s16be";
/// A frame of more pixels is not decoded (7680 × 4320).
const MAX_PIXELS: &str = "33177600";
/// Bytes of one output at most; five seconds at the ceiling of the largest rung are 5 MB.
const MAX_OUTPUT_BYTES: &str = "67108864";

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

/// `file:` and the absolute path.
pub(crate) fn file(path: &Path) -> Result<OsString, Error> {
    let mut word = OsString::from("file:");
    word.push(absolute(path)?);
    Ok(word)
}

/// The one run that makes everything: one decode, every rung encoded once, the poster out of the same frames.
pub(crate) struct Job<'a> {
    pub input: &'a Path,
    pub info: &'a ClipInfo,
    pub fps: u32,
    pub seconds: u32,
    /// Times as long as it plays, in thousandths, for a clip that is slowed down.
    pub slower_permille: Option<u64>,
    pub rungs: &'a [(Rung, &'a Path)],
    pub poster: &'a Path,
}

impl Job<'_> {
    pub fn arguments(&self) -> Result<Vec<OsString>, Error> {
        let mut words = Words::default();
        words.all(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y", "-xerror"]);
        words.all(["-progress", "pipe:1", "-stats_period", "0.25"]);
        words.all(GUARDS).all(["-threads", "2", "-t", &self.seconds.to_string(), "-i"]).one(file(self.input)?);
        words.all(["-filter_complex_threads", "2", "-filter_complex", &self.graph()]);
        for (number, (rung, path)) in self.rungs.iter().enumerate() {
            self.rung(&mut words, number, *rung);
            words.one(file(path)?);
        }
        words.all(["-map", "[poster]", "-c:v", "mjpeg", "-q:v", "3"]);
        words.all(["-frames:v", "1", "-update", "1", "-threads", "1"]);
        words.all(CLEAN).all(["-f", "image2"]).one(file(self.poster)?);
        Ok(words.0)
    }

    fn rung(&self, words: &mut Words, number: usize, rung: Rung) {
        let rate = format!("{}k", rung.max_kbps());
        let frames = (self.fps * self.seconds).to_string();
        words.all(["-map", &format!("[v{number}]"), "-c:v", "libx264", "-preset", "medium", "-crf", "24"]);
        words.all(["-maxrate", &rate, "-bufsize", &rate, "-profile:v", "high", "-level:v", rung.level(self.fps)]);
        words.all(["-pix_fmt", "yuv420p", "-force_key_frames", "expr:gte(t,n_forced*2)", "-sc_threshold", "0"]);
        words.all(["-flags", "+cgop", "-threads", "2"]);
        words.all(["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"]);
        words.all(CLEAN).all(["-frames:v", &frames, "-fs", MAX_OUTPUT_BYTES, "-movflags", "+faststart", "-f", "mp4"]);
    }

    /// A constant frame rate; slowed down, new frames are blended of their neighbours and the last one stays to the end.
    fn timing(&self) -> String {
        let fps = self.fps;
        match self.slower_permille {
            None => format!("fps={fps}"),
            Some(permille) => {
                format!("setpts=PTS*{permille}/1000,framerate=fps={fps},tpad=stop_mode=clone:stop_duration=1")
            }
        }
    }

    /// A clip that does not say its colour matrix is taken as players take it: by its size.
    fn graph(&self) -> String {
        let said = if self.info.has_matrix {
            String::new()
        } else if self.info.width.min(self.info.height) >= 720 {
            ":in_color_matrix=bt709".to_owned()
        } else {
            ":in_color_matrix=bt601".to_owned()
        };
        let count = self.rungs.len() + 1;
        let mut graph = format!("[0:v:0]{},split={count}", self.timing());
        for number in 0..count {
            graph.push_str(&format!("[s{number}]"));
        }
        for (number, (rung, _)) in self.rungs.iter().enumerate() {
            graph.push_str(&format!(
                ";[s{number}]scale=w={}:h={}{said}:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p,\
                 setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709[v{number}]",
                rung.width, rung.height
            ));
        }
        if let Some((rung, _)) = self.rungs.first() {
            // JPEG has its own matrix and range (JFIF 1.02).
            graph.push_str(&format!(
                ";[s{}]trim=end=1,thumbnail=n={},scale=w={}:h={}{said}:out_color_matrix=bt601:out_range=pc,setsar=1,\
                 format=yuvj420p[poster]",
                self.rungs.len(),
                self.fps,
                rung.width,
                rung.height
            ));
        }
        graph
    }
}

/// No sound, no texts, no data, no metadata, no name of a version.
const CLEAN: [&str; 11] = [
    "-an",
    "-sn",
    "-dn",
    "-map_metadata",
    "-1",
    "-map_chapters",
    "-1",
    "-fflags",
    "+bitexact",
    "-flags:v",
    "+bitexact",
];

/// Decodes every frame of these files and fails at the first damage.
pub(crate) fn decode(paths: &[&Path]) -> Result<Vec<OsString>, Error> {
    let mut words = Words::default();
    words.all(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-xerror"]);
    for path in paths {
        words.all(GUARDS).all(["-threads", "2", "-i"]).one(file(path)?);
    }
    for number in 0..paths.len() {
        words.all(["-map", &format!("{number}:v:0")]);
    }
    words.all(["-f", "null", "-"]);
    Ok(words.0)
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
