//! The sentences of problem documents, in Korean and English: what happened, and what to do next.

use domain::{Locale, Scope};

use super::problem::{Code, FieldCode, FieldError};

/// What a code means.
pub fn title(code: Code, locale: Locale) -> &'static str {
    let (ko, en) = match code {
        Code::NotFound => ("찾을 수 없습니다", "Not found"),
        Code::MethodNotAllowed => ("허용되지 않는 메서드입니다", "Method not allowed"),
        Code::TokenMissing => ("토큰이 없습니다", "Token missing"),
        Code::TokenInvalid => ("토큰이 올바르지 않습니다", "Token invalid"),
        Code::TokenExpired => ("토큰이 만료되었습니다", "Token expired"),
        Code::SignatureInvalid => ("서명이 올바르지 않습니다", "Signature invalid"),
        Code::ScopeMissing => ("권한이 없습니다", "Scope missing"),
        Code::CrossOrigin => ("다른 사이트에서 온 요청입니다", "Request of another site"),
        Code::Malformed => ("본문을 읽을 수 없습니다", "Malformed body"),
        Code::Invalid => ("입력이 올바르지 않습니다", "Invalid input"),
        Code::UnsupportedMediaType => ("지원하지 않는 형식입니다", "Unsupported media type"),
        Code::TooLarge => ("본문이 너무 큽니다", "Body too large"),
        Code::IdempotencyKeyMissing => ("Idempotency-Key가 없습니다", "Idempotency-Key missing"),
        Code::IdempotencyKeyInvalid => ("Idempotency-Key가 올바르지 않습니다", "Idempotency-Key invalid"),
        Code::IdempotencyKeyReused => ("Idempotency-Key가 이미 쓰였습니다", "Idempotency-Key reused"),
        Code::RequestInProgress => ("같은 요청을 처리하고 있습니다", "Request in progress"),
        Code::Conflict => ("지금 상태에서는 할 수 없습니다", "Conflict"),
        Code::PriceChanged => ("가격이 달라졌습니다", "Price changed"),
        Code::LimitReached => ("오늘의 한도에 도달했습니다", "Daily limit reached"),
        Code::TooManyRequests => ("요청이 너무 많습니다", "Too many requests"),
        Code::TooManyStreams => ("열린 이벤트 스트림이 너무 많습니다", "Too many streams"),
        Code::TooManyUploads => ("올리고 있는 파일이 너무 많습니다", "Too many uploads"),
        Code::NoPrice => ("지금 살 수 있는 모델이 없습니다", "No model available"),
        Code::Unavailable => ("잠시 사용할 수 없습니다", "Temporarily unavailable"),
        Code::Internal => ("서버 오류입니다", "Internal fault"),
    };
    pick(locale, ko, en)
}

