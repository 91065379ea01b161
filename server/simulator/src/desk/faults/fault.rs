use serde::{Deserialize, Serialize};

/// Where in a request's life a rule bites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// fal submit or direct run, or Gemini `generateContent`.
    #[serde(alias = "generate")]
    Submit,
    Status,
    Result,
    Cancel,
    /// While the model works.
    Run,
    Webhook,
    /// Download of a result file.
    Media,
    /// The account's request list.
    Listing,
}

/// The forms in which Gemini refuses content with a 200.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Block {
    /// No candidate, `promptFeedback.blockReason`.
    PromptFeedback,
    /// A candidate without parts, `finishReason`.
    #[default]
    FinishReason,
    /// `STOP`, and nothing but words.
    TextOnly,
}

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// Answer with this code before anything is accepted, or after.
    Status {
        status: u16,
        #[serde(default)]
        retry_after_secs: Option<u64>,
        /// Accept and bill first.
        #[serde(default, skip_serializing_if = "is_false")]
        accepted: bool,
    },
    /// The key is refused, in the vendor's way.
    BadKey,
    /// Accept, bill, then close the connection without an answer.
    DropAnswer,
    /// Accept, bill, then answer 200 with something that is not JSON.
    Garbage,
    /// Accept, bill, then say nothing for so long and hang up.
    Never {
        #[serde(default = "hang_seconds")]
        seconds: u64,
    },
    /// Send the body of the answer at so many bytes a second.
    SlowBody {
        #[serde(default = "slow_bytes")]
        bytes_per_sec: u64,
    },
    /// Announce the whole body and hang up after so many bytes.
    CutBody {
        #[serde(default = "cut_bytes")]
        bytes: u64,
    },
    /// Refuse the content: 422 on fal, a block on Gemini.
    Moderation {
        #[serde(default, rename = "as", skip_serializing_if = "is_usual")]
        block: Block,
        /// Another `blockReason` or `finishReason` than the usual one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Finish with an error of the 500 family.
    CompletedWithError {
        #[serde(default = "internal_error")]
        status: u16,
        /// Another `error_type` than the status usually has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_type: Option<String>,
    },
    /// The file fal made ends in the middle.
    CorruptClip,
    /// The file fal made is a text playlist that calls itself what it should be.
    WrongTypeClip,
    /// As [`Fault::CorruptClip`], for Gemini's pictures too.
    TruncatedMedia,
    /// As [`Fault::WrongTypeClip`], for Gemini's pictures too.
    WrongTypeMedia,
    /// The download is followed by zeros up to this size.
    HugeMedia {
        #[serde(default = "huge_bytes")]
        bytes: u64,
    },
    /// The download is gone.
    ExpiredMedia,
    WebhookNone,
    /// Signed with a key that is not ours.
    WebhookBadSignature,
    /// Signed, then changed.
    WebhookTampered,
    WebhookDuplicate,
    WebhookLateMs {
        ms: u64,
    },
    /// Signed for a moment that is so long gone.
    WebhookStale {
        #[serde(default = "stale_seconds")]
        seconds: u64,
    },
    /// Held back until another request's was told.
    WebhookReordered,
    /// Signed with a key that is new from now on.
    WebhookRotatedKey,
    /// Told once more before, for a request nobody made.
    WebhookUnknownRequest,
    /// Take this much longer.
    DelayMs {
        ms: u64,
    },
}

const fn is_false(value: &bool) -> bool {
    !*value
}

fn is_usual(block: &Block) -> bool {
    *block == Block::default()
}

const fn hang_seconds() -> u64 {
    60
}

const fn slow_bytes() -> u64 {
    1_000
}

const fn cut_bytes() -> u64 {
    200
}

const fn internal_error() -> u16 {
    500
}

const fn huge_bytes() -> u64 {
    2_000_000_000
}

const fn stale_seconds() -> u64 {
    900
}

impl Fault {
    /// Whether it can happen at this step at all.
    pub(super) fn fits(&self, step: Step) -> bool {
        match self {
            Self::Moderation { .. } => matches!(step, Step::Run | Step::Submit),
            Self::CompletedWithError { .. }
            | Self::CorruptClip
            | Self::WrongTypeClip
            | Self::TruncatedMedia
            | Self::WrongTypeMedia => step == Step::Run,
            Self::HugeMedia { .. } | Self::ExpiredMedia => step == Step::Media,
            Self::WebhookNone
            | Self::WebhookBadSignature
            | Self::WebhookTampered
            | Self::WebhookDuplicate
            | Self::WebhookLateMs { .. }
            | Self::WebhookStale { .. }
            | Self::WebhookReordered
            | Self::WebhookRotatedKey
            | Self::WebhookUnknownRequest => step == Step::Webhook,
            Self::DelayMs { .. } => true,
            Self::Status { .. }
            | Self::BadKey
            | Self::DropAnswer
            | Self::Garbage
            | Self::Never { .. }
            | Self::SlowBody { .. }
            | Self::CutBody { .. } => !matches!(step, Step::Run | Step::Webhook),
        }
    }

    /// Whether it happens at this step when the rule does not say where.
    pub(super) fn happens_usually_at(&self, step: Step) -> bool {
        match self {
            Self::Status { .. }
            | Self::BadKey
            | Self::DropAnswer
            | Self::Garbage
            | Self::Never { .. }
            | Self::DelayMs { .. } => step == Step::Submit,
            Self::SlowBody { .. } | Self::CutBody { .. } => step == Step::Media,
            _ => true,
        }
    }

    /// Whether it spoils the file that is made, Gemini's included.
    pub(crate) fn spoils_any_media(&self) -> bool {
        matches!(self, Self::TruncatedMedia | Self::WrongTypeMedia)
    }
}
