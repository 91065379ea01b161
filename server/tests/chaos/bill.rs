//! The ledger against the provider's own invoice, call by call.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

/// A call with the end of its hold.
struct Call {
    id: Uuid,
    generation: Uuid,
    provider: String,
    request: Option<String>,
    intent_at: Option<DateTime<Utc>>,
    paid: i64,
    assumed: bool,
}

/// An entry of the invoice that stands.
struct Entry {
    provider: String,
    request: String,
    amount: i64,
    accepted_at: DateTime<Utc>,
}

/// What the ledger and the invoice come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    pub ledger: i64,
    pub invoice: i64,
    /// Counted as paid although the provider never heard of it, or charged less.
    pub assumed_too_much: i64,
}

/// Every difference that no rule allows.
pub async fn differences(connection: &mut PgConnection, invoice: &Value, simulator: &Path) -> (Vec<String>, Sums) {
    let (calls, entries, senders) = (calls(connection).await, entries(invoice), senders(simulator));
    let mut found = sent_twice(&calls, &senders);
    let mut unclaimed = Vec::new();
    let mut claimed = HashSet::new();
    for entry in &entries {
        let sender = senders.get(&entry.request);
        let call = calls.iter().find(|call| call.request.as_ref() == Some(&entry.request) || sender == Some(&call.id));
        match call {
            Some(call) => {
                claimed.insert(call.id);
                if call.paid != entry.amount {
                    let (paid, amount) = (call.paid, entry.amount);
                    found.push(format!("call {} was settled with {paid}, the provider charges {amount}", call.id));
                }
            }
            None => unclaimed.push(entry),
        }
    }
    let mut nameless: Vec<&Call> = calls.iter().filter(|call| call.paid > 0 && !claimed.contains(&call.id)).collect();
    let mut unpaid = Vec::new();
    for entry in unclaimed {
        if take(&mut nameless, |call| could_be(call, entry) && call.paid == entry.amount).is_none() {
            unpaid.push(entry);
        }
    }
    let mut assumed_too_much = 0;
    for entry in unpaid {
        match take(&mut nameless, |call| could_be(call, entry) && call.assumed && call.paid > entry.amount) {
            Some(call) => assumed_too_much += call.paid - entry.amount,
            None => found.push(format!("{} was paid {} for {} by nobody", entry.provider, entry.amount, entry.request)),
        }
    }
    for call in nameless {
        if !call.assumed {
            found.push(format!("call {} was settled with {}, the provider charges nothing", call.id, call.paid));
        }
        assumed_too_much += call.paid;
    }
    let sums = Sums {
        ledger: calls.iter().map(|call| call.paid).sum(),
        invoice: invoice["total_micro_usd"].as_i64().unwrap(),
        assumed_too_much,
    };
    if sums.ledger != sums.invoice + sums.assumed_too_much {
        found.push(format!("ledger and invoice differ: {sums:?}"));
    }
    (found, sums)
}

/// A call that was sent twice, and a clip that one generation was charged for twice.
fn sent_twice(calls: &[Call], senders: &HashMap<String, Uuid>) -> Vec<String> {
    let mut requests: HashMap<Uuid, Vec<&str>> = HashMap::new();
    for (request, call) in senders {
        requests.entry(*call).or_default().push(request);
    }
    let twice = requests.iter().filter(|(_, requests)| requests.len() > 1);
    let mut found: Vec<String> =
        twice.map(|(call, requests)| format!("call {call} was sent {} times: {requests:?}", requests.len())).collect();
    let mut clips: HashMap<Uuid, usize> = HashMap::new();
    for call in calls.iter().filter(|call| call.provider == "fal" && call.paid > 0) {
        *clips.entry(call.generation).or_default() += 1;
    }
    let paid_twice = clips.iter().filter(|(_, paid)| **paid > 1);
    found.extend(paid_twice.map(|(generation, paid)| format!("generation {generation} paid for {paid} clips")));
    for call in calls {
        let sender = call.request.as_ref().and_then(|request| senders.get(request));
        if let Some(sender) = sender.filter(|sender| **sender != call.id) {
            found.push(format!("call {} took the request of call {sender}", call.id));
        }
    }
    found
}

/// Whether an entry whose answer was lost or that names nobody can be this call's.
fn could_be(call: &Call, entry: &Entry) -> bool {
    call.request.is_none()
        && call.provider == entry.provider
        && call.intent_at.is_some_and(|at| at <= entry.accepted_at)
}

/// Takes out the call that was sent last of those that fit: an entry is for one call.
fn take<'a>(calls: &mut Vec<&'a Call>, fits: impl Fn(&Call) -> bool) -> Option<&'a Call> {
    let (at, _) = calls.iter().enumerate().filter(|(_, call)| fits(call)).max_by_key(|(_, call)| call.intent_at)?;
    Some(calls.swap_remove(at))
}

async fn calls(connection: &mut PgConnection) -> Vec<Call> {
    let rows = sqlx::query(
        "select c.id, c.generation_id, c.provider, c.request_id, c.intent_at,
             coalesce(sum(l.amount_micro_usd), 0)::bigint as paid, coalesce(bool_or(l.assumed), false) as assumed
         from calls c left join ledger_entries l on l.call_id = c.id and l.kind in ('settle', 'adjust')
         group by c.id",
    );
    let rows = rows.fetch_all(connection).await.unwrap();
    let call = |row: &sqlx::postgres::PgRow| Call {
        id: row.get("id"),
        generation: row.get("generation_id"),
        provider: row.get("provider"),
        request: row.get("request_id"),
        intent_at: row.get("intent_at"),
        paid: row.get("paid"),
        assumed: row.get("assumed"),
    };
    rows.iter().map(call).collect()
}

fn entries(invoice: &Value) -> Vec<Entry> {
    let entry = |entry: &Value| Entry {
        provider: entry["provider"].as_str().unwrap().to_owned(),
        request: entry["request_id"].as_str().unwrap().to_owned(),
        amount: entry["amount_micro_usd"].as_i64().unwrap(),
        accepted_at: entry["accepted_at"].as_str().unwrap().parse().unwrap(),
    };
    let mut entries: Vec<Entry> = invoice["entries"].as_array().unwrap().iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.accepted_at);
    entries
}

/// The call each clip request was made for: the provider keeps the address it was told to report to, and that names it.
fn senders(simulator: &Path) -> HashMap<String, Uuid> {
    let mut senders = HashMap::new();
    for file in std::fs::read_dir(simulator.join("requests")).unwrap() {
        let path = file.unwrap().path();
        if !path.to_string_lossy().ends_with(".request.json") {
            continue;
        }
        let request: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let token = request["webhook"]["url"].as_str().and_then(|url| url.rsplit('/').next());
        let call = token.and_then(|token| token.split('.').next()).and_then(|id| id.parse().ok());
        senders.insert(request["id"].as_str().unwrap().to_owned(), call.expect("a clip is asked for with an address"));
    }
    senders
}
