//! The bucket: put, get, look, remove.

use std::{path::Path, sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    error::SdkError,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::{
    ByteRange, Error, Key, Listed, Object, ObjectInfo, Settings, StoredObject,
    object::{body, content_range, instant},
};

/// How long a connection may take to stand.
pub(crate) const CONNECT_SECONDS: u64 = 3;
/// How long the answer to a health check may take, retries included.
const HEALTH: Duration = Duration::from_secs(5);
/// What a name is served as when the store does not say.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// One bucket. Cheap to clone; all clones share connections. Every request has a connect (3 s), an attempt (60 s) and
/// an operation (150 s) limit, and is tried up to 3 times when the store is away or busy.
#[derive(Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) bucket: Arc<str>,
    region: Arc<str>,
    is_aws: bool,
    pub(crate) has_tags: bool,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl Store {
    /// Checks the settings and makes the client. Sends nothing and creates nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the setting that can never work.
    pub async fn connect(settings: Settings) -> Result<Self, Error> {
        settings.check()?;
        let client = Client::from_conf(settings.client());
        let is_aws = settings.endpoint.is_none();
        Ok(Self { client, bucket: settings.bucket.into(), region: settings.region.into(), is_aws, has_tags: is_aws })
    }

    /// The same store with posters tagged for its lifecycle rules, or not. AWS and MinIO know tags, R2 refuses objects that
    /// have some; without a word here they are set on AWS.
    #[must_use]
    pub fn with_tags(self, has_tags: bool) -> Self {
        Self { has_tags, ..self }
    }

    /// Creates the bucket unless it is there. Two processes may do this at once.
    ///
    /// # Errors
    /// [`Error::Refused`] when the key pair may not; [`Error::Unavailable`] when the store is away.
    pub async fn ensure_bucket(&self) -> Result<(), Error> {
        match self.health().await {
            Err(Error::NotFound(_)) => {}
            answer => return answer,
        }
        // AWS wants the region said again, except for its first one; others do not know the field.
        let location = (self.is_aws && &*self.region != "us-east-1").then(|| {
            let region = BucketLocationConstraint::from(&*self.region);
            CreateBucketConfiguration::builder().location_constraint(region).build()
        });
        let request = self.client.create_bucket().bucket(&*self.bucket).set_create_bucket_configuration(location);
        match request.send().await {
            Ok(_) => tracing::info!(storage.bucket = %self.bucket, "created bucket {}", self.bucket),
            Err(SdkError::ServiceError(answer)) if answer.raw().status().as_u16() == 409 => {}
            Err(error) => return Err(Error::from_sdk(&self.bucket, &error)),
        }
        self.health().await
    }

    /// Asks whether the bucket answers; at most 5 s.
    ///
    /// # Errors
    /// [`Error::NotFound`] without the bucket, [`Error::Refused`] with a wrong key pair, [`Error::Unavailable`].
    pub async fn health(&self) -> Result<(), Error> {
        let request = self.client.head_bucket().bucket(&*self.bucket).send();
        match tokio::time::timeout(HEALTH, request).await {
            Err(_) => Err(Error::Unavailable("no answer to the health check".to_owned())),
            Ok(Err(error)) => Err(Error::from_sdk(&self.bucket, &error)),
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// What is known of an object, or none when it does not exist.
    ///
    /// # Errors
    /// [`Error::Refused`] (also for a missing object, when the key pair may not list), [`Error::Unavailable`].
    pub async fn head(&self, key: &Key) -> Result<Option<ObjectInfo>, Error> {
        let answer = self.client.head_object().bucket(&*self.bucket).key(key.as_str()).send().await;
        let found = match answer.map_err(|error| Error::from_sdk(key.as_str(), &error)) {
            Err(Error::NotFound(_)) => return Ok(None),
            other => other?,
        };
        Ok(Some(ObjectInfo {
            total_bytes: length(found.content_length),
            content_type: found.content_type.unwrap_or_else(|| UNKNOWN_TYPE.to_owned()),
            cache_control: found.cache_control,
            etag: found.e_tag.unwrap_or_default(),
            last_modified: instant(found.last_modified.as_ref()),
        }))
    }

    /// Opens an object, or one range of it, for streaming; nothing is buffered.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::OutOfRange`] with the object's length; [`Error::Refused`]; [`Error::Unavailable`].
    pub async fn open(&self, key: &Key, range: Option<ByteRange>) -> Result<Object, Error> {
        let request = self.client.get_object().bucket(&*self.bucket).key(key.as_str());
        let request = request.set_range(range.map(|range| range.to_string()));
        let found = match request.send().await {
            Ok(found) => found,
            Err(SdkError::ServiceError(answer)) if answer.raw().status().as_u16() == 416 => {
                let info = self.head(key).await?.ok_or_else(|| Error::NotFound(key.to_string()))?;
                return Err(Error::OutOfRange { total_bytes: info.total_bytes });
            }
            Err(error) => return Err(Error::from_sdk(key.as_str(), &error)),
        };
        let bytes = length(found.content_length);
        let (first_byte, total_bytes) = found.content_range.as_deref().and_then(content_range).unwrap_or((0, bytes));
        Ok(Object {
            body: body(found.body, bytes),
            first_byte,
            bytes,
            total_bytes,
            content_type: found.content_type.unwrap_or_else(|| UNKNOWN_TYPE.to_owned()),
            etag: found.e_tag.unwrap_or_default(),
            last_modified: instant(found.last_modified.as_ref()),
        })
    }

    /// Fetches a whole object into memory, at most `max_bytes`.
    ///
    /// # Errors
    /// As [`Store::open`], and [`Error::TooLarge`].
    pub async fn get_bytes(&self, key: &Key, max_bytes: u64) -> Result<Bytes, Error> {
        let mut object = self.open_within(key, max_bytes).await?;
        let mut whole = BytesMut::with_capacity(usize::try_from(object.bytes).unwrap_or_default());
        while let Some(piece) = object.body.next().await {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole.freeze())
    }

    /// Fetches a whole object, at most `max_bytes`, into a file. The file appears under its name only when it is
    /// complete; an older one is replaced, and nothing is left behind on a failure.
    ///
    /// # Errors
    /// As [`Store::open`], [`Error::TooLarge`] and [`Error::Disk`].
    pub async fn get_to_file(&self, key: &Key, path: &Path, max_bytes: u64) -> Result<StoredObject, Error> {
        let mut object = self.open_within(key, max_bytes).await?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let part = tempfile::NamedTempFile::new_in(folder)?;
        let mut file = tokio::fs::File::from_std(part.reopen()?);
        let mut digest = Sha256::new();
        while let Some(piece) = object.body.next().await {
            let piece = piece?;
            digest.update(&piece);
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        file.sync_all().await?;
        part.persist(path).map_err(|error| error.error)?;
        Ok(StoredObject { key: key.clone(), bytes: object.bytes, sha256: hex::encode(digest.finalize()) })
    }

    /// Removes an object; one that is not there is as good as removed.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unavailable`].
    pub async fn delete(&self, key: &Key) -> Result<(), Error> {
        let answer = self.client.delete_object().bucket(&*self.bucket).key(key.as_str()).send().await;
        match answer.map_err(|error| Error::from_sdk(key.as_str(), &error)) {
            Ok(_) | Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The next objects whose keys begin with `prefix` and come after a key, in the order of keys, at most 1000; none at the
    /// end. What is no key of ours is left out.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Unavailable`].
    pub async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, Error> {
        let mut after = after.map(str::to_owned);
        // A page of nothing but foreign names is passed over.
        loop {
            let request = self.client.list_objects_v2().bucket(&*self.bucket).prefix(prefix).max_keys(1000);
            let answer = request.set_start_after(after.clone()).send().await;
            let page = answer.map_err(|error| Error::from_sdk(prefix, &error))?.contents.unwrap_or_default();
            let Some(last) = page.last().and_then(|object| object.key.clone()) else { return Ok(Vec::new()) };
            let ours = page.into_iter().filter_map(|object| {
                Some(Listed {
                    key: Key::parse(object.key.as_deref()?).ok()?,
                    bytes: length(object.size),
                    last_modified: instant(object.last_modified.as_ref()),
                })
            });
            let ours: Vec<Listed> = ours.collect();
            if !ours.is_empty() {
                return Ok(ours);
            }
            after = Some(last);
        }
    }

    async fn open_within(&self, key: &Key, max_bytes: u64) -> Result<Object, Error> {
        let object = self.open(key, None).await?;
        if object.bytes > max_bytes {
            return Err(Error::TooLarge { key: key.to_string(), bytes: object.bytes, max_bytes });
        }
        Ok(object)
    }
}

fn length(told: Option<i64>) -> u64 {
    told.and_then(|length| u64::try_from(length).ok()).unwrap_or_default()
}
