//! The form of the click: choices, price, limits, button.

mod choices;

use domain::{
    Options, ProductId, RequestKey, Stage,
    cost::Quote,
    options::{InvalidOption, RawOptions},
};
use leptos::{html, prelude::*};
use leptos_i18n::td_string;

use self::choices::Choices;
use super::{
    at_most::AtMost,
    error_block::ErrorBlock,
    lasting::Lasting,
    limits_line::{LimitsLine, reached},
    model_name::ModelName,
    post_form::{Fields, PostForm},
};
use crate::{
    api::{generations::Generate, products::load_quote},
    error::AppError,
    i18n::Locale,
    live::use_live,
    shell::use_locale,
    words,
};

/// Choices of a video with the price of the click on its button.
#[component]
pub fn GenerateForm(
    /// The product.
    product: ProductId,
    /// Names the next click.
    key: RequestKey,
    /// The choices; kept outside, so that they stay when the page loads anew.
    chosen: RwSignal<Options>,
    /// Their price, from [`price_of`].
    price: PriceResource,
    /// The click.
    action: ServerAction<Generate>,
    /// Whether a generation of this product is under way, or there is no photo to make one from.
    #[prop(into)]
    is_busy: Signal<bool>,
) -> impl IntoView {
    let form = NodeRef::<html::Form>::new();
    let reread = move || {
        if let Some(options) = form.get().as_ref().and_then(Fields::of).and_then(|form| read_options(&form)) {
            chosen.set(options);
        }
    };
    // A person may have chosen before the page was awake.
    Effect::new(reread);
    let wrong = move || match action.value().get() {
        Some(Err(AppError::Invalid { fields })) => fields,
        _ => Vec::new(),
    };
    view! {
        <PostForm action read=read_click class="form" node_ref=form on_change=reread>
            <input type="hidden" name="product_id" value=product.to_string()/>
            <input type="hidden" name="key" value=key.to_string()/>
            <Choices start=chosen.get_untracked()/>
            {move || wrong().into_iter().map(|field| view! { <WrongField field/> }).collect_view()}
            <Price price action is_busy/>
            <Recalculate product/>
        </PostForm>
    }
}

#[component]
fn WrongField(field: InvalidOption) -> impl IntoView {
    let locale = use_locale();
    let expected = td_string!(locale, options.invalid, expected = words::expected_values(&field.expected));
    view! { <p class="field-error">{format!("{} · {expected}", field_word(locale, &field.field))}</p> }
}

fn field_word(locale: Locale, field: &str) -> String {
    match field {
        "recipe" => td_string!(locale, options.recipe).to_owned(),
        "model_type" => td_string!(locale, options.model_type).to_owned(),
        "duration" => td_string!(locale, options.duration).to_owned(),
        "resolution" => td_string!(locale, options.resolution).to_owned(),
        "fps" => td_string!(locale, options.fps).to_owned(),
        "format" => td_string!(locale, options.format).to_owned(),
        other => other.to_owned(),
    }
}

/// The price of the choices, asked for anew when they change. Made beside the product, not below it: it outlives the
/// loading of the product.
pub fn price_of(product: Memo<Option<ProductId>>, chosen: RwSignal<Options>) -> PriceResource {
    crate::wire::resource(
        move || (product.get(), chosen.get()),
        |(product, options)| async move {
            let product = product.ok_or(AppError::NotFound)?;
            let RawOptions { recipe, model_type, duration, resolution, fps, .. } = RawOptions::of(&options);
            load_quote(product, recipe, model_type, duration, resolution, fps).await
        },
    )
}

/// A price as it was answered.
pub type PriceResource = crate::wire::Resource<Result<Quote, AppError>>;

/// What the click costs, what is left of the day, and the button that says so.
#[component]
fn Price(price: PriceResource, action: ServerAction<Generate>, is_busy: Signal<bool>) -> impl IntoView {
    let is_asking = RwSignal::new(false);
    let pending = action.pending();
    let lasting = Lasting::here();
    view! {
        <Transition fallback=|| view! { <span class="skeleton line"></span> } set_pending=is_asking>
            {move || {
                let lasting = lasting.clone();
                Suspend::new(async move {
                    let price = price.await;
                    lasting.view(|| view! { <Button price pending is_busy is_asking/> }.into_any())
                })
            }}
        </Transition>
    }
}

#[component]
fn Button(
    price: Result<Quote, AppError>,
    pending: Memo<bool>,
    is_busy: Signal<bool>,
    is_asking: RwSignal<bool>,
) -> impl IntoView {
    let locale = use_locale();
    let live = use_live();
    let (quote, error) = match price {
        Ok(quote) => (Some(quote), None),
        Err(error) => (None, Some(error)),
    };
    let total = quote.as_ref().map(|quote| quote.total);
    let most = quote.as_ref().and_then(|quote| quote.most);
    let known_limits = quote.as_ref().map(|quote| quote.limits);
    let limits = Signal::derive(move || known_limits.map(|known| live.limits.get().unwrap_or(known)));
    let is_over = move || limits.get().zip(total).is_some_and(|(limits, total)| reached(&limits, total).is_some());
    let is_off = move || total.is_none() || is_busy.get() || is_asking.get() || pending.get() || is_over();
    let word =
        move || if pending.get() { td_string!(locale, generate.pending) } else { td_string!(locale, generate.button) };
    view! {
        {quote.map(|quote| view! { <QuoteLines quote/> })}
        {error.map(|error| view! { <ErrorBlock error/> })}
        <button
            class="button primary wide"
            type="submit"
            disabled=is_off
            aria-busy=move || pending.get().then_some("true")
            data-testid="generate"
        >
            {word}
            {total
                .map(|total| {
                    view! {
                        // Seen as a line, read as a dot.
                        <span class="visually-hidden">" · "</span>
                        <span class="button-price figures">
                            {td_string!(locale, generate.price, price = total.display_cents())}
                        </span>
                    }
                })}
        </button>
        <AtMost most/>
        {move || is_busy.get().then(|| view! { <p class="field-hint">{td_string!(locale, generate.running)}</p> })}
        {move || limits.get().zip(total).map(|(limits, price)| view! { <LimitsLine limits price/> })}
    }
}

