//! The HTML documents around the two trees, and what each page knows before it renders.

#[cfg(feature = "ssr")]
mod document;
mod facts;

#[cfg(feature = "ssr")]
pub use document::admin_shell;
#[cfg(feature = "ssr")]
pub(crate) use document::{CommonHead, TYPEFACE_IN_TIME};
#[cfg(feature = "ssr")]
pub(crate) use facts::has_typeface;
pub use facts::{LANGUAGE_COOKIE, PageFacts, ShopZone, THEME_COOKIE, Theme, provide_facts, use_facts, use_locale};

/// Who is connected. The server provides it as context for the sign-in's rate limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Address of the client as text, after trusted proxies were taken off.
    pub ip: String,
}
