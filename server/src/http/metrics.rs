//! Figures for Prometheus, on an address of their own: they are about the shop's business and not for the public.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use jobs::Queue;
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::setting::METRICS_LISTEN;

/// Seconds, from a millisecond to ten minutes.
const SECONDS: [f64; 14] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0];

/// Serves `/metrics`, and what else there is for machines, until told to stop.
///
/// # Errors
/// When the address cannot be used.
pub async fn serve(address: SocketAddr, queue: Queue, others: Router, stop: CancellationToken) -> anyhow::Result<()> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()
        .context("metrics")?;
    let listener = TcpListener::bind(address).await.with_context(|| METRICS_LISTEN.wrong(address))?;
    tracing::info!("metrics are on http://{}/metrics", listener.local_addr()?);
    let router = Router::new().route("/metrics", get(render)).with_state((recorder, queue)).merge(others);
    tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "metrics are no longer served: {error}");
        }
    });
    Ok(())
}

async fn render(State((recorder, queue)): State<(PrometheusHandle, Queue)>) -> impl IntoResponse {
    match queue.depth().await {
        Ok(depth) => {
            for (state, count) in [
                ("waiting", depth.waiting),
                ("delayed", depth.delayed),
                ("running", depth.running),
                ("parked", depth.parked),
            ] {
                gauge!("jobs_depth", "state" => state).set(count as f64);
            }
            gauge!("jobs_oldest_waiting_seconds").set(depth.oldest_age.as_secs_f64());
            gauge!("jobs_lease_overdue_seconds").set(depth.lease_overdue.as_secs_f64());
        }
        Err(error) => tracing::warn!(%error, "the depth of the queue is not known"),
    }
    let health = queue.health().await;
    gauge!("jobs_redis_up").set(f64::from(u8::from(health.redis && health.epoch_ok)));
    gauge!("jobs_postgres_up").set(f64::from(u8::from(health.postgres)));
    recorder.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorder.render())
}
