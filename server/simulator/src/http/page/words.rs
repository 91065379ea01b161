//! Rules and counts as people read them.

use serde_json::Value;

use super::faults::BLOCKS;
use crate::desk::Rule;
use crate::http::faults::choice;

/// What a rule does, to whom, where and how often.
pub(super) fn rule(rule: &Rule) -> String {
    let fault = serde_json::to_value(&rule.fault).unwrap_or_default();
    let mut parts = vec![what(&fault), whom(rule)];
    if let Some(step) = rule.step.and_then(|step| serde_json::to_value(step).ok()) {
        parts.push(format!("at the step {}", word(&step)));
    }
    if let Some(prompt) = &rule.prompt {
        parts.push(format!("when the prompt contains “{prompt}”"));
    }
    if let Some(request) = &rule.request {
        parts.push(format!("for the request {request}"));
    }
    if let Some(nth) = rule.nth {
        parts.push(format!("from call {nth} on"));
    }
    parts.push(match rule.times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    });
    parts.join(" · ")
}

fn whom(rule: &Rule) -> String {
    rule.model.as_ref().map_or_else(|| "every model".to_owned(), |model| format!("models that begin with {model}"))
}

/// The fault with its number and its other words.
fn what(fault: &Value) -> String {
    let name = word(&fault["fault"]);
    let mut text = match choice(&name) {
        Some((when, choice)) => format!("{when}: {}", choice.label),
        None => name.replace('_', " "),
    };
    let number = choice(&name).and_then(|(_, choice)| choice.number);
    if let Some((number, unit)) = number.and_then(|(field, unit)| Some((fault.get(field)?, unit))) {
        let unit = if unit == "the code" { "" } else { unit };
        text = format!("{text}, {}", format!("{number} {unit}").trim_end());
    }
    if fault["accepted"] == true {
        text.push_str(", after accepting");
    }
    if let Some(seconds) = fault["retry_after_secs"].as_u64() {
        text = format!("{text}, retry after {seconds} s");
    }
    if let Some((_, block)) = BLOCKS.iter().find(|(block, _)| fault["as"] == *block) {
        text = format!("{text} by {block}");
    }
    for field in ["reason", "error_type"] {
        if let Some(said) = fault[field].as_str() {
            text = format!("{text} ({said})");
        }
    }
    text
}

/// What a bill counts, like `5 seconds` or `1290 image output tokens, 8 input tokens`.
pub(super) fn counted(units: &Value) -> String {
    let Some(units) = units.as_object() else { return word(units) };
    let parts = units.iter().map(|(unit, count)| {
        let unit = unit.replace('_', " ");
        let unit = if *count == 1 { unit.strip_suffix('s').unwrap_or(&unit) } else { &unit };
        format!("{} {unit}", word(count))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_is_told_in_words() {
        let told = |value: Value| rule(&serde_json::from_value(value).unwrap());
        assert_eq!(told(json!({"fault": "garbage"})), "At the door: accept, then answer garbage · every model · once");
        assert_eq!(
            told(
                json!({"fault": "status", "status": 503, "accepted": true, "retry_after_secs": 7, "model": "fal-ai/pika",
                "step": "result", "times": 3, "nth": 2, "prompt": "red coat", "request": "r1"})
            ),
            "At the door: answer with a status, 503, after accepting, retry after 7 s · models that begin with fal-ai/pika · at the step \
             result · when the prompt contains “red coat” · for the request r1 · from call 2 on · 3 times"
        );
        assert_eq!(
            told(json!({"fault": "delay_ms", "ms": 3000})),
            "At the door: take longer, 3000 ms · every model · once"
        );
        assert_eq!(
            told(json!({"fault": "moderation", "as": "text_only"})),
            "While it runs: refuse the content by words only · every model · once"
        );
        assert_eq!(told(json!({"fault": "corrupt_clip"})), "corrupt clip · every model · once");
    }

    #[test]
    fn counts_are_told_in_words() {
        assert_eq!(counted(&json!({"seconds": 5})), "5 seconds");
        assert_eq!(counted(&json!({"images": 1})), "1 image");
        assert_eq!(
            counted(&json!({"image_output_tokens": 1290, "input_tokens": 8})),
            "1290 image output tokens, 8 input tokens"
        );
    }
}
