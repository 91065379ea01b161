//! People who sign in.

use serde::{Deserialize, Serialize};

use crate::UserId;

/// The person of the session, as pages show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Identifier.
    pub id: UserId,
    /// The name others see.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
}

/// A text that cannot be an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address like name@example.com")]
pub struct InvalidEmail;

/// An address to sign in with: trimmed, lower case, one `@` with something on both sides, at most 254 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InvalidEmail`] when it cannot be one.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim().to_lowercase();
        let shape = text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !host.contains('@')
        });
        if shape && text.len() <= 254 && !text.chars().any(char::is_whitespace) {
            Ok(Self(text))
        } else {
            Err(InvalidEmail)
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_addresses_and_refuses_the_rest() {
        assert_eq!(Email::parse(" Owner@Shop.example ").unwrap().as_str(), "owner@shop.example");
        for text in ["", "owner", "@shop.example", "a@b", "a b@shop.example", "a@b@c.example"] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }
}
