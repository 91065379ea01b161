//! Pausing and resuming from the command line.

use std::sync::Arc;

use clap::{Args, Subcommand};
use domain::{
    Recipe,
    queue::{PauseScope, PauseView},
};
use engine::Pauses;
use jobs::{Queue, RedisSettings};
use providers::Catalogue;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgPool;

use super::{migrate, parts, say};
use crate::config::{Common, setting::REDIS_URL, value};

/// What does not start for now.
#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Every generation.
    Everything,
    /// Generations of a recipe.
    Recipe {
        /// The recipe, like product_video.
        #[arg(value_parser = recipe)]
        name: Recipe,
    },
    /// Calls to a provider.
    Provider {
        /// The provider, like fal.
        name: String,
    },
    /// Calls to a model.
    Model {
        /// Provider and model, like fal/fal-ai/pika/v2.2/pikaframes.
        name: String,
    },
}

impl What {
    fn scope(self) -> PauseScope {
        match self {
            Self::Everything => PauseScope::Everything,
            Self::Recipe { name } => PauseScope::Recipe(name),
            Self::Provider { name } => PauseScope::Provider(name),
            Self::Model { name } => PauseScope::Model(name),
        }
    }
}

fn recipe(word: &str) -> Result<Recipe, String> {
    Recipe::parse(word).map_err(|wrong| format!("expected {}", wrong.expected))
}

/// Start nothing more of something until it is resumed; what runs goes on.
#[derive(Debug, Args)]
pub struct Pause {
    #[command(subcommand)]
    what: What,
    /// Why, for who looks at it later.
    #[arg(long, global = true, default_value = "")]
    reason: String,
    #[command(flatten)]
    redis: RedisPlace,
}

/// Go on with something that was paused.
#[derive(Debug, Args)]
pub struct Resume {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    redis: RedisPlace,
}

#[derive(Debug, Args)]
pub struct RedisPlace {
    /// Redis: redis://, rediss://, redis-sentinel:// or redis-cluster://.
    #[arg(long, env = "REDIS_URL", hide_env_values = true, global = true)]
    redis_url: Option<SecretString>,
    /// Prefix of every Redis key.
    #[arg(long, env = "REDIS_NAMESPACE", default_value = "lookreel", global = true, value_parser = value::namespace)]
    redis_namespace: String,
}

/// What pausing works with here: no engine, so no provider's key is needed.
struct Place {
    pg: PgPool,
    queue: Queue,
    catalogue: Arc<Catalogue>,
}

impl Place {
    fn pauses(&self) -> Pauses<'_> {
        Pauses { pg: &self.pg, queue: &self.queue, catalogue: self.catalogue.clone() }
    }
}

impl RedisPlace {
    async fn open(self, common: &Common) -> anyhow::Result<Place> {
        let url = self.redis_url.ok_or_else(|| REDIS_URL.missing())?;
        let pg = migrate::connect(common).await?;
        migrate::check(&pg).await?;
        let catalogue = Arc::new(parts::installed_catalogue(&pg).await?);
        let settings = RedisSettings::new(url.expose_secret(), self.redis_namespace);
        let queue = Queue::connect(pg.clone(), settings).await.map_err(parts::no_queue)?;
        Ok(Place { pg, queue, catalogue })
    }
}

/// Pauses.
pub async fn pause(common: &Common, task: Pause) -> anyhow::Result<()> {
    let place = task.redis.open(common).await?;
    let scope = task.what.scope();
    let paused = place.pauses().pause(None, &scope, &task.reason).await;
    place.queue.close().await;
    paused.map_err(refusal)?;
    say(&format!("{} does not start until it is resumed.", describe(&scope)));
    Ok(())
}

/// Resumes.
pub async fn resume(common: &Common, task: Resume) -> anyhow::Result<()> {
    let place = task.redis.open(common).await?;
    let scope = task.what.scope();
    let resumed = place.pauses().resume(None, &scope).await;
    place.queue.close().await;
    let what = describe(&scope);
    say(&if resumed.map_err(refusal)? { format!("{what} goes on.") } else { format!("{what} was not paused.") });
    Ok(())
}

/// Lists what is paused.
pub async fn list(common: &Common, redis: RedisPlace) -> anyhow::Result<()> {
    let place = redis.open(common).await?;
    let pauses = place.pauses().list().await;
    place.queue.close().await;
    let pauses = pauses?;
    if pauses.is_empty() {
        say("Nothing is paused.");
    }
    for PauseView { scope, reason, by, since } in pauses {
        let by = by.map(|name| format!(" by {name}")).unwrap_or_default();
        say(&format!("{} since {}{by}  {reason}", describe(&scope), since.to_rfc3339()));
    }
    Ok(())
}

/// What was wrong, with what is expected instead.
fn refusal(error: engine::Error) -> anyhow::Error {
    match error {
        engine::Error::Invalid(wrong) => {
            let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("not accepted: {}", wrong.join(", "))
        }
        other => other.into(),
    }
}

fn describe(scope: &PauseScope) -> String {
    scope.to_string().replacen(':', " ", 1)
}