/// What the price is made of.
#[component]
fn QuoteLines(quote: Quote) -> impl IntoView {
    let locale = use_locale();
    view! {
        <dl class="facts sums">
            {quote
                .lines
                .into_iter()
                .map(|line| {
                    let count = td_string!(locale, generate.count, count = line.count);
                    let stage = match (line.stage, line.count) {
                        (Stage::Stills, 1) => td_string!(locale, one_still.word),
                        (stage, _) => words::stage(locale, stage),
                    };
                    view! {
                        <div class="fact">
                            <dt>
                                {stage} " · " <ModelName name=line.model/> " · " {count}
                            </dt>
                            <dd class="figures">{line.amount.display()}</dd>
                        </div>
                    }
                })
                .collect_view()}
        </dl>
    }
}

/// Without scripts the price is asked for with the form itself. As text, so that there is nothing to hydrate.
#[component]
fn Recalculate(product: ProductId) -> impl IntoView {
    let word = td_string!(use_locale(), generate.recalculate);
    let button = format!(
        r#"<button class="button wide" type="submit" formmethod="get" formaction="/admin/products/{product}">{word}</button>"#
    );
    view! { <noscript inner_html=button></noscript> }
}

fn read_click(form: &Fields) -> Option<Generate> {
    let RawOptions { recipe, model_type, duration, resolution, fps, format, hls, branding } = read_raw(form)?;
    let (product_id, key) = (form.parse("product_id")?, form.parse("key")?);
    Some(Generate { product_id, key, recipe, model_type, duration, resolution, fps, format, hls, branding })
}

/// What the form says now; none while it says something that cannot be chosen.
fn read_options(form: &Fields) -> Option<Options> {
    read_raw(form)?.parse().ok()
}

fn read_raw(form: &Fields) -> Option<RawOptions> {
    Some(RawOptions {
        recipe: form.word("recipe")?,
        model_type: form.word("model_type")?,
        duration: form.parse("duration")?,
        resolution: form.word("resolution")?,
        fps: form.parse("fps")?,
        format: form.word("format")?,
        hls: form.word("hls").is_some(),
        branding: form.word("branding").is_some(),
    })
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::{MicroUsd, cost::LimitStatus, options::VideoFormat};

    use super::*;
    use crate::sample;

    fn button(price: Result<Quote, AppError>) -> String {
        sample::render(Locale::ko, move || {
            let pending = ServerAction::<Generate>::new().pending();
            view! { <Button price pending is_busy=Signal::from(false) is_asking=RwSignal::new(false)/> }
        })
    }

    fn quote(spend_limit: i64) -> Quote {
        let limits = LimitStatus {
            generations: 3,
            generations_limit: 100,
            spend: MicroUsd::new(900_000),
            spend_limit: MicroUsd::new(spend_limit),
            resets_at: sample::now(),
        };
        Quote { total: MicroUsd::new(271_760), most: None, lines: Vec::new(), limits }
    }

    #[test]
    fn the_button_names_the_price_and_rests_without_one() {
        let html = button(Ok(quote(20_000_000)));
        assert!(html.contains("영상 생성") && html.contains("약 $0.27"), "{html}");
        assert!(!html.contains("disabled"), "{html}");
        let html = button(Err(AppError::NoPrice));
        assert!(html.contains("disabled") && html.contains("role=\"alert\""), "{html}");
    }

    #[test]
    fn a_dearer_model_that_may_step_in_is_said_beside_the_price() {
        let dearer = Quote { most: Some(MicroUsd::new(571_700)), ..quote(20_000_000) };
        let html = button(Ok(dearer));
        assert!(html.contains("약 $0.27") && html.contains("다른 AI 모델로 대신 만들면 최대 $0.58"), "{html}");
        assert!(!button(Ok(quote(20_000_000))).contains("최대"), "{html}");
    }

    #[test]
    fn a_click_that_would_pass_the_limit_is_not_offered() {
        let html = button(Ok(quote(1_000_000)));
        assert!(html.contains("disabled") && html.contains("오늘 한도 $1.00"), "{html}");
    }

    #[test]
    fn choices_survive_the_way_to_the_server() {
        let most = Options { format: VideoFormat::Webm, hls: true, branding: true, ..Options::default() };
        for options in [Options::default(), most] {
            assert_eq!(RawOptions::of(&options).parse(), Ok(options));
        }
    }
}
