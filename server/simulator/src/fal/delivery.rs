use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::{Call, FalRequest, Fault, Outcome, Step};
use crate::world::World;

const MOST_TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const TRY_TIMEOUT: Duration = Duration::from_secs(15);
/// A delivery that shall come after another's waits for it so long.
const MOST_HELD: Duration = Duration::from_secs(60);

/// One delivery as it goes out: whose, what, and what is wrong with it.
struct Letter<'a> {
    url: &'a str,
    request_id: String,
    body: String,
    fault: Option<&'a Fault>,
}

/// Tells the end of a request to its webhook: signed, repeated with growing
/// pauses until somebody says 2xx, given up after five tries.
pub(crate) async fn deliver(world: Arc<World>, request: FalRequest) {
    let (Some(order), Some(outcome)) = (&request.webhook, &request.outcome) else { return };
    if order.settled {
        return;
    }
    let request_id = request.id.to_string();
    let call = Call {
        model: &request.endpoint,
        step: Step::Webhook,
        request: Some(&request_id),
        prompt: request.prompt.as_deref(),
    };
    let fault = world.faults.take(call, |_| true).await;
    if !hold_back(&world, fault.as_ref()).await {
        return;
    }
    let body = webhook_body(&request_id, outcome).to_string();
    let letter = Letter { url: &order.url, request_id, body, fault: fault.as_ref() };
    let copies = match fault {
        Some(Fault::WebhookNone) => 0,
        Some(Fault::WebhookDuplicate) => 2,
        _ => 1,
    };
    if let Some(Fault::WebhookUnknownRequest) = fault {
        let stranger = Uuid::new_v5(&request.id, b"unknown").to_string();
        let body = webhook_body(&stranger, outcome).to_string();
        if !push_through(&world, &Letter { request_id: stranger, body, ..letter }).await {
            return;
        }
    }
    for _ in 0..copies {
        if !push_through(&world, &letter).await {
            return;
        }
    }
    world.told.send_modify(|count| *count += 1);
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

/// What a fault does before the first try; `false` when we are stopping.
async fn hold_back(world: &World, fault: Option<&Fault>) -> bool {
    match fault {
        Some(Fault::WebhookLateMs { ms } | Fault::DelayMs { ms }) => world.pause(Duration::from_millis(*ms)).await,
        Some(Fault::WebhookReordered) => {
            let mut told = world.told.subscribe();
            tokio::select! {
                _ = told.changed() => true,
                ended = world.pause(MOST_HELD) => ended,
            }
        }
        Some(Fault::WebhookRotatedKey) => {
            if let Err(error) = world.signer.replace_key().await {
                tracing::warn!("the new key could not be kept: {error}");
            }
            true
        }
        _ => true,
    }
}

/// Tries until acknowledged or given up; `false` when we are stopping.
async fn push_through(world: &World, letter: &Letter<'_>) -> bool {
    let mut pause = FIRST_PAUSE;
    let id = &letter.request_id;
    for attempt in 1..=MOST_TRIES {
        match send_once(world, letter).await {
            Ok(status) if status.is_success() => return true,
            Ok(status) => tracing::info!(request.id = %id, "webhook of {id} answered {status}, try {attempt}"),
            Err(error) => {
                tracing::info!(request.id = %id, "webhook of {id} failed, try {attempt}: {}", error.without_url());
            }
        }
        if attempt < MOST_TRIES && !world.pause(pause).await {
            return false;
        }
        pause *= 2;
    }
    true
}

async fn send_once(world: &World, letter: &Letter<'_>) -> Result<reqwest::StatusCode, reqwest::Error> {
    let id = &letter.request_id;
    let mut timestamp = world.clock.now().timestamp();
    if let Some(Fault::WebhookStale { seconds }) = letter.fault {
        timestamp = timestamp.saturating_sub_unsigned(*seconds);
    }
    let signature = match letter.fault {
        Some(Fault::WebhookBadSignature) => world.signer.forge(id, timestamp, letter.body.as_bytes()),
        _ => world.signer.sign(id, timestamp, letter.body.as_bytes()),
    };
    let body = match letter.fault {
        Some(Fault::WebhookTampered) => letter.body.replacen("://", "://evil.", 1) + " ",
        _ => letter.body.clone(),
    };
    let answer = world
        .client
        .post(letter.url)
        .timeout(TRY_TIMEOUT)
        .header("content-type", "application/json")
        .header("x-fal-webhook-request-id", id)
        .header("x-fal-webhook-user-id", world.signer.user_id())
        .header("x-fal-webhook-timestamp", timestamp.to_string())
        .header("x-fal-webhook-signature", signature)
        .body(body)
        .send()
        .await?;
    Ok(answer.status())
}

fn webhook_body(request_id: &str, outcome: &Outcome) -> Value {
    let failed = outcome.status >= 400;
    json!({
        "request_id": request_id,
        "gateway_request_id": request_id,
        "status": if failed { "ERROR" } else { "OK" },
        "error": failed.then(|| format!("Invalid status code: {}", outcome.status)),
        "payload": outcome.body,
    })
}
