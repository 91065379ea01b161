//! One frame of a clip as its poster.

use std::{ffi::OsString, path::Path};

use super::{
    GUARDS, Words, file,
    job::{matrix_of, poster_files, posters},
};
use crate::{Error, probe::ClipInfo};

/// Everything about the run. Names are relative to the folder ffmpeg runs in.
pub(crate) struct PosterJob<'a> {
    pub input: &'a Path,
    pub info: &'a ClipInfo,
    /// The moment, in milliseconds.
    pub at_ms: u32,
    pub size: (u32, u32),
    pub jpeg: &'a str,
    pub webp: &'a str,
}

impl PosterJob<'_> {
    pub fn arguments(&self) -> Result<Vec<OsString>, Error> {
        let mut words = Words::default();
        words.all(["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-y", "-xerror"]);
        let at = format!("{}.{:03}", self.at_ms / 1000, self.at_ms % 1000);
        words.all(GUARDS).all(["-threads", "2", "-ss", &at, "-i"]).one(file(self.input)?);
        let graph = posters("[0:v:0]null", self.size.0, self.size.1, matrix_of(self.info));
        words.all(["-filter_complex", &graph]);
        poster_files(&mut words, self.jpeg, self.webp);
        Ok(words.0)
    }
}
