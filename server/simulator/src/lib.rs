//! The providers, simulated: fal.ai's queue and Google's Gemini API over HTTP,
//! with time, price, faults and an invoice. It draws real stills from product
//! photos and encodes real clips between them. See the README for the routes.

mod clock;
mod desk;
mod draw;
mod error;
mod fal;
mod gemini;
mod http;
mod ids;
mod price;
mod settings;
mod world;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use url::Url;

pub use clock::Clock;
pub use error::Error;
pub use settings::Settings;

use world::World;

/// How long [`Simulator::stop`] waits for answers and work under way.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A running simulator. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Simulator {
    world: Arc<World>,
}

impl Simulator {
    /// Opens the state folder, takes up interrupted requests and listens.
    ///
    /// # Errors
    /// When the state folder cannot be used or the address is taken.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let bind = settings.bind;
        let failed = |source| Error::Bind { address: bind, source };
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let base = match &settings.public_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://{bound}"))?,
        };
        let opened = tokio::task::spawn_blocking(move || World::open(settings, base));
        let world = match opened.await {
            Ok(world) => Arc::new(world?),
            Err(error) => {
                return Err(Error::state("", std::io::Error::other(error)));
            }
        };
        fal::resume(&world);
        let router = http::router(world.clone());
        let (stop, tasks) = (world.stop.clone(), world.tasks.clone());
        world.tasks.spawn(http::serve(listener, router, stop, tasks));
        tracing::info!(address = %bound, "the provider simulator listens on {bound}");
        Ok(Self { world })
    }

    /// Where clients reach it: the origin of every route.
    pub fn url(&self) -> Url {
        self.world.base.clone()
    }

    /// Its clock, to be read and moved.
    pub fn clock(&self) -> Clock {
        self.world.clock.clone()
    }

    /// Stops taking requests and waits up to five seconds for what is under
    /// way. Requests that are not finished start over at the next start.
    pub async fn stop(self) {
        self.world.stop.cancel();
        self.world.tasks.close();
        if tokio::time::timeout(STOP_PATIENCE, self.world.tasks.wait()).await.is_err() {
            tracing::warn!("the simulator stops with work under way");
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.world.stop.cancel();
    }
}
