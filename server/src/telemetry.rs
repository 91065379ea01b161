//! Logs and traces. Logs: one line per boundary, ids in the sentence and as fields, never a secret. Traces: requests, the
//! jobs they made and what these asked others for, sent to an OpenTelemetry collector when one is named.

use std::{io::IsTerminal as _, time::Duration};

use anyhow::Context as _;
use clap::ValueEnum;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracerProvider, TracerProviderBuilder},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, filter_fn},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::config::setting::{RUST_LOG, WrongSetting};

/// What is not sent this long after the end is lost.
const LAST_SPANS: Duration = Duration::from_secs(3);
/// Either of them names a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// What is running; to be stopped last.
pub struct Telemetry {
    traces: SdkTracerProvider,
}

impl Telemetry {
    /// Starts logging to standard error, where `RUST_LOG` chooses what is shown, and tracing as the `OTEL_*` variables
    /// say. Spans are made in any case: jobs carry the context of the request that wanted them.
    ///
    /// # Errors
    /// When a collector is named that cannot be spoken to, or what is to be shown cannot be read.
    pub fn start(format: LogFormat, default_filter: &str) -> anyhow::Result<Self> {
        let traces = tracer_provider()?;
        let spans = tracing_opentelemetry::layer()
            .with_tracer(traces.tracer("lookreel"))
            .with_location(false)
            .with_threads(false)
            .with_filter(filter_fn(|metadata| metadata.is_span()).and(LevelFilter::INFO));
        // A second start (tests) keeps the first.
        let lines = lines(format, shown(default_filter)?);
        let _ = tracing_subscriber::registry().with(lines).with(spans).try_init();
        Ok(Self { traces })
    }

    /// Sends what has not been sent yet.
    pub fn stop(self) {
        if let Err(error) = self.traces.shutdown_with_timeout(LAST_SPANS) {
            tracing::debug!(%error, "the last spans may be lost: {error}");
        }
    }
}

/// What `RUST_LOG` chooses, else this.
fn shown(default_filter: &str) -> Result<EnvFilter, WrongSetting> {
    match std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.trim().is_empty()) {
        Some(text) => EnvFilter::try_new(&text).map_err(|_| RUST_LOG.wrong(text)),
        None => Ok(EnvFilter::new(default_filter)),
    }
}

fn lines<S>(format: LogFormat, filter: EnvFilter) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    // Ids are in the sentences: the spans around a line would only say them again.
    let events = filter.and(filter_fn(|metadata| metadata.is_event()));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = lines.with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
    .with_filter(events)
}

fn tracer_provider() -> anyhow::Result<SdkTracerProvider> {
    let mut builder = SdkTracerProvider::builder().with_resource(resource());
    if is_wanted() {
        builder = with_collector(builder)?;
    }
    Ok(builder.build())
}

fn with_collector(builder: TracerProviderBuilder) -> anyhow::Result<TracerProviderBuilder> {
    let exporter = SpanExporter::builder().with_http().build();
    Ok(builder.with_batch_exporter(exporter.context("OTEL_EXPORTER_OTLP_ENDPOINT or another OTEL_EXPORTER_OTLP_* variable cannot be used: expected an address like http://127.0.0.1:4318")?))
}

fn is_wanted() -> bool {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let disabled = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    !disabled && ENDPOINTS.into_iter().any(set)
}

/// Who sends: the name of `OTEL_SERVICE_NAME`, else ours.
fn resource() -> Resource {
    let builder = Resource::builder();
    match std::env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => builder.build(),
        _ => builder.with_service_name("lookreel").build(),
    }
}
