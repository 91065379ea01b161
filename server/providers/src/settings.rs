//! Where the providers are and how we sign in there.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

const STILL_TIMEOUT: Duration = Duration::from_secs(300);
const FILE_TIMEOUT: Duration = Duration::from_secs(300);

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct InvalidSetting {
    /// Which one.
    pub name: &'static str,
    /// What is wrong with it, without its value.
    pub reason: String,
}

/// fal.ai: hosts and key. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct FalSettings {
    /// The queue: submit, status, result, cancel.
    pub queue_url: Url,
    /// Storage for pictures that are not public.
    pub rest_url: Url,
    /// The platform API, without `/v1`.
    pub platform_url: Url,
    /// The public keys of webhook signatures.
    pub jwks_url: Url,
    /// The account's key, `id:secret`.
    pub key: SecretString,
    /// Hosts result files may lie on: `name`, or `*.name` for every host below it.
    pub media_hosts: Vec<String>,
    /// Results may lie on this machine over plain http. For the simulator only.
    pub allow_loopback: bool,
    /// Longest time for one result file, to its last byte.
    pub file_timeout: Duration,
}

impl FalSettings {
    /// The real fal.ai.
    ///
    /// # Errors
    /// [`InvalidSetting`] only if a built-in address were wrong.
    pub fn vendor(key: SecretString) -> Result<Self, InvalidSetting> {
        Ok(Self {
            queue_url: parse("fal queue address", "https://queue.fal.run")?,
            rest_url: parse("fal REST address", "https://rest.fal.ai")?,
            platform_url: parse("fal platform address", "https://api.fal.ai")?,
            jwks_url: parse("fal JWKS address", "https://rest.fal.ai/.well-known/jwks.json")?,
            key,
            media_hosts: vec!["fal.media".to_owned(), "*.fal.media".to_owned()],
            allow_loopback: false,
            file_timeout: FILE_TIMEOUT,
        })
    }

    /// Everything at one simulator on this machine.
    ///
    /// # Errors
    /// [`InvalidSetting`] when `url` has no host.
    pub fn simulator(url: &Url) -> Result<Self, InvalidSetting> {
        let host = url.host_str().ok_or_else(|| InvalidSetting {
            name: "simulator address",
            reason: "expected an address with a host, like http://127.0.0.1:8080".to_owned(),
        })?;
        Ok(Self {
            queue_url: url.clone(),
            rest_url: url.clone(),
            platform_url: url.clone(),
            jwks_url: join(url, ".well-known/jwks.json"),
            key: SecretString::from("simulator:key"),
            media_hosts: vec![host.to_owned()],
            allow_loopback: true,
            file_timeout: FILE_TIMEOUT,
        })
    }
}

/// A version of the Gemini API. Stills are asked for and answered alike in both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GeminiVersion {
    /// `v1`
    V1,
    /// `v1beta`: has new models first.
    #[default]
    V1beta,
}

impl GeminiVersion {
    /// Every version.
    pub const ALL: [Self; 2] = [Self::V1, Self::V1beta];

    /// The version in an address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1beta => "v1beta",
        }
    }

    /// Reads the version as an address writes it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }
}

/// Google's Gemini API: host and key. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct GeminiSettings {
    /// The host, without a version.
    pub base_url: Url,
    /// The version that is spoken.
    pub version: GeminiVersion,
    /// The API key.
    pub key: SecretString,
    /// Longest wait for a still. Whoever hangs up earlier pays for nothing: a still takes 15 to 40 s, at times minutes.
    pub timeout: Duration,
}

impl GeminiSettings {
    /// The real Gemini API.
    ///
    /// # Errors
    /// [`InvalidSetting`] only if the built-in address were wrong.
    pub fn vendor(key: SecretString) -> Result<Self, InvalidSetting> {
        Ok(Self {
            base_url: parse("Gemini address", "https://generativelanguage.googleapis.com")?,
            version: GeminiVersion::default(),
            key,
            timeout: STILL_TIMEOUT,
        })
    }

    /// The simulator.
    pub fn simulator(url: &Url) -> Self {
        Self {
            base_url: url.clone(),
            version: GeminiVersion::default(),
            key: SecretString::from("simulator-key"),
            timeout: STILL_TIMEOUT,
        }
    }
}

fn parse(name: &'static str, text: &str) -> Result<Url, InvalidSetting> {
    Url::parse(text).map_err(|error| InvalidSetting { name, reason: error.to_string() })
}

/// `base` with path segments added behind whatever path it has; never climbs, never drops the last segment.
pub(crate) fn join(base: &Url, path: &str) -> Url {
    let mut joined = base.clone();
    joined.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/')));
    joined
}
