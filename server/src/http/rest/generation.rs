//! `/api/admin/video-generation`: generations of products, as the desk has them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts as _, Request, State as FromState},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use domain::{GenerationId, Locale, MicroUsd, ProductId, Scope, generation::GenerationView};
use engine::{GenerationsAfter, VideoJob};

use super::{
    Rest,
    caller::Caller,
    generation_schema::{
        CreateGeneration, Generation, GenerationOptions, GenerationPage, RetryGeneration, StatusFilter,
    },
    idempotency::{self, Answer, Need},
    input::{self, Nothing, Params, Sent},
    option_name,
    page::PageQuery,
    paths,
    problem::{self, Code, Problem},
    refused,
    stats_schema::Stats,
    video::fresh,
};

/// Days that figures are of when nobody says.
const STATS_DAYS: i64 = 30;

/// Starts a video of a product.
///
/// Priced, held and durably queued when this answers.
#[utoipa::path(
    post, path = "/api/admin/video-generation", operation_id = "createGeneration", tag = "generations",
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "Names the request: sent again with the same key it makes nothing new and is answered the same.")),
    request_body = CreateGeneration,
    responses((status = 202, description = "Queued.", body = Generation,
        headers(("Location" = String, description = "Where it is.")))),
    security(("token" = ["generation:write"]), ("session" = [])),
)]
pub async fn create(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Result<Response, Problem> {
    caller.may(Scope::GenerationWrite)?;
    let key = idempotency::key(&headers, Need::Required)?.ok_or(Problem::new(Code::IdempotencyKeyMissing))?;
    let mut fields = input::json(&headers, &body)?;
    let product = fields.required("productId", "uuid", input::id);
    let mut inner = fields.object("options");
    let options = GenerationOptions::read(&mut inner);
    fields.absorb(inner);
    fields.finish()?;
    let locale = problem::locale_of(&headers);
    let request: [&[u8]; 2] = [b"POST video-generation", &body];
    let work = async {
        let click = idempotency::click_name(&caller, &key, &request);
        let product = ProductId::from_uuid(product);
        let made = rest.engine.generate(caller.user, product, options, click).await;
        let id = made.map_err(|error| Problem::of(error, option_name).of_field("productId"))?;
        made_answer(&rest, id, locale).await
    };
    rest.once(&caller, Some(&key), &request, work).await
}

async fn made_answer(rest: &Rest, id: GenerationId, locale: Locale) -> Result<Answer, Problem> {
    let generation = one(rest, id, locale).await?;
    Ok(Answer::new(StatusCode::ACCEPTED, &generation)?.at(format!("{}/{id}", paths::GENERATIONS)))
}

/// A generation as the API shows it.
pub async fn one(rest: &Rest, id: GenerationId, locale: Locale) -> Result<Generation, Problem> {
    let view = rest.engine.generation_view(id).await.map_err(refused)?;
    let job = job_of(rest, &view).await?;
    Ok(Generation::of(&view, job.as_ref(), rest, locale))
}

/// What plays of a generation, where there may be something.
pub async fn job_of(rest: &Rest, view: &GenerationView) -> Result<Option<VideoJob>, Problem> {
    if !view.state.is_final() {
        return Ok(None);
    }
    Ok(rest.engine.video_jobs(&[view.id]).await.map_err(refused)?.remove(&view.id))
}

/// One generation.
#[utoipa::path(
    get, path = "/api/admin/video-generation/{jobId}", operation_id = "getGeneration", tag = "generations",
    params(("jobId" = Uuid, Path, description = "The generation.")),
    responses((status = 200, description = "The generation.", body = Generation)),
    security(("token" = ["generation:read"]), ("session" = [])),
)]
pub async fn get(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Scope::GenerationRead)?;
    let id = params.id("jobId", GenerationId::from_uuid)?;
    Ok(fresh(Json(one(&rest, id, problem::locale_of(&headers)).await?)))
}

