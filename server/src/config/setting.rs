//! Settings by both of their names, and what is said of one that cannot be used.

use std::{borrow::Cow, fmt};

/// A setting as people give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub variable: &'static str,
    /// The flag; empty where there is none.
    pub flag: &'static str,
    /// What it takes, for after the word "expected".
    pub expected: &'static str,
}

impl Setting {
    const fn new(variable: &'static str, flag: &'static str, expected: &'static str) -> Self {
        Self { variable, flag, expected }
    }

    /// It is needed and not there.
    pub fn missing(self) -> WrongSetting {
        self.unusable("is not set")
    }

    /// It is something else than expected. Not for secrets.
    pub fn wrong(self, given: impl fmt::Display) -> WrongSetting {
        self.unusable(format!("is `{given}`"))
    }

    /// The same in other words, as for secrets: "is too short".
    pub fn unusable(self, state: impl Into<Cow<'static, str>>) -> WrongSetting {
        WrongSetting { setting: self, state: state.into(), expected: self.expected.into() }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flag {
            "" => formatter.write_str(self.variable),
            flag => write!(formatter, "{} ({flag})", self.variable),
        }
    }
}

/// A setting that stops the start: its names, what was given, what is expected. Never holds a secret.
#[derive(Debug, thiserror::Error)]
#[error("{setting} {state}: expected {expected}")]
pub struct WrongSetting {
    setting: Setting,
    state: Cow<'static, str>,
    expected: Cow<'static, str>,
}

impl WrongSetting {
    /// Says more exactly what is expected.
    pub fn expecting(self, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: expected.into(), ..self }
    }
}

pub const DATABASE_URL: Setting =
    Setting::new("DATABASE_URL", "--database-url", "an address like postgres://user:password@host/database");
pub const REDIS_URL: Setting = Setting::new(
    "REDIS_URL",
    "--redis-url",
    "an address like redis://host:6379, or one of rediss://, redis-sentinel:// or redis-cluster://",
);
pub const S3_BUCKET: Setting =
    Setting::new("S3_BUCKET", "--s3-bucket", "the name of the bucket, 3 to 63 of a-z, 0-9, `.` and `-`");
pub const S3_ACCESS_KEY_ID: Setting =
    Setting::new("S3_ACCESS_KEY_ID", "--s3-access-key-id", "the public half of the bucket's key");
pub const S3_SECRET_ACCESS_KEY: Setting =
    Setting::new("S3_SECRET_ACCESS_KEY", "--s3-secret-access-key", "the secret half of the bucket's key");
pub const CALLBACK_SECRET: Setting =
    Setting::new("CALLBACK_SECRET", "--callback-secret", "at least 32 random characters, the same on every process");
pub const FAL_KEY: Setting = Setting::new("FAL_KEY", "--fal-key", "a key of fal.ai, like id:secret");
pub const GEMINI_API_KEY: Setting = Setting::new("GEMINI_API_KEY", "--gemini-api-key", "a key of the Gemini API");
const MODELS: &str = "one or more models of the catalogue for that stage, separated by commas";
pub const PRODUCT_STILL_MODELS: Setting = Setting::new("PRODUCT_STILL_MODELS", "--product-still-models", MODELS);
pub const PRODUCT_CLIP_MODELS: Setting = Setting::new("PRODUCT_CLIP_MODELS", "--product-clip-models", MODELS);
pub const TRYON_STILL_MODELS: Setting = Setting::new("TRYON_STILL_MODELS", "--tryon-still-models", MODELS);
pub const TRYON_CLIP_MODELS: Setting = Setting::new("TRYON_CLIP_MODELS", "--tryon-clip-models", MODELS);
pub const LISTEN: Setting = Setting::new(
    "LISTEN",
    "--listen",
    "an address of this machine with a free port, like 127.0.0.1:3000; port 0 takes any free one",
);
pub const METRICS_LISTEN: Setting = Setting::new(
    "METRICS_LISTEN",
    "--metrics-listen",
    "an address of this machine with a free port, like 127.0.0.1:9464",
);
pub const SITE_ROOT: Setting = Setting::new(
    "LEPTOS_SITE_ROOT",
    "--site-root",
    "the folder of the built site, with hash.txt and pkg in it; `make build` makes target/site",
);
pub const WORK_DIR: Setting =
    Setting::new("WORK_DIR", "--work-dir", "a folder of its own that this program may make or write into");
pub const BRAND_LOGO: Setting =
    Setting::new("BRAND_LOGO", "--brand-logo", "a PNG, WebP or JPEG file that this program may read");
pub const C2PA_CERTIFICATE: Setting = Setting::new(
    "C2PA_CERTIFICATE",
    "--c2pa-certificate",
    "a file with a certificate chain in PEM, the signing one first, that fits C2PA_KEY and C2PA_ALGORITHM",
);
pub const C2PA_KEY: Setting =
    Setting::new("C2PA_KEY", "--c2pa-key", "a file with the key of C2PA_CERTIFICATE in PEM (PKCS #8)");
pub const STATE_DIR: Setting =
    Setting::new("STATE_DIR", "--state-dir", "a folder that this program may make or write into");
pub const ADMIN_PASSWORD: Setting = Setting::new("ADMIN_PASSWORD", "--password", "at least 10 characters");
pub const RUST_LOG: Setting = Setting::new("RUST_LOG", "", "levels like info, or warn,engine=debug");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named_twice_with_what_is_expected() {
        let said = LISTEN.wrong("10.0.0.9:80").to_string();
        assert!(said.starts_with("LISTEN (--listen) is `10.0.0.9:80`: expected an address of this machine"), "{said}");
        assert!(REDIS_URL.missing().to_string().starts_with("REDIS_URL (--redis-url) is not set: expected an address"));
        let said = TRYON_CLIP_MODELS.wrong("nano").expecting("one of a, b").to_string();
        assert_eq!(said, "TRYON_CLIP_MODELS (--tryon-clip-models) is `nano`: expected one of a, b");
        assert!(RUST_LOG.wrong("=").to_string().starts_with("RUST_LOG is `=`"));
    }
}
