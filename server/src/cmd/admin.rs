//! Administering accounts, tokens, pauses and providers.

use std::{io::IsTerminal as _, str::FromStr as _};

use anyhow::Context as _;
use chrono::{Days, Utc};
use clap::{Args, Subcommand};
use domain::{Scope, user::Email};
use engine::NewToken;
use secrecy::{ExposeSecret as _, SecretString};

use super::{check_providers, load_models, migrate, pauses, retention, say};
use crate::config::{Common, setting::ADMIN_PASSWORD, value};

#[derive(Debug, Subcommand)]
pub enum Task {
    /// Make an account, or give an existing one a new name and password (which ends its sessions).
    CreateUser(CreateUser),
    /// Make an API token in the name of an account, and print it: it is not shown again.
    CreateToken(CreateToken),
    /// Start nothing more of a recipe, a provider, a model or everything; what runs goes on.
    Pause(pauses::Pause),
    /// Go on with what was paused.
    Resume(pauses::Resume),
    /// List what is paused.
    Pauses(pauses::RedisPlace),
    /// Ask the providers whether the keys are good and the prices still hold; spends nothing.
    CheckProviders(check_providers::Options),
    /// Add models and prices from a file; nothing has to be built or started again for them.
    LoadModels(load_models::LoadModels),
    /// Remove what is kept no longer, as a worker does each night; `--dry-run` only says what that would be.
    Retention(retention::Retain),
    /// Compare the bucket with the database, both ways.
    Sweep(retention::Sweep),
    /// Write the lifecycle rules of the bucket: unfinished uploads, Intelligent-Tiering of posters.
    BucketRules(retention::BucketRules),
}

#[derive(Debug, Args)]
pub struct CreateUser {
    /// Address to sign in with.
    email: String,
    /// Name others see; the address when not given.
    #[arg(long)]
    name: Option<String>,
    /// Password, at least 10 characters; read from standard input when not set.
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true)]
    password: Option<SecretString>,
}

#[derive(Debug, Args)]
pub struct CreateToken {
    /// Address of the account it acts for.
    email: String,
    /// What it is for, 1 to 100 characters.
    #[arg(long)]
    name: String,
    /// What it may do, separated by commas; everything when not given.
    #[arg(long, value_delimiter = ',', value_parser = Scope::from_str)]
    scopes: Vec<Scope>,
    /// Days after which it ends, 1 to 3650; it does not end by itself when not given.
    #[arg(long, value_parser = value::whole(1..=3_650_u16))]
    days: Option<u16>,
}

/// Runs the role `admin`.
pub async fn run(common: &Common, task: Task) -> anyhow::Result<()> {
    match task {
        Task::CreateUser(new) => create_user(common, new).await,
        Task::CreateToken(new) => create_token(common, new).await,
        Task::Pause(task) => pauses::pause(common, task).await,
        Task::Resume(task) => pauses::resume(common, task).await,
        Task::Pauses(redis) => pauses::list(common, redis).await,
        Task::CheckProviders(options) => check_providers::run(common, options).await,
        Task::LoadModels(task) => load_models::run(common, task).await,
        Task::Retention(task) => retention::retain(common, task).await,
        Task::Sweep(task) => retention::sweep(common, task).await,
        Task::BucketRules(task) => retention::bucket_rules(task).await,
    }
}

async fn create_user(common: &Common, new: CreateUser) -> anyhow::Result<()> {
    let email = Email::parse(&new.email)
        .with_context(|| format!("EMAIL is `{}`: expected an address like you@shop.example", new.email))?;
    let password = match new.password {
        Some(password) => password,
        None => read_password()?,
    };
    let pool = migrate::connect(common).await?;
    migrate::check(&pool).await?;
    let name = new.name.unwrap_or_else(|| email.as_str().to_owned());
    match engine::create_user(&pool, &email, &name, password.expose_secret()).await {
        Ok(_) => say(&format!("{} can sign in.", email.as_str())),
        Err(engine::Error::Invalid(wrong)) => {
            let expected = wrong.first().map(|field| field.expected.clone()).unwrap_or_default();
            return Err(ADMIN_PASSWORD.unusable("is not accepted").expecting(expected).into());
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

/// Prints the secret alone on a line, so that scripts can take it.
async fn create_token(common: &Common, new: CreateToken) -> anyhow::Result<()> {
    let email = Email::parse(&new.email)
        .with_context(|| format!("EMAIL is `{}`: expected an address like you@shop.example", new.email))?;
    let scopes = if new.scopes.is_empty() { Scope::ALL.to_vec() } else { new.scopes };
    let expires_at = new.days.and_then(|days| Utc::now().checked_add_days(Days::new(u64::from(days))));
    let pool = migrate::connect(common).await?;
    migrate::check(&pool).await?;
    match engine::create_token(&pool, &email, &NewToken { name: new.name, scopes, expires_at }).await {
        Ok(made) => say(made.expose()),
        Err(engine::Error::NotFound(_)) => {
            anyhow::bail!("{} has no account; `admin create-user` makes one", email.as_str())
        }
        Err(engine::Error::Invalid(wrong)) => {
            let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            anyhow::bail!("the token cannot be made: {}", wrong.join("; "));
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

fn read_password() -> anyhow::Result<SecretString> {
    if std::io::stdin().is_terminal() {
        say("Password (it is shown as you type; pipe it in to avoid that):");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("no password on standard input")?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()))
}
