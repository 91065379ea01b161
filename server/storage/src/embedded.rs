//! An S3 endpoint inside this process, for development and tests: the real client speaks the real protocol to it and
//! the objects are files in a folder.

use std::{net::SocketAddr, path::Path, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::Error;

/// Connections served at once; more wait in the listener's queue. Each carries one request: a client that kept idle ones
/// would hold the places that its own next connections wait for.
const MAX_CONNECTIONS: usize = 256;
/// How long open requests may take to end when the endpoint stops.
const SHUTDOWN: Duration = Duration::from_secs(3);
/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// A running endpoint. One folder belongs to one endpoint at a time. Dropping it ends it at once; [`Endpoint::stop`]
/// lets open requests end.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    stopping: CancellationToken,
    accepting: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Serves the folder (made if missing) to whoever signs with this key pair. Port 0 takes a free one.
    ///
    /// # Errors
    /// [`Error::Disk`] when the folder or the port cannot be had; [`Error::Invalid`] for an address that is not
    /// loopback: the endpoint speaks plain HTTP and is meant for this machine only.
    pub async fn start(
        dir: &Path,
        bind: SocketAddr,
        access_key_id: &str,
        secret_access_key: &SecretString,
    ) -> Result<Self, Error> {
        if !bind.ip().is_loopback() {
            return Err(Error::Invalid(format!("the embedded object store serves loopback only, not {bind}")));
        }
        tokio::fs::create_dir_all(dir).await?;
        let files = FileSystem::new(dir).map_err(|error| Error::Disk(std::io::Error::other(format!("{error:?}"))))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(access_key_id, secret_access_key.expose_secret()));
        let listener = TcpListener::bind(bind).await?;
        let address = listener.local_addr()?;
        let stopping = CancellationToken::new();
        let accepting = tokio::spawn(accept(listener, service.build(), stopping.clone()));
        tracing::info!(storage.endpoint = %address, "embedded object store on http://{address}");
        Ok(Self { address, stopping, accepting: Some(accepting) })
    }

    /// Where it listens, as [`crate::Settings::endpoint`] wants it (path style, any region).
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no new connection, lets open requests end for up to 3 s, then closes them.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.await;
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
        }
    }
}

async fn accept(listener: TcpListener, service: S3Service, stopping: CancellationToken) {
    let mut open = JoinSet::new();
    loop {
        let has_room = open.len() < MAX_CONNECTIONS;
        tokio::select! {
            () = stopping.cancelled() => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept(), if has_room => match accepted {
                Ok((socket, _)) => {
                    open.spawn(serve(socket, service.clone(), stopping.clone()));
                }
                Err(error) => {
                    // Out of descriptors, most likely: without a pause this would spin.
                    tracing::warn!("the embedded object store could not accept: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN, ended).await.is_err() {
        tracing::warn!("the embedded object store closed requests that did not end");
    }
}

async fn serve(socket: TcpStream, service: S3Service, stopping: CancellationToken) {
    // Otherwise the last small packet of an answer waits for the client's acknowledgement.
    let _ = socket.set_nodelay(true);
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).keep_alive(false);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(socket), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection to the embedded object store ended: {error}");
    }
}
