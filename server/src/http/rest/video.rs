//! `/api/video`: a try-on image becomes a video.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State as FromState,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use domain::{FailureCode, GenerationId, Locale, ProductId, Scope, TryonImageId, VideoId};
use engine::{ImageClick, KeptAnswer};

use super::{
    Rest,
    caller::Caller,
    idempotency::{self, Answer, Need},
    input::{self, Params, Sent},
    problem::{self, Code, FieldCode, Problem},
    refused,
    upload::Part,
    video_schema::{AcceptedVideo, GenerateVideo, Protocol, Stream, TryonImage, Video, VideoSettings, VideoStatus},
};

/// Starts a video of a try-on image.
///
/// Priced, held and durably queued when this answers. Only the clip is bought: the uploaded picture is its first frame.
#[utoipa::path(
    post, path = "/api/video/generate", operation_id = "generateVideo", tag = "video",
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "Names the request: sent again with the same key it makes nothing new and is answered the same.")),
    request_body = GenerateVideo,
    responses((status = 202, description = "Queued.", body = AcceptedVideo,
        headers(("Location" = String, description = "Where its status is.")))),
    security(("token" = ["video:generate"])),
)]
pub async fn generate(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Result<Response, Problem> {
    caller.may(Scope::VideoGenerate)?;
    let key = idempotency::key(&headers, Need::Required)?.ok_or(Problem::new(Code::IdempotencyKeyMissing))?;
    let request = read(input::json(&headers, &body)?)?;
    let click = ImageClick {
        by: caller.user,
        image: request.0,
        options: request.1,
        key: idempotency::request_key(&caller, &key),
        claim: idempotency::claim(&caller, &key, &[b"POST /api/video/generate", &body]),
        answer: accepted,
    };
    let answered = rest.clicks.ask(click).await.ok_or(Problem::new(Code::Unavailable).after(1))?;
    let answered = answered.map_err(|error| refused(error).of_field("tryonImageId"))?;
    Ok(idempotency::respond(answered.answer, answered.is_repeated))
}

fn read(mut fields: input::Fields) -> Result<(TryonImageId, domain::Options), Problem> {
    let image = fields.required("tryonImageId", "uuid", input::id);
    let mut inner = fields.object("settings");
    let settings = VideoSettings::read(&mut inner);
    let options = settings.of_tryon_image(&mut inner);
    fields.absorb(inner);
    fields.finish()?;
    Ok((TryonImageId::from_uuid(image), options))
}

/// Kept with the generation: the same whoever asks again.
fn accepted(id: GenerationId) -> KeptAnswer {
    KeptAnswer {
        status: 202,
        location: Some(format!("/api/video/status/{id}")),
        body: format!("{{\"jobId\":\"{id}\"}}"),
    }
}

/// Where a video job is.
///
/// `cancelled` jobs are `failed` here, with the error code `cancelled`.
#[utoipa::path(
    get, path = "/api/video/status/{jobId}", operation_id = "getVideoStatus", tag = "video",
    params(("jobId" = Uuid, Path, description = "What `generate` answered.")),
    responses((status = 200, description = "Its status.", body = VideoStatus)),
    security(("token" = ["video:read"])),
)]
pub async fn status(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Scope::VideoRead)?;
    let id = params.id("jobId", GenerationId::from_uuid)?;
    let job = rest.statuses.ask(id).await.and_then(Result::ok).ok_or(Problem::new(Code::Unavailable).after(1))?;
    let job = job.ok_or(Problem::new(Code::NotFound))?;
    let locale = problem::locale_of(&headers);
    Ok(fresh(Json(VideoStatus::of(&job, &rest, |code| failure_sentence(code, locale)))))
}

/// What a failure is in words.
pub fn failure_sentence(code: FailureCode, locale: Locale) -> String {
    let locale = match locale {
        Locale::Ko => app::i18n::Locale::ko,
        Locale::En => app::i18n::Locale::en,
    };
    app::words::failure_what(locale, code).to_owned()
}

/// An answer that is another the next time.
pub fn fresh(answer: impl axum::response::IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store"), (header::VARY, "accept-language")], answer).into_response()
}

/// A finished video with every file of it.
#[utoipa::path(
    get, path = "/api/video/{videoId}", operation_id = "getVideo", tag = "video",
    params(("videoId" = Uuid, Path, description = "What the status of a finished job names.")),
    responses((status = 200, description = "The video.", body = Video)),
    security(("token" = ["video:read"])),
)]
pub async fn video(FromState(rest): FromState<Arc<Rest>>, caller: Caller, params: Params) -> Result<Response, Problem> {
    caller.may(Scope::VideoRead)?;
    let id = params.id("videoId", VideoId::from_uuid)?;
    let video = rest.engine.video(id).await.map_err(refused)?;
    Ok(fresh(Json(Video::of(&video, &rest))))
}

