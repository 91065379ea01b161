//! W3C trace context (<https://www.w3.org/TR/trace-context/>): the line that ties a job to the request that wanted it.
//!
//! [`crate::NewJob::new`] writes down the span it is called in, and a run is a span of that trace by itself; the functions
//! here are for whoever receives or passes on a `traceparent` in another way.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The `traceparent` of the span this is called in; nothing where no span is recorded.
pub fn parent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    let flags = span.trace_flags() & TraceFlags::SAMPLED;
    span.is_valid().then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), flags))
}

/// Makes a span the child of the one that a `traceparent` names. False, and nothing happens, when the text is not one or
/// the span is already part of a trace.
pub fn follow(span: &Span, trace_parent: &str) -> bool {
    let parent = parse(trace_parent).map(|parent| Context::new().with_remote_span_context(parent));
    parent.is_some_and(|parent| span.set_parent(parent).is_ok())
}

/// `version-trace-span-flags` in lower case hexadecimal. Later versions may say more after that.
fn parse(text: &str) -> Option<SpanContext> {
    let mut parts = text.trim().split('-');
    let mut hex = |digits: usize| {
        let part = parts.next()?;
        let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (part.len() == digits && is_hex).then_some(part)
    };
    let (version, trace, span, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::default())).filter(SpanContext::is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_what_the_specification_shows() {
        let parent = parse(EXAMPLE);
        assert_eq!(
            parent.as_ref().map(|parent| parent.trace_id().to_string()).as_deref(),
            Some("4bf92f3577b34da6a3ce929d0e0e4736")
        );
        assert!(parent.is_some_and(|parent| parent.is_sampled() && parent.is_remote()));
        assert!(parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-what-comes-later").is_some());
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn without_a_recorded_span_there_is_no_context() {
        assert_eq!(parent(), None);
    }
}
