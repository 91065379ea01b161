//! What stands in the way of a request, as problem documents say it: a stable word, a sentence, and the field it is about.

use domain::Locale;
use engine::Conflict;
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

use super::{
    problem::{FieldCode, FieldError},
    sentences::pick,
};

/// The word of what stands in the way.
#[derive(Debug, Clone, Copy)]
pub struct Reason(pub Conflict);

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// What only the desk can be told: its use-cases are none of the API.
const OF_THE_DESK: [Conflict; 4] =
    [Conflict::AlreadyRetried, Conflict::FilesGone, Conflict::TooManyExports, Conflict::NoPriceToCome];

/// Every reason the API may give.
pub fn reasons() -> impl Iterator<Item = Conflict> {
    Conflict::ALL.into_iter().filter(|why| !OF_THE_DESK.contains(why))
}

impl PartialSchema for Reason {
    fn schema() -> RefOr<Schema> {
        let words = reasons().map(Conflict::as_str);
        let description = Some("What stands in the way. The word is stable: programs may decide by it.");
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).description(description).into()
    }
}

impl ToSchema for Reason {
    fn name() -> std::borrow::Cow<'static, str> {
        "ConflictReason".into()
    }
}

/// The field it is about, where it is about one.
pub fn field(why: Conflict) -> Option<FieldError> {
    let taken = |name: &str| Some(FieldError::new(name, FieldCode::Taken, "one that no other product has"));
    match why {
        Conflict::SlugTaken => taken("slug"),
        Conflict::SkuTaken => taken("sku"),
        _ => None,
    }
}

/// What happened and what to do.
pub fn sentence(why: Conflict, locale: Locale) -> &'static str {
    let (ko, en) = match why {
        Conflict::AlreadyEnded => {
            ("이미 끝났습니다. 상태를 다시 조회하세요.", "It has ended already. Read its state again.")
        }
        Conflict::NotEnded => (
            "아직 끝나지 않았습니다. 끝나기를 기다리거나 취소하세요.",
            "It has not ended yet. Wait for its end, or cancel it.",
        ),
        Conflict::HasVideo => (
            "이미 영상이 만들어졌습니다. 다른 영상을 원하면 새로 생성하세요.",
            "It gave a video. Start a new generation for another one.",
        ),
        Conflict::AlreadyRetried => (
            "이미 다시 시도했습니다. 그 생성을 조회하세요.",
            "It was retried already. Look at the generation that was made then.",
        ),
        Conflict::NoVideo => (
            "보여줄 영상이 없습니다. 다시 시도하거나 새로 생성하세요.",
            "It has no video to show. Retry it, or start a new generation.",
        ),
        Conflict::NotPublished => (
            "상품에 게시된 영상이 아닙니다. 상품을 다시 조회하세요.",
            "Its video is not the one the product shows. Read the product again.",
        ),
        Conflict::FilesGone => (
            "영상 파일이 더 이상 없습니다. 새로 생성하세요.",
            "The files of the video are gone. Start a new generation.",
        ),
        Conflict::NoPhoto => {
            ("상품에 사진이 없습니다. 사진을 먼저 올리세요.", "The product has no photo. Upload one first.")
        }
        Conflict::TryonImageGone => (
            "착용 이미지가 더 이상 없습니다. 다시 올리세요.",
            "The try-on image is not stored any more. Upload it again.",
        ),
        Conflict::TryonImageInUse => (
            "이 착용 이미지로 영상을 만들고 있습니다. 끝난 뒤에 지우세요.",
            "A video is being made of the try-on image. Remove it after that has ended.",
        ),
        Conflict::SlugTaken => ("다른 상품이 이 slug를 씁니다.", "Another product has this slug."),
        Conflict::SkuTaken => ("다른 상품이 이 sku를 씁니다.", "Another product has this sku."),
        Conflict::TooManyPhotos => ("사진은 상품당 10장까지 올릴 수 있습니다.", "A product has ten photos at most."),
        Conflict::TooManyExports => {
            ("내보내기는 영상당 50개까지 만들 수 있습니다.", "A video has fifty exports at most.")
        }
        Conflict::TooManyWebhooks => (
            "웹훅은 20개까지 등록할 수 있습니다. 하나를 지우세요.",
            "There are twenty webhooks, and no more may be. Remove one.",
        ),
        Conflict::WebhookDisabled => (
            "410으로 응답하여 더 이상 보내지 않는 웹훅입니다. 새로 등록하세요.",
            "The webhook answered 410 and is told nothing any more. Add it anew.",
        ),
        Conflict::BeingSent => (
            "지금 보내는 중입니다. 잠시 후 다시 조회하세요.",
            "It is being sent at this moment. Look at it again in a moment.",
        ),
        Conflict::NoPriceToCome => (
            "그날부터 시작될 가격이 없습니다. 가격 기록을 확인하세요.",
            "No price to come begins on that day. Look at the history of prices.",
        ),
        Conflict::Busy => (
            "지금 바뀌고 있습니다. 잠시 후 같은 요청을 다시 보내세요.",
            "It is changing at this moment. Send the same again in a moment.",
        ),
    };
    pick(locale, ko, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_said_in_both_languages() {
        for why in Conflict::ALL {
            assert!(sentence(why, Locale::Ko).chars().any(|letter| ('가'..='힣').contains(&letter)), "{why}");
            let en = sentence(why, Locale::En);
            assert!(en.is_ascii() && en.ends_with('.'), "{why}: {en}");
        }
    }
}
