//! Asking the providers about keys and prices from the command line: the last step before real money.

use anyhow::Context as _;
use clap::Args;
use providers::{
    Catalogue, CheckReport, Makers, SharedCatalogue,
    check::{KeyCheck, ModelCheck, ProviderCheck, Verdict},
    check_providers,
};

use super::{parts, say};
use crate::config::Providers;

/// Which providers are asked.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    providers: Providers,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Asks, prints what the providers say, and fails when somebody should look at it.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let simulator = options.providers.simulator_url.as_ref();
    let (fal, gemini) = parts::provider_settings(simulator, &options.providers)?;
    let catalogue = Catalogue::embedded().context("the model catalogue could not be read")?;
    let makers = Makers::new(Some(fal), gemini, SharedCatalogue::new(catalogue))?;
    let report = check_providers(&makers).await;
    if options.json {
        say(&serde_json::to_string_pretty(&report)?);
    } else {
        report.providers.iter().flat_map(lines).for_each(|line| say(&line));
    }
    anyhow::ensure!(report.is_clean(), "{}", summary(&report));
    Ok(())
}

fn lines(provider: &ProviderCheck) -> Vec<String> {
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

fn summary(report: &CheckReport) -> String {
    let models = report.providers.iter().flat_map(|provider| &provider.models);
    let faults = models.filter(|model| model.verdict.is_fault()).count();
    match faults {
        0 => "a provider did not accept its key or could not be asked".to_owned(),
        1 => "1 model needs a look at server/providers/catalogue.toml".to_owned(),
        many => format!("{many} models need a look at server/providers/catalogue.toml"),
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
        options: Options,
    }

    #[tokio::test]
    async fn without_a_key_it_says_what_there_is_instead() {
        let mut options = Arguments::parse_from(["lookreel"]).options;
        options.providers.fal_key = None;
        options.providers.simulator_url = None;
        let said = run(options).await.unwrap_err().to_string();
        assert!(said.contains("FAL_KEY (--fal-key) is not set") && said.contains("--simulator-url"), "{said}");
    }
}
