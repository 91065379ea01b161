//! The states of a generation, its stages and its paid calls. The diagram is in the engine's README, the CHECKs in
//! the migrations; these enums, the diagram and the CHECKs must say the same.

use serde::{Deserialize, Serialize};

/// A word that names no state: the row was written by a newer version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown state {0:?}")]
pub struct UnknownState(pub String);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$vdoc])* $variant),+
        }

        impl $name {
            /// Every one, in the order of the flow.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the database and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownState;

            fn from_str(text: &str) -> Result<Self, UnknownState> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    other => Err(UnknownState(other.to_owned())),
                }
            }
        }
    };
}

words!(
    /// Where a generation is.
    GenerationState {
        /// Waiting for its first stage.
        Queued = "queued",
        /// Wearing stills are being made.
        GeneratingImages = "generating_images",
        /// Waits for a person to look at the stills.
        AwaitingReview = "awaiting_review",
        /// The clip is being made.
        GeneratingVideo = "generating_video",
        /// Renditions are being made.
        Encoding = "encoding",
        /// Renditions are being stored.
        Uploading = "uploading",
        /// The video is on the product.
        Completed = "completed",
        /// It ended without a video; the failure code says why.
        Failed = "failed",
        /// A person stopped it.
        Cancelled = "cancelled",
    }
);

impl GenerationState {
    /// Nothing changes any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether the state machine allows the step. A repeated report of the same state is not a step.
    pub const fn can_become(self, next: Self) -> bool {
        use GenerationState as S;
        match (self, next) {
            (from, S::Failed | S::Cancelled) => !from.is_final(),
            // A retry begins behind what it takes over.
            (S::Queued, S::GeneratingImages | S::GeneratingVideo | S::Encoding)
            | (S::GeneratingImages, S::AwaitingReview | S::GeneratingVideo)
            | (S::AwaitingReview, S::GeneratingVideo)
            | (S::GeneratingVideo, S::Encoding)
            | (S::Encoding, S::Uploading)
            | (S::Uploading, S::Completed | S::Encoding) => true,
            _ => false,
        }
    }
}

words!(
    /// A part of a recipe.
    Stage {
        /// Two wearing stills.
        Stills = "stills",
        /// The clip between them.
        Clip = "clip",
        /// Renditions and poster.
        Encode = "encode",
        /// Storage and the product's pointer.
        Publish = "publish",
    }
);

words!(
    /// How far one stage of one generation is.
    StageState {
        /// Not begun.
        Waiting = "waiting",
        /// Under way.
        Running = "running",
        /// Finished.
        Done = "done",
        /// Ended without a result.
        Failed = "failed",
        /// Will not run.
        Skipped = "skipped",
    }
);

words!(
    /// Where a paid call is.
    CallState {
        /// Priced and held, not begun.
        Planned = "planned",
        /// Written down, perhaps not sent yet.
        Intent = "intent",
        /// The provider took it and named it.
        Submitted = "submitted",
        /// Its result is ours.
        Done = "done",
        /// It ended without a result.
        Failed = "failed",
        /// It may have been sent and no answer came: it may have cost money.
        InDoubt = "in_doubt",
        /// Will never be made; its hold was given back.
        Void = "void",
    }
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn final_states_stay() {
        for from in GenerationState::ALL.iter().filter(|state| state.is_final()) {
            for next in GenerationState::ALL {
                assert!(!from.can_become(*next), "{from} must not become {next}");
            }
        }
    }

    #[test]
    fn every_living_state_can_end() {
        for from in GenerationState::ALL.iter().filter(|state| !state.is_final()) {
            assert!(from.can_become(GenerationState::Failed));
            assert!(from.can_become(GenerationState::Cancelled));
        }
    }

    #[test]
    fn words_survive_the_round_trip() {
        for state in GenerationState::ALL {
            assert_eq!(state.as_str().parse::<GenerationState>().unwrap(), *state);
        }
        assert!("done?".parse::<CallState>().is_err());
    }
}