/// Where a video is best played from by who asks.
///
/// HLS for a client whose `Accept` names `application/vnd.apple.mpegurl`, WebM for one that names `video/webm` and not
/// `video/mp4`, MP4 for all others; `format` overrules that. The address of a video that was taken down is signed, and ends at
/// `expiresAt`; what a playlist names ends with it.
#[utoipa::path(
    get, path = "/api/video/{videoId}/stream", operation_id = "getVideoStream", tag = "video",
    params(
        ("videoId" = Uuid, Path, description = "What the status of a finished job names."),
        ("format" = inline(Option<StreamFormat>), Query, description = "The one that is wanted; 404 where the video has none."),
    ),
    responses((status = 200, description = "Where it plays from.", body = Stream)),
    security(("token" = ["video:read"])),
)]
pub async fn stream(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::VideoRead)?;
    let id = params.id("videoId", VideoId::from_uuid)?;
    let mut query = input::query(&uri)?;
    let wanted = query.optional("format", "mp4|webm|hls", input::word(StreamFormat::parse));
    query.finish()?;
    let files = rest.engine.video(id).await.map_err(refused)?.files;
    let format = wanted.unwrap_or_else(|| StreamFormat::best(&headers, files.hls.is_some(), files.webm.is_some()));
    let (address, protocol, content_type) = match format {
        StreamFormat::Mp4 => (Some(files.mp4), Protocol::Progressive, "video/mp4"),
        StreamFormat::Webm => (files.webm, Protocol::Progressive, "video/webm"),
        StreamFormat::Hls => (files.hls, Protocol::Hls, "application/vnd.apple.mpegurl"),
    };
    let url = rest.absolute(&address.ok_or(Problem::new(Code::NotFound))?);
    let (content_type, expires_at) = (content_type.to_owned(), files.signed_until);
    let mut response = fresh(Json(Stream { video_id: id.uuid(), url, protocol, content_type, expires_at }));
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("accept"));
    Ok(response)
}

/// A way to play a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StreamFormat {
    /// A file that everything plays.
    Mp4,
    /// A file that is lighter.
    Webm,
    /// A playlist.
    Hls,
}

impl StreamFormat {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "mp4" => Some(Self::Mp4),
            "webm" => Some(Self::Webm),
            "hls" => Some(Self::Hls),
            _ => None,
        }
    }

    fn best(headers: &HeaderMap, has_hls: bool, has_webm: bool) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let accept = accept.to_ascii_lowercase();
        if has_hls && accept.contains("mpegurl") {
            Self::Hls
        } else if has_webm && accept.contains("video/webm") && !accept.contains("video/mp4") {
            Self::Webm
        } else {
            Self::Mp4
        }
    }
}

/// A form with a try-on image.
#[derive(Debug, utoipa::ToSchema)]
#[schema(rename_all = "camelCase", as = TryonImageForm)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct TryonImageForm {
    /// The product that is worn.
    product_id: uuid::Uuid,
    /// JPEG, PNG or WebP by what its bytes are; 64 to 8192 pixels a side, at most 20 MB.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    image: Vec<u8>,
}

const FORM: [Part; 2] = [
    Part { name: "productId", expected: "uuid", is_file: false },
    Part { name: "image", expected: "a JPEG, PNG or WebP picture", is_file: true },
];

/// Uploads a picture of somebody wearing a product.
///
/// It is seen by nobody but the desk and the model that moves it. 30 days after it was uploaded, and after the last video was
/// made of it, it is removed.
#[utoipa::path(
    post, path = "/api/video/tryon-images", operation_id = "uploadTryonImage", tag = "video",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "Names the request: sent again with the same key it stores nothing new.")),
    request_body(content = TryonImageForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "Stored.", body = TryonImage)),
    security(("token" = ["video:generate"])),
)]
pub async fn upload_tryon_image(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    caller.may(Scope::VideoGenerate)?;
    let key = idempotency::key(&headers, Need::Optional)?;
    let mut form = rest.uploads.read(caller.id, &headers, body, &FORM).await?;
    let image = form.take("image");
    let product = form.take("productId");
    let product = std::str::from_utf8(&product).ok().and_then(input::uuid);
    let product = product.ok_or_else(|| Problem::field("productId", FieldCode::InvalidValue, "uuid"))?;
    let request: [&[u8]; 3] = [b"POST /api/video/tryon-images", product.as_bytes(), &image.clone()];
    let work = async {
        let product = ProductId::from_uuid(product);
        let image = rest.engine.add_tryon_image(caller.user, product, image).await;
        let image = image.map_err(|error| refused(error).of_field("productId"))?;
        let stored = TryonImage {
            tryon_image_id: image.id.uuid(),
            product_id: image.product.uuid(),
            content_type: image.content_type,
            width: image.width,
            height: image.height,
            bytes: image.bytes,
            sha256: image.sha256,
        };
        Answer::new(StatusCode::CREATED, &stored)
    };
    rest.once(&caller, key.as_deref(), &request, work).await
}

/// Removes a try-on image.
///
/// Nothing is made of it any more, and its picture is erased, within a day at the latest; videos that were made of it stay. 409
/// while a video is being made of it.
#[utoipa::path(
    delete, path = "/api/video/tryon-images/{tryonImageId}", operation_id = "removeTryonImage", tag = "video",
    params(("tryonImageId" = Uuid, Path, description = "What the upload answered.")),
    responses((status = 204, description = "Removed.")),
    security(("token" = ["video:generate"])),
)]
pub async fn remove_tryon_image(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
) -> Result<Response, Problem> {
    caller.may(Scope::VideoGenerate)?;
    let id = params.id("tryonImageId", TryonImageId::from_uuid)?;
    rest.engine.remove_tryon_image(caller.user, id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_best_way_to_play_is_the_one_the_client_names() {
        for (accept, expected) in [
            ("*/*", StreamFormat::Mp4),
            ("application/vnd.apple.mpegurl, video/mp4", StreamFormat::Hls),
            ("video/webm", StreamFormat::Webm),
            ("video/webm, video/mp4", StreamFormat::Mp4),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(StreamFormat::best(&headers, true, true), expected, "{accept}");
            assert_eq!(StreamFormat::best(&headers, false, false), StreamFormat::Mp4, "{accept}");
        }
    }

    #[test]
    fn the_answer_that_is_kept_is_the_one_that_is_described() {
        let id = GenerationId::from_uuid(uuid::Uuid::from_u128(7));
        let described = serde_json::to_string(&AcceptedVideo { job_id: id.uuid() }).unwrap();
        assert_eq!(accepted(id).body, described);
    }
}
