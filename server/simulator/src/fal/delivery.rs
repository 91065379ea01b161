use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};

use crate::desk::{FalRequest, Fault, Outcome, Step};
use crate::world::World;

const MOST_TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const TRY_TIMEOUT: Duration = Duration::from_secs(15);
/// How far a forged delivery's signature is from a true one: another key.
const FORGERY_SEED: u64 = 0x0bad_5eed;

/// Tells the end of a request to its webhook: signed, repeated with growing
/// pauses until somebody says 2xx, given up after five tries.
pub(crate) async fn deliver(world: Arc<World>, request: FalRequest) {
    let (Some(order), Some(outcome)) = (&request.webhook, &request.outcome) else { return };
    if order.settled {
        return;
    }
    let fault = world.faults.take(&request.endpoint, Step::Webhook, |_| true).await;
    let copies = match fault {
        Some(Fault::WebhookNone) => 0,
        Some(Fault::WebhookDuplicate) => 2,
        _ => 1,
    };
    if let Some(Fault::WebhookLateMs { ms } | Fault::DelayMs { ms }) = fault
        && !world.pause(Duration::from_millis(ms)).await
    {
        return;
    }
    let body = webhook_body(&request, outcome).to_string();
    let forged = matches!(fault, Some(Fault::WebhookBadSignature));
    for _ in 0..copies {
        if !push_through(&world, &request, &order.url, &body, forged).await {
            return;
        }
    }
    let settled = world
        .requests
        .change(request.id, |one| {
            if let Some(order) = &mut one.webhook {
                order.settled = true;
            }
        })
        .await;
    if let Err(error) = settled {
        tracing::warn!(request.id = %request.id, "webhook of {} not noted: {error}", request.id);
    }
}

/// Tries until acknowledged or given up; `false` when we are stopping.
async fn push_through(world: &World, request: &FalRequest, url: &str, body: &str, forged: bool) -> bool {
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=MOST_TRIES {
        match send_once(world, request, url, body, forged).await {
            Ok(status) if status.is_success() => return true,
            Ok(status) => tracing::info!(
                request.id = %request.id,
                "webhook of {} answered {status}, try {attempt}", request.id
            ),
            Err(error) => tracing::info!(
                request.id = %request.id,
                "webhook of {} failed, try {attempt}: {}", request.id, error.without_url()
            ),
        }
        if attempt < MOST_TRIES && !world.pause(pause).await {
            return false;
        }
        pause *= 2;
    }
    true
}

async fn send_once(
    world: &World,
    request: &FalRequest,
    url: &str,
    body: &str,
    forged: bool,
) -> Result<reqwest::StatusCode, reqwest::Error> {
    let id = request.id.to_string();
    let timestamp = Utc::now().timestamp();
    let signature = if forged {
        super::WebhookSigner::from_seed(FORGERY_SEED).sign(&id, timestamp, body.as_bytes())
    } else {
        world.signer.sign(&id, timestamp, body.as_bytes())
    };
    let answer = world
        .client
        .post(url)
        .timeout(TRY_TIMEOUT)
        .header("content-type", "application/json")
        .header("x-fal-webhook-request-id", &id)
        .header("x-fal-webhook-user-id", world.signer.user_id())
        .header("x-fal-webhook-timestamp", timestamp.to_string())
        .header("x-fal-webhook-signature", signature)
        .body(body.to_owned())
        .send()
        .await?;
    Ok(answer.status())
}

fn webhook_body(request: &FalRequest, outcome: &Outcome) -> Value {
    let failed = outcome.status >= 400;
    json!({
        "request_id": request.id,
        "gateway_request_id": request.id,
        "status": if failed { "ERROR" } else { "OK" },
        "error": failed.then(|| format!("Invalid status code: {}", outcome.status)),
        "payload": outcome.body,
    })
}
