//! A clip brought into the shape of another place.

use std::{ffi::OsString, path::Path};

use domain::export::{ExportOptions, Fit};

use super::{
    GUARDS, Output, PICTURE_GUARDS, Words, file,
    job::{laid_over, matrix_of, timing, video},
};
use crate::{
    Error,
    branding::{Branding, Overlay},
    framing::{around, covering, inside},
    probe::ClipInfo,
};

/// How strongly the copy behind a picture that is shown whole is blurred, in pixels of deviation, and how much darker it is.
const BLUR: &str = "gblur=sigma=24,eq=brightness=-0.08";

/// Everything about the run. Names are relative to the folder ffmpeg runs in.
pub(crate) struct ExportJob<'a> {
    pub input: &'a Path,
    pub info: &'a ClipInfo,
    pub options: &'a ExportOptions,
    pub fps: u32,
    pub seconds: u32,
    pub frames: u64,
    pub slower_permille: Option<u64>,
    pub output: &'a Output,
    pub branding: Option<&'a Branding>,
}

impl ExportJob<'_> {
    pub fn arguments(&self) -> Result<Vec<OsString>, Error> {
        let mut words = Words::default();
        words.all(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y", "-xerror"]);
        words.all(["-progress", "pipe:1", "-stats_period", "0.25"]);
        words.all(GUARDS).all(["-threads", "2", "-t", &self.seconds.to_string(), "-i"]).one(file(self.input)?);
        for overlay in self.overlays() {
            words.all(PICTURE_GUARDS).all(["-i"]).one(file(&overlay.path)?);
        }
        words.all(["-filter_complex_threads", "2", "-filter_complex", &self.graph(), "-map", "[v]"]);
        video(&mut words, self.output, self.fps, self.frames);
        Ok(words.0)
    }

    /// The files it opens.
    pub fn reads(&self) -> Vec<&Path> {
        std::iter::once(self.input).chain(self.overlays().iter().map(|overlay| overlay.path.as_path())).collect()
    }

    fn overlays(&self) -> &[Overlay] {
        self.branding.map_or(&[], |branding| &branding.overlays)
    }

    fn graph(&self) -> String {
        let (width, height) = (self.output.rung.width, self.output.rung.height);
        let source = (self.info.width, self.info.height);
        let (cover_width, cover_height) = covering(source, (width, height));
        let said = matrix_of(self.info);
        let colours = format!("{said}:out_color_matrix=bt709:out_range=tv");
        let scaled = |w: u32, h: u32| format!("scale=w={w}:h={h}{colours},setsar=1,format=yuv420p");
        let mut graph = format!("[0:v:0]{}", timing(self.fps, self.slower_permille));
        match self.options.fit {
            Fit::Crop => {
                let x = around(cover_width, width, self.options.focus.x());
                let y = around(cover_height, height, self.options.focus.y());
                let cover = scaled(cover_width, cover_height);
                graph.push_str(&format!(",{cover},crop=w={width}:h={height}:x={x}:y={y}[under0]"));
            }
            Fit::Blur => {
                let (fit_width, fit_height) = inside(source, (width, height));
                let (cover, fit) = (scaled(cover_width, cover_height), scaled(fit_width, fit_height));
                graph.push_str(&format!(
                    ",split=2[a][b];[a]{cover},crop=w={width}:h={height},{BLUR}[back];[b]{fit}[front];\
                     [back][front]overlay=x=(W-w)/2:y=(H-h)/2:format=yuv420[under0]"
                ));
            }
        }
        match self.branding {
            Some(branding) => graph.push_str(&laid_over(branding, width, height)),
            None => graph.push_str(";[under0]null[base]"),
        }
        graph.push_str(
            ";[base]format=yuv420p,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709[v]",
        );
        graph
    }
}
