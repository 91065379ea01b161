//! Pausing and resuming from the command line.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use domain::Recipe;
use jobs::{Paused, Queue, RedisSettings, Scope};
use secrecy::{ExposeSecret as _, SecretString};

use super::{migrate, say};
use crate::config::{Common, MissingSetting};

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
    fn scope(self) -> Scope {
        match self {
            Self::Everything => Scope::Everything,
            Self::Recipe { name } => Scope::Label(name.as_str().to_owned()),
            Self::Provider { name } => Scope::Family(name),
            Self::Model { name } => Scope::Group(name),
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
    #[arg(long, env = "REDIS_NAMESPACE", default_value = "lookreel", global = true)]
    redis_namespace: String,
}

impl RedisPlace {
    async fn open(self, common: &Common) -> anyhow::Result<Queue> {
        let url = self
            .redis_url
            .ok_or(MissingSetting { name: "REDIS_URL", expected: "an address like redis://host:6379" })?;
        let pool = migrate::connect(common).await?;
        migrate::check(&pool).await?;
        let settings = RedisSettings::new(url.expose_secret(), self.redis_namespace);
        Queue::connect(pool, settings).await.context("the queue")
    }
}

/// Pauses.
pub async fn pause(common: &Common, task: Pause) -> anyhow::Result<()> {
    let queue = task.redis.open(common).await?;
    let scope = task.what.scope();
    queue.pause(&scope, None, &task.reason).await?;
    queue.close().await;
    say(&format!("{} does not start until it is resumed.", describe(&scope)));
    Ok(())
}

/// Resumes.
pub async fn resume(common: &Common, task: Resume) -> anyhow::Result<()> {
    let queue = task.redis.open(common).await?;
    let scope = task.what.scope();
    let was_paused = queue.resume(&scope).await?;
    queue.close().await;
    let what = describe(&scope);
    say(&if was_paused { format!("{what} goes on.") } else { format!("{what} was not paused.") });
    Ok(())
}

/// Lists what is paused.
pub async fn list(common: &Common, redis: RedisPlace) -> anyhow::Result<()> {
    let queue = redis.open(common).await?;
    let pauses = queue.list_pauses().await?;
    queue.close().await;
    if pauses.is_empty() {
        say("Nothing is paused.");
    }
    for Paused { scope, reason, since, .. } in pauses {
        say(&format!("{} since {}  {reason}", describe(&scope), since.to_rfc3339()));
    }
    Ok(())
}

fn describe(scope: &Scope) -> String {
    match scope {
        Scope::Everything => "everything".to_owned(),
        Scope::Label(name) => format!("recipe {name}"),
        Scope::Family(name) => format!("provider {name}"),
        Scope::Group(name) => format!("model {name}"),
        Scope::Kind(name) => format!("stage {name}"),
    }
}
