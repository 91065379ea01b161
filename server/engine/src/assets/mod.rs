//! What generations leave behind: stills, videos and their renditions, as rows beside the objects in the store.

pub(crate) mod store;

use domain::{CallId, GenerationId, StillId, VideoId, generation::Frame};

use crate::{Engine, Error};

/// A still that the object store has.
pub(crate) struct NewStill<'a> {
    pub(crate) id: StillId,
    pub(crate) generation_id: GenerationId,
    pub(crate) frame: Frame,
    pub(crate) call_id: CallId,
    pub(crate) key: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) bytes: u64,
    pub(crate) sha256: &'a str,
}

/// Where a still is stored.
pub(crate) struct StillObject {
    pub(crate) key: String,
    pub(crate) content_type: String,
}

/// Which part of a video an object is: what is kept for how long goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What the provider made.
    Original,
    /// A file that is played.
    Rendition,
    /// A file of the HLS package.
    Hls,
    /// A picture of it.
    Poster,
    /// A cut for another place.
    Export,
}

impl Part {
    /// The word in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Rendition => "rendition",
            Self::Hls => "hls",
            Self::Poster => "poster",
            Self::Export => "export",
        }
    }
}

/// An object of a video that the store has.
pub(crate) struct NewObject {
    pub(crate) part: Part,
    pub(crate) content_type: &'static str,
    pub(crate) stored: storage::StoredObject,
}

/// How far the product's colour is from what was made: CIEDE2000 in hundredths.
pub(crate) struct Colours {
    pub(crate) stills: Vec<(Frame, u32)>,
    pub(crate) clip: u32,
}

/// A video that is stored whole.
pub(crate) struct NewVideo<'a> {
    pub(crate) made: &'a media::EncodeResult,
    pub(crate) renditions: Vec<(&'a storage::StoredObject, &'a media::Rendition)>,
    pub(crate) poster: &'a storage::Key,
    pub(crate) poster_webp: &'a storage::Key,
    pub(crate) strip: &'a storage::Key,
    /// The master playlist.
    pub(crate) hls: Option<&'a storage::Key>,
    /// How true its colours are, where that could be measured.
    pub(crate) colours: Option<&'a Colours>,
}

impl Engine {
    /// Whether shoppers were ever shown a video: its files are public from then on, so that a page that still plays it is not
    /// cut off when another takes its place. Until then, while files are being stored, they are not.
    ///
    /// # Errors
    /// Only when the database does not answer.
    pub async fn is_shown(&self, video: VideoId) -> Result<bool, Error> {
        Ok(store::is_shown(&mut *self.pg().acquire().await?, video).await?)
    }
}
