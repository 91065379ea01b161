//! Why a generation, a call or a request did not succeed: codes, never sentences. The sentences (Korean, English) live
//! in the locales and say what happened, what it cost and what to do next.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// Why something ended without a result.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FailureCode {
            $($(#[$doc])* $variant),+
        }

        impl FailureCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code in the database and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// Whether the fault is in the clip that was bought: another one is needed.
            pub const fn is_of_the_clip(self) -> bool {
                matches!(self, Self::ClipCorrupt | Self::ClipBlack | Self::ClipFrozen | Self::ClipFlashing)
            }

            /// Reads a stored code; one we do not know is [`FailureCode::Internal`], never an error.
            pub fn parse(text: &str) -> Self {
                match text {
                    $($word => Self::$variant,)+
                    _ => Self::Internal,
                }
            }
        }
    };
}

codes! {
    /// A person stopped it.
    Cancelled = "cancelled",
    /// The provider refused the picture or the words.
    ContentRefused = "content_refused",
    /// The provider did not accept the photo, and not for one of the reasons below.
    PhotoRefused = "photo_refused",
    /// The photo has too few pixels.
    PhotoTooSmall = "photo_too_small",
    /// The photo has too many pixels or bytes.
    PhotoTooLarge = "photo_too_large",
    /// The photo is damaged or of a format that is not read.
    PhotoUnreadable = "photo_unreadable",
    /// No person, or no face, was found in the picture.
    NoPersonFound = "no_person_found",
    /// The model does not do what was chosen (length, size, option).
    InputUnsupported = "input_unsupported",
    /// The provider answered without a picture or a clip.
    NoPicture = "no_picture",
    /// There is no key for the provider, or it was refused.
    ProviderKey = "provider_key",
    /// The account has no credit left.
    ProviderCredit = "provider_credit",
    /// The account is locked, or may not use the model.
    ProviderAccount = "provider_account",
    /// The provider no longer runs the model, or never did.
    ModelGone = "model_gone",
    /// The provider asks us to slow down, and went on asking.
    ProviderBusy = "provider_busy",
    /// The provider answered that it failed.
    ProviderUnavailable = "provider_unavailable",
    /// The provider could not be reached, or the connection broke before its answer was there.
    ProviderUnreachable = "provider_unreachable",
    /// The provider answered something we do not understand.
    ProviderGarbage = "provider_garbage",
    /// The provider did not finish in time.
    ProviderTimeout = "provider_timeout",
    /// The provider refused our request as malformed: a fault of ours.
    ProviderRejected = "provider_rejected",
    /// A paid request was sent and no answer came; a person must decide.
    CallInDoubt = "call_in_doubt",
    /// The result could not be fetched.
    ResultMissing = "result_missing",
    /// The clip is damaged or is not a video.
    ClipCorrupt = "clip_corrupt",
    /// Half a second of the clip or more is black.
    ClipBlack = "clip_black",
    /// Half of the clip or more is one picture.
    ClipFrozen = "clip_frozen",
    /// The clip flashes in a way that may harm people.
    ClipFlashing = "clip_flashing",
    /// The renditions could not be made.
    EncodeFailed = "encode_failed",
    /// The object store refused or was away.
    StorageUnavailable = "storage_unavailable",
    /// The job took longer than its limit.
    TimedOut = "timed_out",
    /// The worker died three times at the same step.
    WorkerCrashed = "worker_crashed",
    /// The product or its photo is gone.
    ProductGone = "product_gone",
    /// No price is known for the call, so it was not made.
    NoPrice = "no_price",
    /// The limit of the day is reached.
    LimitReached = "limit_reached",
    /// A fault of ours.
    Internal = "internal",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_round_trip() {
        for code in FailureCode::ALL {
            assert_eq!(FailureCode::parse(code.as_str()), *code);
        }
        assert_eq!(FailureCode::parse("from_the_future"), FailureCode::Internal);
    }
}
