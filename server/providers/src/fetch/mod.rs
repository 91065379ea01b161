//! Fetching result files from a provider's file host: the address comes from outside, so do the bytes.
//!
//! https only, hosts from a list, addresses of the open internet only and connected to as checked, at most three
//! redirects each checked the same way, no key sent, bytes counted and hashed while they are written, kind decided by
//! the first bytes.

mod address;
mod target;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::FailureCode;
use futures::StreamExt;
use http::header::LOCATION;
use reqwest::{Client, Response, redirect};
use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncWriteExt};
use url::Url;
use uuid::Uuid;

use crate::{
    Certainty, FalSettings, MediaKind, ProviderError, Retry,
    http_client::{Purpose, USER_AGENT, chain, lost},
};
pub(crate) use target::check_target;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 3;

/// What may be fetched and from where.
#[derive(Debug, Clone)]
pub struct FetchRules {
    /// Hosts files may lie on: `name`, or `*.name` for every host below it.
    pub hosts: Vec<String>,
    /// Most bytes of one file.
    pub max_bytes: u64,
    /// Kinds of files taken.
    pub kinds: Vec<MediaKind>,
    /// Longest time without a byte.
    pub idle_timeout: Duration,
    /// Longest time for the whole file.
    pub total_timeout: Duration,
    /// This machine over plain http is allowed too. Decided once: the client is built for it.
    allow_loopback: bool,
    client: Client,
}

impl FetchRules {
    /// Rules for files of `kinds` from `hosts`: 200 MB, 30 s without a byte, 5 minutes in all. `allow_loopback` opens
    /// this machine over plain http, for the simulator only.
    ///
    /// # Errors
    /// [`ProviderError`] when TLS cannot be set up.
    pub fn new(hosts: Vec<String>, allow_loopback: bool, kinds: Vec<MediaKind>) -> Result<Self, ProviderError> {
        Ok(Self {
            hosts,
            allow_loopback,
            max_bytes: 200_000_000,
            kinds,
            idle_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(300),
            client: guarded_client(allow_loopback)?,
        })
    }

    /// Rules for stills made by fal: at most 40 MB.
    ///
    /// # Errors
    /// [`ProviderError`] when TLS cannot be set up.
    pub fn stills_of(settings: &FalSettings) -> Result<Self, ProviderError> {
        let rules = Self::new(settings.media_hosts.clone(), settings.allow_loopback, MediaKind::PICTURES.to_vec())?;
        Ok(Self { max_bytes: 40_000_000, total_timeout: settings.file_timeout, ..rules })
    }

    /// Rules for clips made by fal.
    ///
    /// # Errors
    /// [`ProviderError`] when TLS cannot be set up.
    pub fn clips_of(settings: &FalSettings) -> Result<Self, ProviderError> {
        let rules = Self::new(settings.media_hosts.clone(), settings.allow_loopback, vec![MediaKind::Mp4])?;
        Ok(Self { total_timeout: settings.file_timeout, ..rules })
    }
}

/// A client that connects only to addresses in the open internet, follows nothing, keeps nothing and decodes nothing.
pub(crate) fn guarded_client(allow_loopback: bool) -> Result<Client, ProviderError> {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT)
        .dns_resolver(Arc::new(address::GuardedResolver { allow_loopback }))
        .build()
        .map_err(|error| {
            let detail = format!("no HTTP client: {}", chain(&error));
            ProviderError::new(FailureCode::Internal, Certainty::Unchanged, Retry::Never, detail)
        })
}

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// What its first bytes say it is.
    pub kind: MediaKind,
}

impl Fetched {
    /// The media type its first bytes show, whatever the host called it.
    pub const fn content_type_sniffed(&self) -> &'static str {
        self.kind.content_type()
    }
}

/// Fetches a result file to `to`, whose folder must exist. The file appears there whole or not at all.
///
/// # Errors
/// [`ProviderError`] with [`Certainty::Unchanged`]: `ResultMissing` when the file is gone, refused or too large,
/// `ClipCorrupt` or, for stills, `ProviderGarbage` when it is of another kind, the usual codes when the host is away.
pub async fn fetch_result(url: &Url, rules: &FetchRules, to: &Path) -> Result<Fetched, ProviderError> {
    let fetched = tokio::time::timeout(rules.total_timeout, fetch(url, rules, to)).await.unwrap_or_else(|_| {
        let detail = format!("the file took longer than {} s", rules.total_timeout.as_secs());
        Err(failed(FailureCode::ProviderTimeout, Retry::LATER, detail))
    });
    let host = url.host_str().unwrap_or("nowhere");
    match &fetched {
        Ok(file) => tracing::info!(file.bytes = file.bytes, "fetched {} bytes from {host}", file.bytes),
        Err(error) => tracing::warn!("fetching a result from {host}: {error}"),
    }
    fetched
}

