//! What the store needs to know, checked before the first request.

use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{Error, store::CONNECT_SECONDS};

/// How to reach the bucket. One value of this is one bucket.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://…` of R2, MinIO or another S3; none means AWS itself.
    pub endpoint: Option<String>,
    /// The region; `auto` for R2, anything for the embedded endpoint.
    pub region: String,
    /// The bucket's name: 3 to 63 of `a-z`, `0-9`, `.` and `-`.
    pub bucket: String,
    /// Public half of the key pair.
    pub access_key_id: String,
    /// Secret half of the key pair.
    pub secret_access_key: SecretString,
    /// `endpoint/bucket/key` instead of `bucket.endpoint/key`: MinIO and the embedded endpoint want it.
    pub path_style: bool,
}

impl Settings {
    /// Refuses what can never work, naming the setting.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |what: &str| Err(Error::Invalid(what.to_owned()));
        if let Some(endpoint) = &self.endpoint {
            let usable = Url::parse(endpoint)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none());
            if !usable {
                return wrong("the endpoint must be an http or https address");
            }
        }
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        if !(3..=63).contains(&self.bucket.len()) || !self.bucket.bytes().all(letter) || self.bucket.contains("..") {
            return wrong("the bucket's name must be 3 to 63 of a-z, 0-9, '.' and '-'");
        }
        if self.region.is_empty() {
            return wrong("the region must not be empty");
        }
        if self.access_key_id.is_empty() || self.secret_access_key.expose_secret().is_empty() {
            return wrong("the access key id and the secret access key must not be empty");
        }
        Ok(())
    }

    /// The client's configuration. Every part travels whole with its signed SHA-256, which every S3 checks, so the
    /// newer trailing checksums, which not every S3 knows, are only sent where the protocol requires one.
    pub(crate) fn client(&self) -> aws_sdk_s3::Config {
        let secret = self.secret_access_key.expose_secret();
        let credentials = Credentials::new(&self.access_key_id, secret, None, None, "lookreel settings");
        let seconds = std::time::Duration::from_secs;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(seconds(CONNECT_SECONDS))
            .read_timeout(seconds(30))
            .operation_attempt_timeout(seconds(60))
            .operation_timeout(seconds(150))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(std::time::Duration::from_millis(100))
            .with_max_backoff(seconds(2));
        // A slow viewer is not a stalled store: downloads have their own clock, which runs only while we wait.
        let stalls = StalledStreamProtectionConfig::enabled().download_enabled(false).grace_period(seconds(10)).build();
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(credentials)
            .force_path_style(self.path_style)
            .timeout_config(timeouts)
            .retry_config(retries)
            .stalled_stream_protection(stalls)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        config.set_endpoint_url(self.endpoint.clone());
        config.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            endpoint: Some("http://127.0.0.1:9000".into()),
            region: "auto".into(),
            bucket: "lookreel".into(),
            access_key_id: "id".into(),
            secret_access_key: "hidden-half".into(),
            path_style: true,
        }
    }

    #[test]
    fn sound_settings_pass() {
        assert!(settings().check().is_ok());
        assert!(Settings { endpoint: None, ..settings() }.check().is_ok());
    }

    #[test]
    fn wrong_settings_are_named() {
        let cases = [
            (Settings { endpoint: Some("127.0.0.1:9000".into()), ..settings() }, "endpoint"),
            (Settings { endpoint: Some("ftp://files".into()), ..settings() }, "endpoint"),
            (Settings { bucket: "ab".into(), ..settings() }, "bucket"),
            (Settings { bucket: "Look_Reel".into(), ..settings() }, "bucket"),
            (Settings { region: String::new(), ..settings() }, "region"),
            (Settings { secret_access_key: "".into(), ..settings() }, "secret"),
        ];
        for (settings, word) in cases {
            let told = settings.check().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(word), "{told:?} should name {word}");
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        assert!(!format!("{:?}", settings()).contains("hidden-half"));
    }
}
