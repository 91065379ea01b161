//! Icons: one drawing per file in `svg/`, 20 × 20 units, stroke of the text colour.

use leptos::prelude::*;

/// The drawings there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IconName {
    /// Where everything begins.
    Overview,
    /// Garments.
    Products,
    /// Looking at what was made.
    Review,
    /// Runs of a recipe.
    Generations,
    /// Work that waits.
    Queue,
    /// Money by day.
    Costs,
    /// The catalogue of models.
    Models,
    /// Choices that stay.
    Settings,
    /// Find.
    Search,
    /// Notices.
    Bell,
    /// The person of the session.
    Person,
    /// Start the clip.
    Play,
    /// Pause the clip.
    Pause,
    /// Stop a generation.
    Stop,
    /// A choice that is made.
    Check,
    /// A state: finished.
    Done,
    /// A state: ended without a result.
    Failed,
    /// A state: a person is needed.
    Attention,
    /// A state: queued; also a duration.
    Clock,
    /// A state: under way.
    Running,
    /// A state: stopped by a person.
    Cancelled,
    /// A stage that has not begun.
    Waiting,
    /// A stage that will not run; a product without a video.
    Skipped,
    /// Something to know.
    Info,
    /// Dismiss.
    Close,
    /// Back by one page.
    ChevronLeft,
    /// On by one page.
    ChevronRight,
    /// Opens something below.
    ChevronDown,
    /// Back to the list.
    ArrowLeft,
    /// Go there.
    ArrowRight,
    /// Opens elsewhere.
    External,
    /// Again.
    Retry,
    /// Add.
    Plus,
    /// More to choose.
    More,
    /// The way to other pages.
    Menu,
    /// Light theme.
    Sun,
    /// Dark theme.
    Moon,
    /// Theme of the system.
    Display,
    /// Korean or English.
    Language,
    /// Leave.
    SignOut,
    /// Copy a text.
    Copy,
    /// A stage: stills; a picture that is not there yet.
    Image,
    /// A stage: clip; a video that is not there yet.
    Video,
    /// A stage: encode.
    Layers,
    /// A stage: publish; send a file.
    Upload,
    /// Take a file.
    Download,
    /// Money.
    Coin,
}

impl IconName {
    const fn file(self) -> &'static str {
        match self {
            Self::Overview => include_str!("svg/overview.svg"),
            Self::Products => include_str!("svg/products.svg"),
            Self::Review => include_str!("svg/review.svg"),
            Self::Generations => include_str!("svg/generations.svg"),
            Self::Queue => include_str!("svg/queue.svg"),
            Self::Costs => include_str!("svg/costs.svg"),
            Self::Models => include_str!("svg/models.svg"),
            Self::Settings => include_str!("svg/settings.svg"),
            Self::Search => include_str!("svg/search.svg"),
            Self::Bell => include_str!("svg/bell.svg"),
            Self::Person => include_str!("svg/person.svg"),
            Self::Play => include_str!("svg/play.svg"),
            Self::Pause => include_str!("svg/pause.svg"),
            Self::Stop => include_str!("svg/stop.svg"),
            Self::Check => include_str!("svg/check.svg"),
            Self::Done => include_str!("svg/done.svg"),
            Self::Failed => include_str!("svg/failed.svg"),
            Self::Attention => include_str!("svg/attention.svg"),
            Self::Clock => include_str!("svg/clock.svg"),
            Self::Running => include_str!("svg/running.svg"),
            Self::Cancelled => include_str!("svg/cancelled.svg"),
            Self::Waiting => include_str!("svg/waiting.svg"),
            Self::Skipped => include_str!("svg/skipped.svg"),
            Self::Info => include_str!("svg/info.svg"),
            Self::Close => include_str!("svg/close.svg"),
            Self::ChevronLeft => include_str!("svg/chevron-left.svg"),
            Self::ChevronRight => include_str!("svg/chevron-right.svg"),
            Self::ChevronDown => include_str!("svg/chevron-down.svg"),
            Self::ArrowLeft => include_str!("svg/arrow-left.svg"),
            Self::ArrowRight => include_str!("svg/arrow-right.svg"),
            Self::External => include_str!("svg/external.svg"),
            Self::Retry => include_str!("svg/retry.svg"),
            Self::Plus => include_str!("svg/plus.svg"),
            Self::More => include_str!("svg/more.svg"),
            Self::Menu => include_str!("svg/menu.svg"),
            Self::Sun => include_str!("svg/sun.svg"),
            Self::Moon => include_str!("svg/moon.svg"),
            Self::Display => include_str!("svg/display.svg"),
            Self::Language => include_str!("svg/language.svg"),
            Self::SignOut => include_str!("svg/sign-out.svg"),
            Self::Copy => include_str!("svg/copy.svg"),
            Self::Image => include_str!("svg/image.svg"),
            Self::Video => include_str!("svg/video.svg"),
            Self::Layers => include_str!("svg/layers.svg"),
            Self::Upload => include_str!("svg/upload.svg"),
            Self::Download => include_str!("svg/download.svg"),
            Self::Coin => include_str!("svg/coin.svg"),
        }
    }

    /// What the drawing's file holds between `<svg …>` and `</svg>`.
    fn shapes(self) -> &'static str {
        let file = self.file();
        file.split_once('>').map_or(file, |(_, rest)| rest.trim_end().trim_end_matches("</svg>"))
    }
}

/// A drawing beside or instead of a word. It is hidden from assistive technology: the word or the `aria-label` of the
/// control says what it means.
///
/// `size` is in CSS pixels, 16 or 20; the stroke is 1.5 pixels at both.
#[component]
pub fn Icon(
    /// Which drawing.
    name: IconName,
    /// Width and height in CSS pixels.
    #[prop(default = 16)]
    size: u8,
) -> impl IntoView {
    let stroke = if size < 20 { "1.8" } else { "1.5" };
    view! {
        <svg
            class="icon"
            width=size
            height=size
            viewBox="0 0 20 20"
            fill="none"
            stroke="currentColor"
            stroke-width=stroke
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
            focusable="false"
            inner_html=name.shapes()
        ></svg>
    }
}