async fn fetch(url: &Url, rules: &FetchRules, to: &Path) -> Result<Fetched, ProviderError> {
    let response = open(url.clone(), rules).await?;
    if response.content_length().is_some_and(|bytes| bytes > rules.max_bytes) {
        return Err(too_large(rules));
    }
    let part = PartFile::beside(to).ok_or_else(|| internal("the target has no name".to_owned()))?;
    let fetched = store(response, rules, &part.path).await?;
    tokio::fs::rename(&part.path, to).await.map_err(|error| internal(format!("storing the file: {error}")))?;
    Ok(fetched)
}

/// Follows redirects, each checked as the first address was.
async fn open(mut url: Url, rules: &FetchRules) -> Result<Response, ProviderError> {
    for _ in 0..=MAX_REDIRECTS {
        target::check(&url, rules).map_err(|reason| failed(FailureCode::ResultMissing, Retry::Never, reason))?;
        let sending = rules.client.get(url.clone()).send();
        let response = tokio::time::timeout(rules.idle_timeout, sending)
            .await
            .map_err(|_| idle(rules))?
            .map_err(|error| lost(&error, Purpose::Asks))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if !status.is_redirection() {
            return Err(refused(status.as_u16()));
        }
        let next = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        url = next
            .and_then(|next| url.join(next).ok())
            .ok_or_else(|| failed(FailureCode::ResultMissing, Retry::Never, "a redirect to nowhere".to_owned()))?;
    }
    Err(failed(FailureCode::ResultMissing, Retry::Never, format!("more than {MAX_REDIRECTS} redirects")))
}

async fn store(response: Response, rules: &FetchRules, path: &Path) -> Result<Fetched, ProviderError> {
    let writing = |error: std::io::Error| internal(format!("writing the file: {error}"));
    let mut file = File::create_new(path).await.map_err(writing)?;
    let mut chunks = response.bytes_stream();
    let (mut hash, mut bytes, mut first) = (Sha256::new(), 0_u64, Vec::new());
    while let Some(chunk) = tokio::time::timeout(rules.idle_timeout, chunks.next()).await.map_err(|_| idle(rules))? {
        let chunk = chunk.map_err(|error| lost(&error, Purpose::Asks))?;
        bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if bytes > rules.max_bytes {
            return Err(too_large(rules));
        }
        if first.len() < MediaKind::SNIFFED_BYTES {
            first.extend(chunk.iter().take(MediaKind::SNIFFED_BYTES - first.len()));
            if first.len() == MediaKind::SNIFFED_BYTES {
                // Known at once: a wrong file is not read to its end.
                kind_of(&first, rules)?;
            }
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(writing)?;
    }
    let kind = kind_of(&first, rules)?;
    file.sync_all().await.map_err(writing)?;
    Ok(Fetched { bytes, sha256: hash.finalize().into(), kind })
}

fn kind_of(first: &[u8], rules: &FetchRules) -> Result<MediaKind, ProviderError> {
    MediaKind::sniff(first).filter(|kind| rules.kinds.contains(kind)).ok_or_else(|| {
        let detail = format!("the file is not what was made: it begins with {}", first.escape_ascii());
        let clips = rules.kinds.contains(&MediaKind::Mp4);
        failed(if clips { FailureCode::ClipCorrupt } else { FailureCode::ProviderGarbage }, Retry::Never, detail)
    })
}

fn refused(status: u16) -> ProviderError {
    let (code, retry) = match status {
        408 | 429 | 500.. => (FailureCode::ProviderUnavailable, Retry::LATER),
        _ => (FailureCode::ResultMissing, Retry::Never),
    };
    failed(code, retry, format!("the file host answered {status}"))
}

fn idle(rules: &FetchRules) -> ProviderError {
    let detail = format!("no byte for {} s", rules.idle_timeout.as_secs());
    failed(FailureCode::ProviderTimeout, Retry::LATER, detail)
}

fn too_large(rules: &FetchRules) -> ProviderError {
    let detail = format!("the file is larger than {} bytes", rules.max_bytes);
    failed(FailureCode::ResultMissing, Retry::Never, detail)
}

fn internal(detail: String) -> ProviderError {
    failed(FailureCode::Internal, Retry::LATER, detail)
}

fn failed(code: FailureCode, retry: Retry, detail: String) -> ProviderError {
    ProviderError::new(code, Certainty::Unchanged, retry, detail)
}

/// The file while it is written; removed unless it was renamed, also when the fetch is dropped half way.
struct PartFile {
    path: PathBuf,
}

impl PartFile {
    fn beside(to: &Path) -> Option<Self> {
        let name = to.file_name()?.to_str()?;
        Some(Self { path: to.with_file_name(format!(".{name}.{}.part", Uuid::now_v7().simple())) })
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // After the rename there is nothing here any more.
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("removing {}: {error}", self.path.display());
        }
    }
}
