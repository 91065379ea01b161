use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

/// Uploads that may be under way at once, and bytes of all of them together.
const MOST_UPLOADS: usize = 32;
const MOST_BYTES: usize = 512 * 1024 * 1024;

/// Uploads that come in parts, until they are complete. Kept in memory: a
/// restart forgets them, as it breaks the connection they come by.
#[derive(Default)]
pub(crate) struct PartShelf {
    uploads: Mutex<HashMap<Uuid, BTreeMap<u32, Bytes>>>,
}

/// There is no room for another upload or another part.
#[derive(Debug, thiserror::Error)]
#[error("too many or too large uploads are under way")]
pub(crate) struct NoRoom;

impl PartShelf {
    /// Begins an upload.
    pub(crate) fn begin(&self, upload: Uuid) -> Result<(), NoRoom> {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        if uploads.len() >= MOST_UPLOADS {
            return Err(NoRoom);
        }
        uploads.insert(upload, BTreeMap::new());
        Ok(())
    }

    /// Keeps a part, or replaces it; `false` when the upload is unknown.
    pub(crate) fn keep(&self, upload: Uuid, number: u32, bytes: Bytes) -> Result<bool, NoRoom> {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: usize = uploads.values().flat_map(BTreeMap::values).map(Bytes::len).sum();
        if kept + bytes.len() > MOST_BYTES {
            return Err(NoRoom);
        }
        let Some(parts) = uploads.get_mut(&upload) else { return Ok(false) };
        parts.insert(number, bytes);
        Ok(true)
    }

    /// Ends an upload and joins its parts; `None` when it is unknown or a part
    /// of `numbers` is missing.
    pub(crate) fn join(&self, upload: Uuid, numbers: &[u32]) -> Option<Bytes> {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = uploads.get(&upload)?;
        let mut whole = BytesMut::new();
        for number in numbers {
            whole.extend_from_slice(parts.get(number)?);
        }
        uploads.remove(&upload);
        Some(whole.freeze())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parts_are_joined_in_the_order_asked_for() {
        let (shelf, upload) = (PartShelf::default(), Uuid::from_u128(1));
        shelf.begin(upload).unwrap();
        assert!(shelf.keep(upload, 2, Bytes::from_static(b"lo")).unwrap());
        assert!(shelf.keep(upload, 1, Bytes::from_static(b"hel")).unwrap());
        assert!(!shelf.keep(Uuid::from_u128(2), 1, Bytes::new()).unwrap());
        assert_eq!(shelf.join(upload, &[1, 3]), None);
        assert_eq!(shelf.join(upload, &[1, 2]).unwrap(), "hello");
        assert_eq!(shelf.join(upload, &[1, 2]), None);
    }
}
