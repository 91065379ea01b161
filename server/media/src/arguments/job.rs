//! The one run that makes everything: one decode, every rung encoded once per codec, HLS out of the same encodes, the
//! pictures out of the same frames.

use std::{ffi::OsString, path::Path};

use super::{GUARDS, PICTURE_GUARDS, Words, file};
use crate::{
    Codec, Error,
    branding::{Branding, Overlay},
    ladder::Rung,
    probe::ClipInfo,
};

/// Bytes of one output at most; five seconds at the ceiling of the largest rung are 5 MB.
const MAX_OUTPUT_BYTES: &str = "67108864";
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

/// One rung in one codec. Names are relative to the folder ffmpeg runs in and made of letters, digits and dots: the `tee`
/// muxer reads them out of a list.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub rung: Rung,
    pub codec: Codec,
    pub name: String,
    /// The folder of its HLS rendition, where there is one.
    pub hls: Option<String>,
}

/// Names and sizes of the pictures.
#[derive(Debug, Clone)]
pub(crate) struct Shapes {
    pub poster: &'static str,
    pub poster_webp: &'static str,
    pub strip: &'static str,
    /// Pictures in the strip.
    pub tiles: u64,
    /// Each of them.
    pub tile: (u32, u32),
}

/// Everything about the run.
pub(crate) struct Job<'a> {
    pub input: &'a Path,
    pub info: &'a ClipInfo,
    pub fps: u32,
    pub seconds: u32,
    /// How many frames there will be.
    pub frames: u64,
    /// Times as long as it plays, in thousandths, for a clip that is slowed down.
    pub slower_permille: Option<u64>,
    pub outputs: &'a [Output],
    pub shapes: &'a Shapes,
    pub branding: Option<&'a Branding>,
}

impl Job<'_> {
    pub fn arguments(&self) -> Result<Vec<OsString>, Error> {
        let mut words = Words::default();
        words.all(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y", "-xerror"]);
        words.all(["-progress", "pipe:1", "-stats_period", "0.25"]);
        // H.264 is begun when forty frames wait: until then decoding and looking ahead are all there is to do, and each of
        // them left a processor idle.
        words.all(GUARDS).all(["-threads", "3", "-t", &self.seconds.to_string(), "-i"]).one(file(self.input)?);
        for overlay in self.overlays() {
            words.all(PICTURE_GUARDS).all(["-i"]).one(file(&overlay.path)?);
        }
        words.all(["-filter_complex_threads", "2", "-filter_complex", &self.graph()]);
        for (number, output) in self.outputs.iter().enumerate() {
            words.all(["-map", &format!("[v{number}]")]);
            video(&mut words, output, self.fps, self.frames);
        }
        self.pictures(&mut words);
        Ok(words.0)
    }

    /// The files it opens.
    pub fn reads(&self) -> Vec<&Path> {
        std::iter::once(self.input).chain(self.overlays().iter().map(|overlay| overlay.path.as_path())).collect()
    }

    fn overlays(&self) -> &[Overlay] {
        self.branding.map_or(&[], |branding| &branding.overlays)
    }

    fn pictures(&self, words: &mut Words) {
        poster_files(words, self.shapes.poster, self.shapes.poster_webp);
        picture(words, "[strip]", &["-c:v", "mjpeg", "-q:v", "5"], self.shapes.strip);
    }

    /// The largest rung that is made.
    fn top(&self) -> Option<Rung> {
        self.outputs.iter().map(|output| output.rung).max_by_key(|rung| rung.width * rung.height)
    }

    /// The frames everything is made of, as `[base]`, and the matrix that has to be said of them. What is laid over a clip
    /// is laid over the largest size that is made.
    fn base(&self) -> (String, &'static str) {
        let said = matrix_of(self.info);
        let timing = timing(self.fps, self.slower_permille);
        let (Some(branding), Some(top)) = (self.branding, self.top()) else {
            return (format!("[0:v:0]{timing}[base]"), said);
        };
        let under = format!("[0:v:0]{timing},{}[under0]", picture_of(top, said));
        (format!("{under}{}", laid_over(branding, top.width, top.height)), BT709)
    }

    fn graph(&self) -> String {
        let (mut graph, said) = self.base();
        let count = self.outputs.len();
        graph.push_str(&format!(";[base]split={}", count + 1));
        (0..=count).for_each(|number| graph.push_str(&format!("[s{number}]")));
        for (number, output) in self.outputs.iter().enumerate() {
            graph.push_str(&format!(
                ";[s{number}]{},setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
                picture_of(output.rung, said)
            ));
            // The posters are frames of the first output: scaled once, and of a size that is quickly looked through.
            match number {
                0 => graph.push_str(",split=2[v0][posters]"),
                _ => graph.push_str(&format!("[v{number}]")),
            }
        }
        if let Some(rung) = self.outputs.first().map(|output| output.rung) {
            // Two frames that follow each other look the same: every other one is held against the rest.
            let most_typical = format!(";[posters]trim=end=1,framestep=2,thumbnail=n={}", self.fps.div_ceil(2));
            graph.push_str(&posters(&most_typical, rung.width, rung.height, BT709));
        }
        let (tiles, (width, height)) = (self.shapes.tiles, self.shapes.tile);
        let every = (self.frames / tiles.max(1)).max(1);
        graph.push_str(&format!(
            ";[s{count}]select='not(mod(n,{every}))*lt(n,{})',scale=w={width}:h={height}{said}:\
             out_color_matrix=bt601:out_range=pc,setsar=1,format=yuvj420p,tile={tiles}x1[strip]",
            every * tiles
        ));
        graph
    }
}

