//! What an API token may do.

use std::{fmt, str::FromStr};

/// One thing a token may do. A person who is signed in may do all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Read the status of a video job, a video and where it is played from.
    VideoRead,
    /// Upload try-on images and make videos of them.
    VideoGenerate,
    /// Read generations, their figures and their events.
    GenerationRead,
    /// Start, stop and retry generations; publish and unpublish their videos.
    GenerationWrite,
    /// Read products.
    ProductRead,
    /// Add and change products and their photos.
    ProductWrite,
    /// Manage webhooks and read what was delivered.
    WebhookManage,
}

/// A word that names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scope: expected {list}", list = Scope::list())]
pub struct UnknownScope(pub String);

impl Scope {
    /// Every scope, in the order they are shown.
    pub const ALL: [Self; 7] = [
        Self::VideoRead,
        Self::VideoGenerate,
        Self::GenerationRead,
        Self::GenerationWrite,
        Self::ProductRead,
        Self::ProductWrite,
        Self::WebhookManage,
    ];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VideoRead => "video:read",
            Self::VideoGenerate => "video:generate",
            Self::GenerationRead => "generation:read",
            Self::GenerationWrite => "generation:write",
            Self::ProductRead => "product:read",
            Self::ProductWrite => "product:write",
            Self::WebhookManage => "webhook:manage",
        }
    }

    /// All words, separated by commas.
    pub fn list() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_round_trip() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        let refused = "video:everything".parse::<Scope>();
        assert!(refused.is_err_and(|error| error.to_string().contains("video:read, video:generate")));
    }
}
