//! `/admin/costs`: what was paid, by day, by model and by stage. Every figure is a sum over the ledger.

mod days;
mod shares;
mod words;

use domain::{
    MicroUsd,
    cost::{CostReport, LimitKind, LimitStatus},
};
use leptos::prelude::*;
use leptos_i18n::td_string;

use self::{
    days::Days,
    shares::Shares,
    words::{compared, whole_percent},
};
use crate::{
    api::costs::load_costs,
    components::{
        error_block::ErrorBlock, figure::Figure, limits_line::Reset, playback::Playback, skeleton::PageSkeleton,
        spend::limit_hue, title::PageTitle,
    },
    i18n::Locale,
    shell::use_locale,
    words::day_name,
};

/// The cost page.
#[component]
pub fn CostsPage() -> impl IntoView {
    let locale = use_locale();
    let report = crate::wire::resource(|| (), |()| load_costs());
    view! {
        <PageTitle text=td_string!(locale, costs.title)/>
        <Suspense fallback=move || view! { <PageSkeleton text=td_string!(locale, costs.loading)/> }>
            {move || Suspend::new(async move {
                match report.await {
                    Ok(report) => view! { <Report report locale/> }.into_any(),
                    Err(error) => view! { <ErrorBlock error/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Report(report: CostReport, locale: Locale) -> impl IntoView {
    let zone = td_string!(locale, costs.zone, date = day_name(report.today, locale), zone = report.zone.clone());
    view! {
        <header class="page-head">
            <div class="page-head-row">
                <div class="page-head-text">
                    <h1 class="page-title">{td_string!(locale, costs.title)}</h1>
                    <p class="page-sub">{zone}</p>
                </div>
            </div>
        </header>
        <div class="stack">
            <Summary report=report.clone() locale/>
            <Days days=report.days locale/>
            <Playback title=td_string!(locale, playback.month) playback=report.playback cost=report.paid_month/>
            <div class="costs-tables">
                <Shares
                    title=td_string!(locale, costs.by_model)
                    what=td_string!(locale, costs.model)
                    rows=report.by_model
                    locale
                />
                <Shares
                    title=td_string!(locale, costs.by_stage)
                    what=td_string!(locale, costs.stage)
                    rows=report.by_stage
                    locale
                />
            </div>
        </div>
    }
}

/// Today large, with what of the limit is used; the month and what follows from it small.
#[component]
fn Summary(report: CostReport, locale: Locale) -> impl IntoView {
    view! {
        <section class="card costs-summary">
            <Today paid=report.paid_today limits=report.limits locale/>
            <Month report locale/>
        </section>
    }
}

#[component]
fn Today(paid: MicroUsd, limits: LimitStatus, locale: Locale) -> impl IntoView {
    let money = td_string!(locale, costs.used, used = limits.spend.display());
    let count = td_string!(locale, costs.count_used, used = limits.generations, limit = limits.generations_limit);
    view! {
        <div class="costs-today">
            <h2 class="stat-label">{td_string!(locale, costs.today)}</h2>
            <p class="big-number">
                <span class="big-number-value figures">{paid.display()}</span>
                <span class="big-number-of figures">
                    {td_string!(locale, costs.of_limit, limit = limits.spend_limit.display())}
                </span>
            </p>
            <LimitMeter
                label=td_string!(locale, costs.spend_meter)
                value=money
                percent=limits.percent_of(LimitKind::Spend)
            />
            <LimitMeter
                label=td_string!(locale, costs.count_meter)
                value=count
                percent=limits.percent_of(LimitKind::Generations)
            />
            <p class="stat-note">
                <Reset at=limits.resets_at/>
            </p>
        </div>
    }
}

/// What is used of one limit of the day.
#[component]
fn LimitMeter(label: &'static str, value: String, percent: u8) -> impl IntoView {
    view! {
        <div class="meter" data-state=limit_hue(percent)>
            <div class="meter-head figures">
                <span class="meter-label">{label}</span>
                <span class="meter-value">{value}</span>
            </div>
            <progress class="progress" value=percent.to_string() max="100" aria-label=label></progress>
        </div>
    }
}

#[component]
fn Month(report: CostReport, locale: Locale) -> impl IntoView {
    let average = report.average_per_video.map_or_else(|| "–".to_owned(), MicroUsd::display);
    let average_note = if report.average_per_video.is_some() {
        td_string!(locale, costs.average_of, count = report.videos_month)
    } else {
        td_string!(locale, costs.no_video).to_owned()
    };
    let wasted_share = whole_percent(report.wasted_month, report.paid_month);
    view! {
        <dl class="stats">
            <Figure
                label=td_string!(locale, costs.month)
                value=report.paid_month.display()
                note=compared(report.paid_month, report.paid_last_month_so_far, locale)
            />
            <Figure label=td_string!(locale, costs.average) value=average note=average_note/>
            <Figure
                label=td_string!(locale, costs.wasted)
                value=report.wasted_month.display()
                note=td_string!(locale, costs.wasted_share, percent = wasted_share)
            />
            <Figure
                label=td_string!(locale, costs.held)
                value=report.held.display()
                note=td_string!(locale, costs.held_note).to_owned()
            />
        </dl>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::{cost::CostShare, playback::PlaybackSummary};

    use super::{days::tests::day, *};
    use crate::sample;

    #[test]
    fn the_page_shows_the_sums_of_the_ledger_and_zero_as_zero() {
        let share = |key: &str, model: Option<&str>, calls, amount| CostShare {
            key: key.to_owned(),
            model: model.map(str::to_owned),
            calls,
            amount: MicroUsd::new(amount),
        };
        let report = CostReport {
            zone: "Asia/Seoul".to_owned(),
            today: "2026-11-02".parse().unwrap(),
            paid_today: MicroUsd::new(1_630_560),
            paid_month: MicroUsd::new(25_930_000),
            paid_last_month_so_far: MicroUsd::new(23_150_000),
            held: MicroUsd::new(271_760),
            videos_month: 92,
            average_per_video: None,
            wasted_month: MicroUsd::ZERO,
            by_model: vec![
                share("gemini", Some("gemini-image"), 192, 7_530_000),
                share("fal", Some("pika"), 92, 18_400_000),
            ],
            by_stage: vec![share("stills", None, 192, 7_530_000), share("encode", None, 0, 0)],
            days: vec![day("2026-11-01", 200_000, 70_000), day("2026-11-02", 0, 0)],
            limits: domain::cost::LimitStatus {
                generations: 10,
                generations_limit: 10,
                spend: MicroUsd::new(1_902_320),
                spend_limit: MicroUsd::new(20_000_000),
                resets_at: chrono::DateTime::UNIX_EPOCH,
            },
            playback: PlaybackSummary { starts: 1_000, completes: 640, ..PlaybackSummary::default() },
        };
        let html = sample::render(Locale::ko, move || view! { <Report report locale=Locale::ko/> });
        assert!(html.contains("64%"), "{html}");
        for figure in ["$1.63", "$25.93", "$0.2718", "$18.40", "지난달 같은 기간보다 12% 많음", "$0.00", "10 / 10건"]
        {
            assert!(html.contains(figure), "{figure} in {html}");
        }
        assert_eq!(html.matches("data-state=\"failed\"").count(), 1, "the limit that is full shows it: {html}");
        assert!(!html.contains("style="), "inline styles are refused by the page's policy");
    }
}
