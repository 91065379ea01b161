//! Choices of the owner that the use-cases follow.

use std::{path::PathBuf, time::Duration};

use chrono_tz::Tz;
use domain::MicroUsd;
use secrecy::SecretString;
use url::Url;

use crate::{KeepDays, Routes};

/// What is made of every clip.
#[derive(Debug, Clone)]
pub struct EncodeSettings {
    /// AV1 besides H.264, where the encoder is installed.
    pub av1: bool,
    /// What is laid over clips that are made with branding.
    pub brand: media::Brand,
    /// Signs content credentials, where there is one.
    pub signer: Option<media::ContentSigner>,
}

/// Choices of the owner.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The zone days are cut in.
    pub zone: Tz,
    /// Generations that may be clicked in a day.
    pub daily_generations: u32,
    /// Money that may be held and paid in a day.
    pub daily_spend: MicroUsd,
    /// Which models the stages of the recipes are bought from.
    pub routes: Routes,
    /// Where media is served: a path on this server or the URL of a CDN.
    pub media_base: String,
    /// Where providers can reach this server; without it results are only polled for.
    pub callback_url: Option<Url>,
    /// Signs the call's name in callback addresses.
    pub callback_secret: SecretString,
    /// Whether webhooks of shops may lead to this machine over plain http: where the providers are simulated.
    pub webhooks_to_loopback: bool,
    /// A parked clip is looked after this often.
    pub poll_interval: Duration,
    /// A clip that takes longer is given up.
    pub poll_timeout: Duration,
    /// Tries of one job.
    pub max_attempts: u16,
    /// One job may take this long, waiting included.
    pub job_timeout: Duration,
    /// A call whose answer was lost is made again by itself when it costs less than this.
    pub repeat_below: MicroUsd,
    /// After a lost answer to a submit, the provider's list is believed to be complete after this long.
    pub lookup_after: Duration,
    /// What is made of clips.
    pub encode: EncodeSettings,
    /// How long what is stored is kept.
    pub keep: KeepDays,
    /// Where downloads and renditions are put while they are worked on.
    pub work_dir: PathBuf,
}
