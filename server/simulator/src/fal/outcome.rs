use serde_json::json;

use super::{Detail, detail_body};
use crate::desk::Outcome;

/// The input, or what it shows, is not acceptable.
pub(super) fn invalid(details: &[Detail]) -> Outcome {
    Outcome {
        status: 422,
        body: detail_body(details),
        error: Some("Invalid status code: 422".to_owned()),
        error_type: details.first().map(|detail| detail.kind().to_owned()),
    }
}

/// What fal's own content checker says.
pub(super) fn refused_content(reason: Option<&str>) -> Outcome {
    let message = reason.unwrap_or("The content could not be processed because it was flagged by a content checker.");
    invalid(&[Detail::at("prompt", "content_policy_violation", message)])
}

/// The model or its runner failed.
pub(super) fn broken(status: u16, error_type: Option<&str>) -> Outcome {
    let error_type = error_type.unwrap_or(match status {
        502 => "runner_incomplete_response",
        503 => "runner_connection_error",
        504 => "request_timeout",
        _ => "runner_server_error",
    });
    Outcome {
        status,
        body: json!({"detail": "The model failed to answer", "error_type": error_type}),
        error: Some("The model failed to answer".to_owned()),
        error_type: Some(error_type.to_owned()),
    }
}

/// It had not started by the moment the caller named.
pub(super) fn too_late() -> Outcome {
    Outcome { error: Some("The request did not start in time".to_owned()), ..broken(504, Some("request_timeout")) }
}

/// It was taken out of the queue.
pub(crate) fn cancelled() -> Outcome {
    Outcome {
        status: 499,
        body: json!({"detail": "Request was cancelled", "error_type": "client_cancelled"}),
        error: Some("Request was cancelled".to_owned()),
        error_type: Some("client_cancelled".to_owned()),
    }
}
