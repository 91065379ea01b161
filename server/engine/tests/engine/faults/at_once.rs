//! Stills that come with the answer: what is lost cannot be looked up, and every answer has its price.

use domain::{FailureCode as Code, Stage::Stills, cost::Reused};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Case, play};
use crate::shop::Shop;

const ONE: &[Reused] = &[Reused::OneStill];

fn rule(more: Value) -> Value {
    let mut rule = json!({"model": "gemini"});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

fn case(fault: &'static str, more: Value, stills: usize) -> Case {
    Case::new(fault, rule(more), (stills, 0))
}

fn status(fault: &'static str, status: u16, stills: usize) -> Case {
    case(fault, json!({"fault": "status", "status": status}), stills)
}

#[sqlx::test(migrations = "../../migrations")]
async fn before_it_is_taken(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let cases = vec![
        case("slow to begin", json!({"fault": "delay_ms", "ms": 300}), 2),
        status("busy once", 429, 2).failed(1).tried_again(1),
        status("broken once", 500, 2).failed(1).tried_again(1),
        status("overloaded once", 503, 2).failed(1).tried_again(1),
        status("busy for good", 429, 0).always().failed(6).tried_again(2).fails(Code::ProviderBusy, Stills, &[]),
        status("broken for good", 500, 0).always().failed(6).tried_again(2).fails(
            Code::ProviderUnavailable,
            Stills,
            &[],
        ),
        status("malformed", 400, 0).twice().failed(2).fails(Code::ProviderRejected, Stills, &[]),
        case("a key that is wrong", json!({"fault": "bad_key"}), 0).twice().failed(2).fails(
            Code::ProviderKey,
            Stills,
            &[],
        ),
        status("a key that is refused", 401, 0).twice().failed(2).fails(Code::ProviderKey, Stills, &[]),
        status("no credit", 402, 0).twice().failed(2).fails(Code::ProviderCredit, Stills, &[]),
        status("a locked account", 403, 0).twice().failed(2).fails(Code::ProviderAccount, Stills, &[]),
        status("a model that is gone", 404, 0).twice().failed(2).fails(Code::ModelGone, Stills, &[]),
        // The other still was taken: it is paid and kept.
        status("no credit for the second", 402, 1).failed(1).fails(Code::ProviderCredit, Stills, ONE),
    ];
    play(&shop, Stills, cases).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn after_it_was_taken(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let after = |fault, code: u16| case(fault, json!({"fault": "status", "status": code, "accepted": true}), 2);
    let lost = |fault, more| case(fault, more, 3).doubted(1).repeated(1);
    let cases = vec![
        // An error of the 400 or 500 family is not charged, whenever it comes.
        after("busy after accepting", 429).voided(1).failed(1).tried_again(1),
        after("broken after accepting", 500).voided(1).failed(1).tried_again(1),
        after("away after accepting", 503).voided(1).failed(1).tried_again(1),
        lost("an answer that is dropped", json!({"fault": "drop_answer"})),
        lost("an answer that never comes", json!({"fault": "never", "seconds": 1})),
        lost("an answer nobody understands", json!({"fault": "garbage"})),
        lost("an answer that breaks off", json!({"fault": "cut_body", "step": "submit", "bytes": 200})),
        case("a slow answer", json!({"fault": "slow_body", "step": "submit", "bytes_per_sec": 2_000_000}), 2),
    ];
    play(&shop, Stills, cases).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn answers_without_a_still(pg: PgPool) {
    let shop = Shop::open(pg).await;
    let refused = |fault, form: &str| {
        case(fault, json!({"fault": "moderation", "as": form}), 2).failed(1).fails(Code::ContentRefused, Stills, ONE)
    };
    let words = || json!({"fault": "moderation", "as": "text_only"});
    let spoiled = |fault, name: &str| {
        case(fault, json!({"fault": name, "step": "run"}), 2).failed(1).fails(Code::ProviderGarbage, Stills, ONE)
    };
    let cases = vec![
        refused("a refused picture", "finish_reason"),
        refused("a refused prompt", "prompt_feedback"),
        // Words cost their tokens, and the next answer often is a picture.
        case("words instead of a picture", words(), 3).failed(1).tried_again(1),
        case("only ever words", words(), 6).always().failed(6).tried_again(2).fails(Code::NoPicture, Stills, &[]),
        // A whole picture's price: whether to pay it once more is for a person to say.
        spoiled("a truncated picture", "truncated_media"),
        spoiled("something that is no picture", "wrong_type_media"),
    ];
    play(&shop, Stills, cases).await;
}
