//! Sending: small things in one request, files above 8 MiB in parts, memory flat either way.

use std::path::Path;

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use futures::stream::{FuturesUnordered, StreamExt};
use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncReadExt};

use crate::{Error, Key, Store, StoredObject};

/// Objects never change under their key, so a cache may keep them for ever (RFC 8246).
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Size of a part, and the largest body that is sent whole. S3 wants parts of at least 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Parts on the way at the same time: 24 MiB of memory at most for a file of any size.
const PARTS_IN_FLIGHT: usize = 3;
/// S3's limit; with 8 MiB parts a file may have 78 GiB.
const MAX_PARTS: i32 = 10_000;

impl Store {
    /// Stores bytes under a key with an immutable cache header. The body is signed, so the store refuses damaged bytes.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unavailable`].
    pub async fn put_bytes(&self, key: &Key, bytes: Bytes, content_type: &str) -> Result<StoredObject, Error> {
        let stored = StoredObject {
            key: key.clone(),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256: hex::encode(Sha256::digest(&bytes)),
        };
        let request = self.client.put_object().bucket(&*self.bucket).key(key.as_str());
        let request = request.content_type(content_type).cache_control(IMMUTABLE).set_tagging(self.tags_of(key));
        let request = request.body(ByteStream::from(bytes));
        request.send().await.map_err(|error| Error::from_sdk(key.as_str(), &error))?;
        tracing::debug!(storage.key = %key, storage.bytes = stored.bytes, "stored {key}");
        Ok(stored)
    }

    /// Stores a file as [`Store::put_bytes`] does; above 8 MiB in parts, never more than 24 MiB in memory. Afterwards
    /// the store is asked how long the object is. An upload that fails leaves no parts behind.
    ///
    /// # Errors
    /// [`Error::Disk`], [`Error::Damaged`], [`Error::Refused`], [`Error::Unavailable`].
    pub async fn put_file(&self, key: &Key, path: &Path, content_type: &str) -> Result<StoredObject, Error> {
        let mut file = File::open(path).await?;
        let first = read_part(&mut file).await?;
        let stored = if first.len() < PART_BYTES {
            self.put_bytes(key, first, content_type).await?
        } else {
            self.put_parts(key, first, file, content_type).await?
        };
        let found = self.head(key).await?.map_or(0, |info| info.total_bytes);
        if found == stored.bytes {
            return Ok(stored);
        }
        self.delete(key).await?;
        Err(Error::Damaged { key: key.to_string(), sent_bytes: stored.bytes, stored_bytes: found })
    }

    async fn put_parts(&self, key: &Key, first: Bytes, file: File, content_type: &str) -> Result<StoredObject, Error> {
        let request = self.client.create_multipart_upload().bucket(&*self.bucket).key(key.as_str());
        let request = request.content_type(content_type).cache_control(IMMUTABLE).set_tagging(self.tags_of(key));
        let answer = request.send().await.map_err(|error| Error::from_sdk(key.as_str(), &error))?;
        let id = answer.upload_id.ok_or_else(|| Error::Unavailable("the upload got no id".to_owned()))?;
        let upload = Upload { store: self.clone(), key: key.clone(), id, open: true };
        upload.run(first, file).await
    }
}

/// A multipart upload that has been opened. Aborted in the background when it is dropped before it is complete, so
/// that a cancelled job does not leave parts that are paid for.
struct Upload {
    store: Store,
    key: Key,
    id: String,
    open: bool,
}

impl Upload {
    async fn run(mut self, first: Bytes, file: File) -> Result<StoredObject, Error> {
        match self.send_all(first, file).await {
            Ok((parts, stored)) => {
                self.complete(parts).await?;
                self.open = false;
                Ok(stored)
            }
            Err(error) => {
                self.open = false;
                abort(&self.store, &self.key, &self.id).await;
                Err(error)
            }
        }
    }

    /// Sends part after part; while the slowest are on the way the file is not read.
    async fn send_all(&self, first: Bytes, mut file: File) -> Result<(Vec<CompletedPart>, StoredObject), Error> {
        let mut digest = Sha256::new();
        let (mut bytes, mut parts, mut part) = (0_u64, Vec::new(), first);
        let mut flying = FuturesUnordered::new();
        for number in 1..=MAX_PARTS {
            digest.update(&part);
            bytes += u64::try_from(part.len()).unwrap_or_default();
            let is_last = part.len() < PART_BYTES;
            if !part.is_empty() {
                flying.push(self.send(number, part));
            }
            while flying.len() >= PARTS_IN_FLIGHT || (is_last && !flying.is_empty()) {
                if let Some(sent) = flying.next().await {
                    parts.push(sent?);
                }
            }
            if is_last {
                parts.sort_by_key(CompletedPart::part_number);
                let sha256 = hex::encode(digest.finalize());
                return Ok((parts, StoredObject { key: self.key.clone(), bytes, sha256 }));
            }
            part = read_part(&mut file).await?;
        }
        Err(Error::Invalid(format!("{} is longer than {MAX_PARTS} parts", self.key)))
    }

    async fn send(&self, number: i32, part: Bytes) -> Result<CompletedPart, Error> {
        let request = self.store.client.upload_part().bucket(&*self.store.bucket).key(self.key.as_str());
        let request = request.upload_id(&self.id).part_number(number).body(ByteStream::from(part));
        let answer = request.send().await.map_err(|error| Error::from_sdk(self.key.as_str(), &error))?;
        Ok(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).build())
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<(), Error> {
        let count = parts.len();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.store.client.complete_multipart_upload().bucket(&*self.store.bucket).key(self.key.as_str());
        let request = request.upload_id(&self.id).multipart_upload(parts);
        request.send().await.map_err(|error| Error::from_sdk(self.key.as_str(), &error))?;
        tracing::debug!(storage.key = %self.key, storage.parts = count, "stored {} in {count} parts", self.key);
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.open, tokio::runtime::Handle::try_current()) {
            let (store, key, id) = (self.store.clone(), self.key.clone(), self.id.clone());
            runtime.spawn(async move { abort(&store, &key, &id).await });
        }
    }
}

/// Best effort: what cannot be aborted now is removed by the bucket's lifecycle rule for incomplete uploads.
async fn abort(store: &Store, key: &Key, id: &str) {
    let request = store.client.abort_multipart_upload().bucket(&*store.bucket).key(key.as_str()).upload_id(id);
    if let Err(error) = request.send().await {
        let error = Error::from_sdk(key.as_str(), &error);
        tracing::warn!(storage.key = %key, "parts of {key} were left behind: {error}");
    }
}

/// The next 8 MiB of the file, or what is left of it.
async fn read_part(file: &mut File) -> Result<Bytes, Error> {
    let mut part = BytesMut::with_capacity(PART_BYTES);
    let mut window = file.take(u64::try_from(PART_BYTES).unwrap_or_default());
    while window.read_buf(&mut part).await? > 0 {}
    Ok(part.freeze())
}
