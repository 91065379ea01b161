//! Why something cannot be done in the present state.

use std::fmt::{Display, Formatter, Result};

/// What stands in the way. The word is stable: programs of others may decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// It has ended already.
    AlreadyEnded,
    /// It has not ended yet.
    NotEnded,
    /// It gave a video: there is nothing to retry.
    HasVideo,
    /// A retry of it is under way, or gave a video.
    AlreadyRetried,
    /// It gave no video, or its files are gone.
    NoVideo,
    /// The product shows another video, or none.
    NotPublished,
    /// The files of the video are gone.
    FilesGone,
    /// The product has no photo to make stills from.
    NoPhoto,
    /// The try-on image is not stored any more.
    TryonImageGone,
    /// A generation is being made from the try-on image.
    TryonImageInUse,
    /// Another product has the slug.
    SlugTaken,
    /// Another product has the stock-keeping unit.
    SkuTaken,
    /// The product has as many photos as it may.
    TooManyPhotos,
    /// The video has as many exports as it may.
    TooManyExports,
    /// There are as many webhooks as there may be.
    TooManyWebhooks,
    /// Nothing is sent to the webhook any more.
    WebhookDisabled,
    /// The message is being sent at this moment.
    BeingSent,
    /// No price to come begins on that day.
    NoPriceToCome,
    /// The same was asked at the same moment, or it is moving on: asking again helps.
    Busy,
}

impl Conflict {
    /// Every reason.
    pub const ALL: [Self; 19] = [
        Self::AlreadyEnded,
        Self::NotEnded,
        Self::HasVideo,
        Self::AlreadyRetried,
        Self::NoVideo,
        Self::NotPublished,
        Self::FilesGone,
        Self::NoPhoto,
        Self::TryonImageGone,
        Self::TryonImageInUse,
        Self::SlugTaken,
        Self::SkuTaken,
        Self::TooManyPhotos,
        Self::TooManyExports,
        Self::TooManyWebhooks,
        Self::WebhookDisabled,
        Self::BeingSent,
        Self::NoPriceToCome,
        Self::Busy,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyEnded => "already_ended",
            Self::NotEnded => "not_ended",
            Self::HasVideo => "has_video",
            Self::AlreadyRetried => "already_retried",
            Self::NoVideo => "no_video",
            Self::NotPublished => "not_published",
            Self::FilesGone => "files_gone",
            Self::NoPhoto => "no_photo",
            Self::TryonImageGone => "tryon_image_gone",
            Self::TryonImageInUse => "tryon_image_in_use",
            Self::SlugTaken => "slug_taken",
            Self::SkuTaken => "sku_taken",
            Self::TooManyPhotos => "too_many_photos",
            Self::TooManyExports => "too_many_exports",
            Self::TooManyWebhooks => "too_many_webhooks",
            Self::WebhookDisabled => "webhook_disabled",
            Self::BeingSent => "being_sent",
            Self::NoPriceToCome => "no_price_to_come",
            Self::Busy => "busy",
        }
    }
}

impl Display for Conflict {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.as_str())
    }
}