/// How one output is coded, and where it goes.
pub(super) fn video(words: &mut Words, output: &Output, fps: u32, frames: u64) {
    match output.codec {
        Codec::H264 => h264(words, output.rung, fps),
        Codec::Av1 => av1(words, fps),
        Codec::Vp9 => vp9(words, output.rung, fps),
    }
    words.all(["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"]);
    words.all(CLEAN).all(["-pix_fmt", "yuv420p", "-frames:v", &frames.to_string(), "-fs", MAX_OUTPUT_BYTES]);
    match (&output.hls, output.codec) {
        (Some(folder), _) => words.all(["-f", "tee", &tee(&output.name, folder)]),
        (None, Codec::Vp9) => words.all(["-f", "webm", &output.name]),
        (None, _) => words.all(["-movflags", "+faststart", "-f", "mp4", &output.name]),
    };
}

/// CRF under a ceiling; a key frame every two seconds, so that segments begin with one; no message of the encoder about
/// itself. With a second thread that looks ahead sizes and SSIM were the same, and the first frames come sooner.
fn h264(words: &mut Words, rung: Rung, fps: u32) {
    let rate = format!("{}k", rung.max_kbps());
    words.all(["-c:v", "libx264", "-preset", "medium", "-crf", "24", "-maxrate", &rate, "-bufsize", &rate]);
    words.all(["-profile:v", "high", "-level:v", rung.level(fps)]);
    words.all(["-force_key_frames", "expr:gte(t,n_forced*2)", "-sc_threshold", "0"]);
    words.all(["-flags", "+cgop+global_header", "-threads", "2", "-x264-params", "lookahead-threads=2"]);
    words.all(["-bsf:v", "filter_units=remove_types=6"]);
}

fn av1(words: &mut Words, fps: u32) {
    let group = (2 * fps).to_string();
    words.all(["-c:v", "libsvtav1", "-preset", "10", "-crf", "35", "-g", &group, "-svtav1-params", "lp=2"]);
}

fn vp9(words: &mut Words, rung: Rung, fps: u32) {
    let rate = format!("{}k", rung.max_kbps());
    words.all(["-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1", "-threads", "2"]);
    words.all(["-crf", "33", "-b:v", &rate, "-g", &(2 * fps).to_string()]);
}

/// One picture of the graph as a file.
pub(super) fn picture(words: &mut Words, map: &str, codec: &[&str], name: &str) {
    words.all(["-map", map]).all(codec.iter().copied()).all(["-frames:v", "1", "-update", "1"]);
    words.all(["-threads", "1"]).all(CLEAN).all(["-f", "image2", name]);
}

/// A poster out of the frames of `from`, as JPEG in `[poster]` and as WebP in `[posterw]`. JPEG has its own matrix and range
/// (JFIF 1.02), WebP that of television (RFC 9649).
pub(super) fn posters(from: &str, width: u32, height: u32, said: &str) -> String {
    format!(
        "{from},split=2[p0][p1];\
         [p0]scale=w={width}:h={height}{said}:out_color_matrix=bt601:out_range=pc,setsar=1,format=yuvj420p[poster];\
         [p1]scale=w={width}:h={height}{said}:out_color_matrix=bt601:out_range=tv,setsar=1,format=yuv420p[posterw]"
    )
}

/// How both are coded.
pub(super) fn poster_files(words: &mut Words, jpeg: &str, webp: &str) {
    picture(words, "[poster]", &["-c:v", "mjpeg", "-q:v", "3"], jpeg);
    picture(words, "[posterw]", &["-c:v", "libwebp", "-quality", "80"], webp);
}

/// A constant frame rate; slowed down, new frames are blended of their neighbours and the last one stays to the end.
pub(super) fn timing(fps: u32, slower_permille: Option<u64>) -> String {
    match slower_permille {
        None => format!("fps={fps}"),
        Some(permille) => {
            format!("setpts=PTS*{permille}/1000,framerate=fps={fps},tpad=stop_mode=clone:stop_duration=1")
        }
    }
}

/// The matrix of frames that were scaled once.
pub(super) const BT709: &str = ":in_color_matrix=bt709";

/// The matrix that has to be said of a clip: one that does not say its own is taken as players take it, by its size.
pub(super) fn matrix_of(info: &ClipInfo) -> &'static str {
    match info.has_matrix {
        true => "",
        false if info.width.min(info.height) >= 720 => BT709,
        false => ":in_color_matrix=bt601",
    }
}

/// Lays everything over `[under0]`, a picture of this size; gives `[base]`.
pub(super) fn laid_over(branding: &Branding, width: u32, height: u32) -> String {
    let mut graph = String::new();
    for (number, overlay) in branding.overlays.iter().enumerate() {
        let next = number + 1;
        let (over, place) = (overlay.scaled(width, height), overlay.place(width, height));
        graph.push_str(&format!(
            ";[{next}:v:0]{over}[over{number}];[under{number}][over{number}]overlay={place}[under{next}]"
        ));
    }
    graph.push_str(&format!(";[under{}]setparams=colorspace=bt709[base]", branding.overlays.len()));
    graph
}

/// A frame in the shape and colours of a rung.
fn picture_of(rung: Rung, said: &str) -> String {
    let Rung { width, height, .. } = rung;
    format!("scale=w={width}:h={height}{said}:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p")
}

/// The progressive file and the HLS rendition of one encode.
fn tee(name: &str, folder: &str) -> String {
    format!(
        "[f=mp4:movflags=+faststart:fflags=+bitexact]{name}|\
         [f=hls:fflags=+bitexact:hls_time=2:hls_segment_type=fmp4:hls_playlist_type=vod:hls_flags=independent_segments:\
         hls_fmp4_init_filename=init.mp4:hls_segment_filename={folder}/segment_%d.m4s]{folder}/playlist.m3u8"
    )
}