/// What happened and what to do.
pub fn detail(code: Code, scope: Option<Scope>, locale: Locale) -> String {
    if let (Code::ScopeMissing, Some(scope)) = (code, scope) {
        return match locale {
            Locale::Ko => format!("토큰에 `{scope}` 권한이 없습니다. 이 권한이 있는 토큰을 만드세요."),
            Locale::En => format!("The token lacks the scope `{scope}`. Make a token that has it."),
        };
    }
    let (ko, en) = match code {
        Code::NotFound => (
            "이 주소나 id에 해당하는 것이 없습니다. 주소와 id를 확인하세요.",
            "There is nothing at this address or with this id. Check the address and the id.",
        ),
        Code::MethodNotAllowed => (
            "이 주소는 이 메서드를 받지 않습니다. Allow 헤더의 메서드를 쓰세요.",
            "The address does not take this method. Use one that the Allow header names.",
        ),
        Code::TokenMissing => (
            "Authorization 헤더에 `Bearer`와 토큰을 보내세요. 토큰은 /admin/tokens에서 만듭니다.",
            "Send `Bearer` and a token in the Authorization header. Tokens are made at /admin/tokens.",
        ),
        Code::TokenInvalid => (
            "알 수 없거나 폐기된 토큰입니다. 다른 토큰을 쓰세요.",
            "The token is unknown or was revoked. Use another one.",
        ),
        Code::TokenExpired => ("토큰의 기한이 지났습니다. 새로 만드세요.", "The token has ended. Make a new one."),
        Code::SignatureInvalid => {
            ("서명이 없거나, 맞지 않거나, 너무 오래되었습니다.", "The signature is missing, wrong or too old.")
        }
        Code::ScopeMissing => ("토큰에 필요한 권한이 없습니다.", "The token lacks a scope."),
        Code::CrossOrigin => (
            "다른 사이트의 페이지가 보낸 요청이라 처리하지 않았습니다. 서버에서 토큰으로 요청하세요.",
            "A page of another site sent it, so nothing was done. Ask from a server, with a token.",
        ),
        Code::Malformed => (
            "본문이 문서에 적힌 형식이 아닙니다. 요청은 처리되지 않았습니다.",
            "The body is not what the reference describes. Nothing was done.",
        ),
        Code::Invalid => (
            "올바르지 않은 항목이 있습니다. errors를 보세요. 요청은 처리되지 않았습니다.",
            "Some fields are wrong: see errors. Nothing was done.",
        ),
        Code::UnsupportedMediaType => (
            "Content-Type이 이 주소가 받는 것과 다릅니다. 참고 문서를 보세요.",
            "The Content-Type is not one this address takes. See the reference.",
        ),
        Code::TooLarge => (
            "본문이 받을 수 있는 크기보다 큽니다. 요청은 처리되지 않았습니다.",
            "The body is larger than is taken. Nothing was done.",
        ),
        Code::IdempotencyKeyMissing => (
            "비용이 드는 요청에는 Idempotency-Key 헤더가 필요합니다. 요청마다 새 UUID를 보내세요.",
            "A request that spends money needs an Idempotency-Key header. Send a new UUID with each request.",
        ),
        Code::IdempotencyKeyInvalid => (
            "Idempotency-Key는 공백 없는 ASCII 1–255자여야 합니다.",
            "An Idempotency-Key is 1 to 255 visible ASCII characters.",
        ),
        Code::IdempotencyKeyReused => (
            "이 키는 다른 요청에 쓰였습니다. 다른 요청에는 다른 키를 보내세요.",
            "This key was used for another request. Send another key with another request.",
        ),
        Code::RequestInProgress => (
            "이 키의 첫 요청이 아직 처리되고 있습니다. 잠시 후 같은 요청을 다시 보내세요.",
            "The first request with this key is still at work. Send the same again in a moment.",
        ),
        Code::Conflict => (
            "지금 상태에서는 할 수 없습니다. 상태를 다시 조회하세요.",
            "It cannot be done in the present state. Read the state again.",
        ),
        Code::PriceChanged => (
            "동의한 금액보다 비쌉니다. 아무것도 청구되지 않았습니다.",
            "It costs more than was agreed to. Nothing was bought.",
        ),
        Code::LimitReached => (
            "오늘의 생성 수나 금액 한도에 도달했습니다. Retry-After 뒤에 다시 시작됩니다.",
            "Today's limit of generations or money is reached. It begins anew after Retry-After.",
        ),
        Code::TooManyRequests => (
            "1분에 보낼 수 있는 요청 수를 넘었습니다. Retry-After 뒤에 다시 보내세요.",
            "More requests than a minute allows. Send it again after Retry-After.",
        ),
        Code::TooManyStreams => (
            "동시에 열 수 있는 이벤트 스트림 수를 넘었습니다. 하나를 닫거나 Retry-After 뒤에 다시 여세요.",
            "More streams are open than a caller may have. Close one, or open it after Retry-After.",
        ),
        Code::TooManyUploads => (
            "동시에 올릴 수 있는 파일 수를 넘었습니다. Retry-After 뒤에 다시 보내세요.",
            "More files of this caller are on their way than may be at a time. Send it again after Retry-After.",
        ),
        Code::NoPrice => (
            "지금 살 수 있는 모델이 없어 아무것도 청구되지 않았습니다. 운영자에게 알리세요.",
            "No model can be bought from now, so nothing was bought. Tell an operator.",
        ),
        Code::Unavailable => (
            "일부가 잠시 멈췄습니다. Retry-After 뒤에 같은 요청을 다시 보내세요.",
            "A part is away for a moment. Send the same again after Retry-After.",
        ),
        Code::Internal => {
            ("저희 쪽 오류입니다. 반복되면 운영자에게 알리세요.", "A fault of ours. If it repeats, tell an operator.")
        }
    };
    pick(locale, ko, en).to_owned()
}

/// What is wrong with a field.
pub fn field(error: &FieldError, locale: Locale) -> String {
    let FieldError { field, code, expected } = error;
    match (locale, code) {
        (Locale::Ko, FieldCode::Missing) => format!("`{field}` 항목이 필요합니다: {expected}."),
        (Locale::En, FieldCode::Missing) => format!("`{field}` has to be there: {expected}."),
        (Locale::Ko, FieldCode::Unknown) => format!("`{field}`라는 항목은 없습니다."),
        (Locale::En, FieldCode::Unknown) => format!("There is no field `{field}`."),
        (Locale::Ko, FieldCode::WrongType) => format!("`{field}`의 형식이 다릅니다: {expected}."),
        (Locale::En, FieldCode::WrongType) => format!("`{field}` is of another type: expected {expected}."),
        (Locale::Ko, FieldCode::NotFound) => format!("`{field}`에 해당하는 것이 없습니다."),
        (Locale::En, FieldCode::NotFound) => format!("There is nothing with the id in `{field}`."),
        (Locale::Ko, FieldCode::Taken) => format!("`{field}`의 값은 이미 쓰이고 있습니다: 다른 값을 보내세요."),
        (Locale::En, FieldCode::Taken) => format!("The value of `{field}` is taken: send another."),
        (Locale::Ko, FieldCode::InvalidValue) => format!("`{field}`의 값은 쓸 수 없습니다: {expected}."),
        (Locale::En, FieldCode::InvalidValue) => format!("The value of `{field}` is not taken: expected {expected}."),
    }
}

/// The one in this language.
pub(super) fn pick(locale: Locale, ko: &'static str, en: &'static str) -> &'static str {
    match locale {
        Locale::Ko => ko,
        Locale::En => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_said_in_both_languages() {
        for code in Code::ALL {
            let ko = format!("{} {}", title(code, Locale::Ko), detail(code, None, Locale::Ko));
            assert!(ko.chars().any(|letter| ('가'..='힣').contains(&letter)), "{code:?}: {ko}");
            let en = format!("{} {}", title(code, Locale::En), detail(code, None, Locale::En));
            assert!(en.is_ascii() && en.ends_with('.'), "{code:?}: {en}");
        }
    }
}
