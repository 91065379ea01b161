//! What providers tell us without being asked. The signature was checked before; here it is written down once and the
//! job that waits for it is woken. Nothing a webhook says is believed as a result: the job asks the provider itself.

mod store;

use std::str::FromStr;

use domain::{CallId, CallState, generation::EventKind};
use hmac::{Hmac, KeyInit as _, Mac as _};
use providers::Provider;
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use sqlx::PgConnection;
use subtle::ConstantTimeEq as _;
use url::Url;
use uuid::Uuid;

use crate::{
    Engine, Error, Settings,
    calls::{self, Call, store::Addresses},
    generations::store::{self as generations, Event},
};

/// Characters of the signature that are put into an address: 128 bits.
const MAC_CHARS: usize = 32;

/// The name of a call in a callback address, signed so that nobody can make one up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallToken(String);

impl CallToken {
    /// The token of a call.
    pub(crate) fn of(settings: &Settings, call: CallId) -> Self {
        Self(format!("{call}.{}", mac(settings, call)))
    }

    /// The token as it stood in an address.
    pub fn from_address(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The call, when the token is one of ours.
    fn open(&self, settings: &Settings) -> Option<CallId> {
        let (id, given) = self.0.split_once('.')?;
        let call = CallId::from_str(id).ok()?;
        bool::from(mac(settings, call).as_bytes().ct_eq(given.as_bytes())).then_some(call)
    }
}

fn mac(settings: &Settings, call: CallId) -> String {
    // HMAC takes keys of any length, so this never fails; an empty mac opens nothing.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(settings.callback_secret.expose_secret().as_bytes()) else {
        return String::new();
    };
    mac.update(call.to_string().as_bytes());
    let mut text = hex::encode(mac.finalize().into_bytes());
    text.truncate(MAC_CHARS);
    text
}

/// Where a provider reports a call; none when providers cannot reach this server.
pub(crate) fn callback_url(settings: &Settings, call: &Call) -> Option<Url> {
    let token = CallToken::of(settings, call.id);
    let provider = call.model.provider;
    settings.callback_url.as_ref()?.join(&format!("api/video/webhook/{provider}/{}", token.0)).ok()
}

impl Engine {
    /// A provider reported a request of ours. The signature has been checked; `token` is the rest of the address.
    /// Safe to be told any number of times, in any order, about anything.
    ///
    /// # Errors
    /// Only when the database does not answer: then the provider should tell again.
    pub async fn call_reported(
        &self,
        provider: Provider,
        token: Option<&CallToken>,
        request_id: &str,
        body_sha256: &str,
    ) -> Result<(), Error> {
        let provider = provider.as_str();
        let mut tx = self.pg().begin().await?;
        let named = token.and_then(|token| token.open(self.settings()));
        let known = store::call_of_request(&mut tx, provider, request_id).await?;
        let call = known.or(named);
        // The job's row first, as the stages lock: a worker may be looking at the same call.
        let job = match call {
            Some(id) => self.lock_job(&mut tx, id).await?,
            None => None,
        };
        store::insert(&mut tx, provider, request_id, call, body_sha256).await?;
        let woken = match (call, job) {
            (Some(id), Some(job)) => self.hear(&mut tx, id, job, request_id).await?,
            (Some(_), None) => None,
            (None, _) => {
                tracing::warn!(request.id = request_id, "webhook for request {request_id} belongs to no call of ours");
                None
            }
        };
        tx.commit().await?;
        self.queue().dispatch(woken.as_slice()).await;
        Ok(())
    }

    /// Holds the job of a call that is not over, of a generation that is not.
    async fn lock_job(&self, conn: &mut PgConnection, id: CallId) -> Result<Option<Uuid>, Error> {
        let Some(call) = calls::store::by_id(conn, id).await? else { return Ok(None) };
        if matches!(call.state, CallState::Done | CallState::Failed | CallState::Void) {
            return Ok(None);
        }
        let Some(generation) = generations::load(conn, call.generation_id).await? else { return Ok(None) };
        if generation.state.is_final() {
            return Ok(None);
        }
        Ok(jobs::lock(conn, generation.job_id).await?.then_some(generation.job_id))
    }

    /// A call whose submit was never answered learns its request id here, even one that was put back to be sent again;
    /// whoever waits for news is woken. Waking a job that has nothing to do only makes it look.
    async fn hear(
        &self,
        conn: &mut PgConnection,
        id: CallId,
        job: Uuid,
        request_id: &str,
    ) -> Result<Option<Uuid>, Error> {
        let Some(call) = calls::store::by_id(conn, id).await? else { return Ok(None) };
        let unknown = Addresses { status: None, response: None, cancel: None };
        let named = call.request_id.is_none()
            && match call.state {
                CallState::Planned => calls::store::adopt(conn, id, request_id).await?,
                _ => calls::store::submit(conn, id, request_id, unknown).await?,
            };
        if named {
            let stage = Some(call.slot.stage());
            let event = Event { stage, detail: Some(request_id), ..Event::of(EventKind::CallSubmitted) };
            generations::record(conn, call.generation_id, &event).await?;
        }
        Ok(jobs::wake(conn, job).await?.then_some(job))
    }
}