/// Generations, newest first.
#[utoipa::path(
    get, path = "/api/admin/video-generation", operation_id = "listGenerations", tag = "generations",
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 100, description = "How many, 20 when it is left out."),
        ("cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]{22}$", description = "`nextCursor` of the page before."),
        ("status" = inline(Option<StatusFilter>), Query, description = "Only these."),
        ("productId" = Option<Uuid>, Query, description = "Only of this product."),
    ),
    responses((status = 200, description = "A page of them.", body = GenerationPage)),
    security(("token" = ["generation:read"]), ("session" = [])),
)]
pub async fn list(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::GenerationRead)?;
    let (page, mut query) = PageQuery::read(&uri)?;
    let group = query.optional("status", "active|completed|failed|cancelled", input::word(StatusFilter::parse));
    let product = query.optional("productId", "uuid", input::id).map(ProductId::from_uuid);
    query.finish()?;
    let after = page.after.map(GenerationId::from_uuid);
    let list = GenerationsAfter { after, group, product, most: page.most() };
    let ids = rest.engine.generations_after(&list).await.map_err(refused)?;
    let (ids, next_cursor) = page.cut(ids, |id| id.uuid());
    let views = rest.engine.views(&ids).await.map_err(refused)?;
    let jobs = rest.engine.video_jobs(&ids).await.map_err(refused)?;
    let locale = problem::locale_of(&headers);
    let items = views.iter().map(|view| Generation::of(view, jobs.get(&view.id), &rest, locale)).collect();
    Ok(fresh(Json(GenerationPage { items, next_cursor })))
}

/// How the generations of the last days went, and the limits of today.
#[utoipa::path(
    get, path = "/api/admin/video-generation/stats", operation_id = "getStats", tag = "generations",
    params(("days" = Option<u16>, Query, minimum = 1, maximum = 366, description = "Of how many days, 30 when it is left out.")),
    responses((status = 200, description = "The figures.", body = Stats)),
    security(("token" = ["generation:read"]), ("session" = [])),
)]
pub async fn stats(FromState(rest): FromState<Arc<Rest>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    caller.may(Scope::GenerationRead)?;
    let mut query = input::query(&uri)?;
    let days = query.optional("days", "1..=366", input::text_between(1, 366)).unwrap_or(STATS_DAYS);
    query.finish()?;
    let stats = rest.engine.generation_stats(u16::try_from(days).unwrap_or(1)).await.map_err(refused)?;
    let limits = rest.engine.limits().await.map_err(refused)?;
    Ok(fresh(Json(Stats::of(&stats, &limits))))
}

/// A request that carries nothing but which generation it is about.
pub struct Act {
    caller: Caller,
    id: GenerationId,
    key: Option<String>,
    locale: Locale,
}

impl<S: Send + Sync> FromRequest<S> for Act {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, state).await?;
        caller.may(Scope::GenerationWrite)?;
        let params = Params::from_request_parts(&mut parts, state).await?;
        let id = params.id("jobId", GenerationId::from_uuid)?;
        let key = idempotency::key(&parts.headers, Need::Optional)?;
        let locale = problem::locale_of(&parts.headers);
        Nothing::from_request(Request::from_parts(parts, body), state).await?;
        Ok(Self { caller, id, key, locale })
    }
}

impl Act {
    /// Does it once for its key, and answers with the generation as it is then.
    async fn answer(
        &self,
        rest: &Rest,
        request: &[u8],
        status: StatusCode,
        work: impl Future<Output = Result<(), engine::Error>>,
    ) -> Result<Response, Problem> {
        let work = async {
            work.await.map_err(refused)?;
            Answer::new(status, &one(rest, self.id, self.locale).await?)
        };
        rest.once(&self.caller, self.key.as_deref(), &[request, self.id.uuid().as_bytes()], work).await
    }
}

/// Asks to stop a generation.
///
/// What is paid stays paid; the end is told as `CANCELLED`, at once or when the provider has answered.
#[utoipa::path(
    post, path = "/api/admin/video-generation/{jobId}/cancel", operation_id = "cancelGeneration", tag = "generations",
    params(
        ("jobId" = Uuid, Path, description = "The generation."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Names the request."),
    ),
    responses((status = 202, description = "It is asked to stop.", body = Generation)),
    security(("token" = ["generation:write"]), ("session" = [])),
)]
pub async fn cancel(FromState(rest): FromState<Arc<Rest>>, act: Act) -> Result<Response, Problem> {
    let work = rest.engine.cancel(act.caller.user, act.id);
    act.answer(&rest, b"POST cancel", StatusCode::ACCEPTED, work).await
}

