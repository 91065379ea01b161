//! What generations leave behind: stills, videos and their renditions, as rows beside the objects in the store.

pub(crate) mod store;

use domain::{CallId, GenerationId, StillId, generation::Frame};

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
