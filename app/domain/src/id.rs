//! Identifiers: one type for each word, so that one can never stand where another is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text was not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is already known to name this kind of thing.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for the database and for the wire.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
    };
}

id!(
    /// A paid request to a provider.
    CallId
);
id!(
    /// One run of a recipe for a product.
    GenerationId
);
id!(
    /// Something a person is told in the app.
    NoticeId
);
id!(
    /// A cut of a video for another place.
    ExportId
);
id!(
    /// A source photo of a product.
    PhotoId
);
id!(
    /// A product of the shop.
    ProductId
);
id!(
    /// Names one click: the same key always answers with the same generation.
    RequestKey
);
id!(
    /// A wearing still.
    StillId
);
id!(
    /// A person who signs in.
    UserId
);
id!(
    /// A finished asset with its renditions.
    VideoId
);
id!(
    /// What a shop's own code is known by.
    TokenId
);
id!(
    /// A still that was uploaded.
    TryonImageId
);
id!(
    /// An address of a shop that is told what changed.
    EndpointId
);
id!(
    /// One thing that such an address is told.
    DeliveryId
);