/// Retries a generation that failed or was stopped.
///
/// A new generation with the same options. What was paid for and is still good is taken over; the rest is bought, for no
/// more than `maxCostMicroUsd`. While its retry is under way, and once that gave a video, every further one is answered with it.
#[utoipa::path(
    post, path = "/api/admin/video-generation/{jobId}/retry", operation_id = "retryGeneration", tag = "generations",
    params(
        ("jobId" = Uuid, Path, description = "The generation."),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Names the request: sent again with the same key it makes nothing new and is answered the same."),
    ),
    request_body = Option<RetryGeneration>,
    responses((status = 202, description = "Queued.", body = Generation,
        headers(("Location" = String, description = "Where the new one is.")))),
    security(("token" = ["generation:write"]), ("session" = [])),
)]
pub async fn retry(
    FromState(rest): FromState<Arc<Rest>>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    Sent(body): Sent,
) -> Result<Response, Problem> {
    caller.may(Scope::GenerationWrite)?;
    let id = params.id("jobId", GenerationId::from_uuid)?;
    let key = idempotency::key(&headers, Need::Required)?.ok_or(Problem::new(Code::IdempotencyKeyMissing))?;
    let mut fields = input::json_or_nothing(&headers, &body)?;
    let agreed = RetryGeneration::read(&mut fields).map(MicroUsd::new);
    fields.finish()?;
    let locale = problem::locale_of(&headers);
    let uuid = id.uuid();
    let request: [&[u8]; 3] = [b"POST retry", uuid.as_bytes(), &body];
    let work = async {
        let click = idempotency::click_name(&caller, &key, &request);
        let made = rest.engine.retry(caller.user, id, click, agreed).await.map_err(refused)?;
        made_answer(&rest, made, locale).await
    };
    rest.once(&caller, Some(&key), &request, work).await
}

/// Shows the video of a generation on its product.
///
/// A generation that finishes does so by itself: this is for choosing an earlier one again.
#[utoipa::path(
    post, path = "/api/admin/video-generation/{jobId}/publish", operation_id = "publishGeneration", tag = "generations",
    params(
        ("jobId" = Uuid, Path, description = "The generation."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Names the request."),
    ),
    responses((status = 200, description = "It is shown.", body = Generation)),
    security(("token" = ["generation:write"]), ("session" = [])),
)]
pub async fn publish(FromState(rest): FromState<Arc<Rest>>, act: Act) -> Result<Response, Problem> {
    let work = rest.engine.publish(act.caller.user, act.id);
    act.answer(&rest, b"POST publish", StatusCode::OK, work).await
}

/// Says that the video of a finished generation is good.
///
/// Who said so is written down, and the product shows it where it does not yet. 409 where there is no video to show: no recipe
/// waits for this, so a generation that is not finished goes on by itself.
#[utoipa::path(
    post, path = "/api/admin/video-generation/{jobId}/approve", operation_id = "approveGeneration", tag = "generations",
    params(
        ("jobId" = Uuid, Path, description = "The generation."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Names the request."),
    ),
    responses((status = 200, description = "It is approved, and shown.", body = Generation)),
    security(("token" = ["generation:write"]), ("session" = [])),
)]
pub async fn approve(FromState(rest): FromState<Arc<Rest>>, act: Act) -> Result<Response, Problem> {
    let work = rest.engine.approve(act.caller.user, act.id);
    act.answer(&rest, b"POST approve", StatusCode::OK, work).await
}

/// Shows no video on the product any more.
///
/// Within seconds its files are for nobody but the desk and who has a signed address.
#[utoipa::path(
    post, path = "/api/admin/video-generation/{jobId}/unpublish", operation_id = "unpublishGeneration",
    tag = "generations",
    params(
        ("jobId" = Uuid, Path, description = "The generation whose video is shown."),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            description = "Names the request."),
    ),
    responses((status = 200, description = "Nothing is shown.", body = Generation)),
    security(("token" = ["generation:write"]), ("session" = [])),
)]
pub async fn unpublish(FromState(rest): FromState<Arc<Rest>>, act: Act) -> Result<Response, Problem> {
    let work = rest.engine.unpublish(act.caller.user, act.id);
    act.answer(&rest, b"POST unpublish", StatusCode::OK, work).await
}
