//! The queue as operators see it: how much there is to do, what is paused, what may be paused.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Recipe, options::InvalidOption};

/// Longest reason of a pause, in characters.
pub const REASON_MAX_CHARS: usize = 200;

/// What is paused, or may be. Its words are the same in forms, in answers and in the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PauseScope {
    /// Every job.
    Everything,
    /// Every stage of generations by a recipe.
    Recipe(Recipe),
    /// Calls to a provider, by its word: `fal`.
    Provider(String),
    /// Calls to a model, by provider and model: `fal/fal-ai/pika/v2.2/pikaframes`.
    Model(String),
}

impl PauseScope {
    /// Reads `everything`, `recipe:…`, `provider:…` or `model:…`. Whether there is such a provider or model is not known
    /// here.
    ///
    /// # Errors
    /// [`InvalidOption`] for any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidOption> {
        match text.split_once(':') {
            None if text == "everything" => Ok(Self::Everything),
            Some(("recipe", word)) => Recipe::parse(word).map(Self::Recipe),
            Some(("provider", word)) if !word.is_empty() => Ok(Self::Provider(word.to_owned())),
            Some(("model", name)) if !name.is_empty() => Ok(Self::Model(name.to_owned())),
            _ => Err(InvalidOption {
                field: "scope".to_owned(),
                expected: "everything|recipe:…|provider:…|model:…".to_owned(),
            }),
        }
    }
}

impl fmt::Display for PauseScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Everything => return formatter.write_str("everything"),
            Self::Recipe(recipe) => ("recipe:", recipe.as_str()),
            Self::Provider(word) => ("provider:", word.as_str()),
            Self::Model(name) => ("model:", name.as_str()),
        };
        formatter.write_str(kind)?;
        formatter.write_str(name)
    }
}

impl TryFrom<String> for PauseScope {
    type Error = InvalidOption;

    fn try_from(text: String) -> Result<Self, InvalidOption> {
        Self::parse(&text)
    }
}

impl From<PauseScope> for String {
    fn from(scope: PauseScope) -> Self {
        scope.to_string()
    }
}

/// The queue page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// How much there is to do.
    pub depth: QueueDepth,
    /// For how long the first of what waits could have run; zero when nothing waits.
    pub oldest_waiting_secs: u32,
    /// Redis is there; without it jobs are claimed from Postgres, more slowly.
    pub redis_ok: bool,
    /// What is paused, oldest first.
    pub pauses: Vec<PauseView>,
    /// What may be paused and is not.
    pub choices: Vec<PauseScope>,
}

/// Jobs by what they do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDepth {
    /// Due and not begun, paused ones included.
    pub waiting: u32,
    /// Not due yet: to be tried again, or planned for later.
    pub delayed: u32,
    /// In the hands of a worker.
    pub running: u32,
    /// Waiting for a provider.
    pub parked: u32,
}

/// A pause that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseView {
    /// What is paused.
    pub scope: PauseScope,
    /// Why, in the words of who paused it; may be empty.
    pub reason: String,
    /// Name of who paused it; none from the command line.
    pub by: Option<String>,
    /// Since when.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub since: DateTime<Utc>,
}

/// What every page of the desk says of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueNotice {
    /// Redis is there.
    pub redis_ok: bool,
    /// What is paused, oldest first.
    pub paused: Vec<PauseScope>,
}

impl QueueNotice {
    /// Whether there is nothing to say.
    pub const fn is_quiet(&self) -> bool {
        self.redis_ok && self.paused.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn scopes_are_written_as_they_are_read() {
        for text in ["everything", "recipe:product_video", "provider:fal", "model:fal/fal-ai/pika/v2.2/pikaframes"] {
            assert_eq!(PauseScope::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "everything:", "recipe:film", "provider:", "model:", "stage:clip", "fal"] {
            assert!(PauseScope::parse(text).is_err(), "{text}");
        }
    }
}
