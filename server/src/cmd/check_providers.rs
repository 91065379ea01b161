//! Asking the providers about keys and prices from the command line: the last step before real money.

use anyhow::Context as _;
use chrono_tz::Tz;
use clap::Args;
use providers::{
    Catalogue, CheckReport, FalSettings, GeminiSettings, Makers, SharedCatalogue,
    check::{KeyCheck, ModelCheck, ProviderCheck, Verdict},
    check_providers,
};

use serde::Serialize;
use url::Url;

use super::{migrate, parts, say};
use crate::config::{Common, Providers, value};

/// Which providers are asked.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    providers: Providers,
    /// Time zone in which the days of prices begin.
    #[arg(long, env = "SHOP_ZONE", default_value = "Asia/Seoul", value_parser = value::zone)]
    shop_zone: Tz,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// What was found, and between what.
#[derive(Serialize)]
struct Found<'a> {
    /// Address of the simulator that was asked in the providers' place.
    simulator: Option<&'a Url>,
    /// Where our prices are from.
    catalogue: Source,
    #[serde(flatten)]
    report: &'a CheckReport,
}

/// Where our prices are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// The database, with what people loaded and changed.
    Database,
    /// This program's own file.
    Program,
}

/// Asks, prints what the providers say, and fails when somebody should look at it.
pub async fn run(common: &Common, options: Options) -> anyhow::Result<()> {
    let simulator = options.providers.simulator_url.as_ref();
    let (fal, gemini) = settings(simulator, &options.providers)?;
    let (catalogue, source) = catalogue(common).await?;
    let makers = Makers::new(fal, gemini, SharedCatalogue::new(catalogue.in_zone(options.shop_zone)))?;
    let report = check_providers(&makers).await;
    let found = Found { simulator, catalogue: source, report: &report };
    if options.json {
        say(&serde_json::to_string_pretty(&found)?);
    } else {
        lines(&found).iter().for_each(|line| say(line));
    }
    anyhow::ensure!(report.is_clean(), "{}", summary(&report, source));
    Ok(())
}

/// Whoever has a key is asked; a key alone is checked as well.
fn settings(
    simulator: Option<&Url>,
    wanted: &Providers,
) -> anyhow::Result<(Option<FalSettings>, Option<GeminiSettings>)> {
    if simulator.is_none() && wanted.fal_key.is_none() && wanted.gemini_api_key.is_some() {
        return Ok((None, wanted.gemini_api_key.clone().map(GeminiSettings::vendor).transpose()?));
    }
    let (fal, gemini) = parts::provider_settings(simulator, wanted)?;
    Ok((Some(fal), gemini))
}

/// The catalogue of the installation, or the program's own where no database is named.
async fn catalogue(common: &Common) -> anyhow::Result<(Catalogue, Source)> {
    if common.database_url.is_none() {
        let own = Catalogue::embedded().context("the model catalogue could not be read")?;
        return Ok((own, Source::Program));
    }
    let pg = migrate::connect(common).await?;
    migrate::check(&pg).await?;
    Ok((parts::installed_catalogue(&pg).await?, Source::Database))
}

fn lines(found: &Found) -> Vec<String> {
    let asked = found.simulator.map(|url| format!("A simulator was asked, {url}: this says nothing of a real key."));
    let prices = match found.catalogue {
        Source::Database => "Our prices are those of the database, with what people loaded and changed.",
        Source::Program => "Our prices are this program's own; DATABASE_URL compares those of an installation.",
    };
    let providers = found.report.providers.iter().flat_map(provider_lines);
    asked.into_iter().chain([prices.to_owned()]).chain(providers).collect()
}

fn provider_lines(provider: &ProviderCheck) -> Vec<String> {
    let key = match &provider.key {
        KeyCheck::NotConfigured => "no key is set: its models are passed over".to_owned(),
        KeyCheck::Valid => "the key is good".to_owned(),
        KeyCheck::Refused { code, detail } => format!("the key was refused ({}): {detail}", code.as_str()),
        KeyCheck::Unreachable { code, detail } => format!("could not be asked ({}): {detail}", code.as_str()),
    };
    std::iter::once(format!("{}: {key}", provider.provider)).chain(provider.models.iter().map(model_line)).collect()
}

fn model_line(check: &ModelCheck) -> String {
    let said = match &check.verdict {
        Verdict::SamePrice => "listed at our price".to_owned(),
        Verdict::Listed => "listed".to_owned(),
        Verdict::Unpriced { unit, listed } => format!("listed at {} a {unit}", listed.display_exact()),
        Verdict::OtherPrice { our_unit, of, ours, unit, listed } => format!(
            "listed at {} for {of} × {unit}, our catalogue says {} for {of} × {our_unit}",
            listed.display_exact(),
            ours.display_exact()
        ),
        Verdict::NotListed => "not listed any more".to_owned(),
    };
    let mark = if check.verdict.is_fault() { "!" } else { " " };
    let until = check.retires_on.map(|day| format!(", until {day}")).unwrap_or_default();
    format!(" {mark} {}: {said}{until}", check.model.id)
}

fn summary(report: &CheckReport, source: Source) -> String {
    let models = report.providers.iter().flat_map(|provider| &provider.models);
    let faults = models.filter(|model| model.verdict.is_fault()).count();
    let place = match source {
        Source::Database => "at Models on the desk",
        Source::Program => "in server/providers/catalogue.toml",
    };
    match faults {
        0 => "a provider did not accept its key or could not be asked".to_owned(),
        1 => format!("1 model needs a look {place}"),
        many => format!("{many} models need a look {place}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        options: Options,
    }

    #[tokio::test]
    async fn without_a_key_it_says_what_there_is_instead() {
        let Arguments { common, mut options } = Arguments::parse_from(["lookreel"]);
        options.providers.fal_key = None;
        options.providers.gemini_api_key = None;
        options.providers.simulator_url = None;
        let said = run(&common, options).await.unwrap_err().to_string();
        assert!(said.contains("FAL_KEY (--fal-key) is not set") && said.contains("--simulator-url"), "{said}");
    }
}
