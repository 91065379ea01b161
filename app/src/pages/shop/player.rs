//! Clips in the shop. Nothing is loaded before it is wanted, and the box has its size before anything is loaded.

use domain::product::{VideoSource, VideoView};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_i18n::td_string;

use crate::{
    components::icon::{Icon, IconName},
    i18n::Locale,
};

/// What a playlist of HLS says it is.
const HLS: &str = "application/vnd.apple.mpegurl";
/// Begins a clip of one size before any script file is there, as soon as the styles are: on a page that is opened, not loaded
/// again or entered in its middle, in view, where nobody and no connection asks for calm. `embed.js` and `shop.js` come when
/// its first frame was seen, or after two seconds; until then they are work that the first paint waits for. Where no player
/// has come after four seconds the clip stops: there is no button to stop it with. A visit that ends before the player is
/// there counts as begun all the same.
const BEGIN: &str = include_str!("begin.js");

/// Whether a page begins this clip before any script file is there. To choose among sizes the page must have been laid out.
pub(super) fn begins_early(video: &VideoView) -> bool {
    let mut widths = video.sources.iter().map(|source| source.width);
    widths.next().is_some_and(|first| widths.all(|width| width == first))
}

/// The clip of a product's page: poster first, a pause button that is always visible, the label of its origin. `embed.js`
/// plays it, or takes over what the page has begun. Without JavaScript the browser's own controls are there instead of the
/// button, around a clip of their own: where scripts run, a first paint would wait for controls that are never seen. Where
/// `embed.js` does not come, a link leads to the file.
#[component]
pub(super) fn Player(
    /// What is played.
    video: VideoView,
    /// What is seen, in words.
    label: String,
    /// Language of the page.
    locale: Locale,
) -> impl IntoView {
    let without_scripts = video.clone();
    let begin = begins_early(&video).then(|| view! { <script nonce=use_nonce() inner_html=BEGIN></script> });
    let file = video.plainest().map(|source| source.url.clone());
    view! {
        <lookreel-video class="shop-stage" data-player="">
            <Clip video label=label.clone()/>
            {begin}
            <noscript>
                <Clip video=without_scripts label controls=true/>
            </noscript>
            <a class="shop-toggle" href=file aria-label=td_string!(locale, shop.play)>
                <Icon name=IconName::Play size=20/>
            </a>
            <span class="shop-ai">{td_string!(locale, shop.ai_video)}</span>
            <button
                type="button"
                class="shop-toggle"
                hidden
                data-motion="off"
                data-play=td_string!(locale, shop.play)
                data-pause=td_string!(locale, shop.pause)
                aria-label=td_string!(locale, shop.play)
            >
                <MotionIcons/>
            </button>
        </lookreel-video>
    }
}

#[component]
fn Clip(
    /// What is played.
    video: VideoView,
    /// What is seen, in words.
    label: String,
    /// The browser's own.
    #[prop(optional)]
    controls: bool,
) -> impl IntoView {
    let poster = video.lightest_poster().clone();
    let VideoView { id, sources, hls, .. } = video;
    view! {
        <video
            muted
            loop
            playsinline
            controls=controls
            preload="none"
            width=poster.width
            height=poster.height
            poster=poster.url
            aria-label=label
            data-video=id.to_string()
        >
            {sources.into_iter().map(|source| view! { <Source source/> }).collect_view()}
            {hls.map(|url| view! { <source src=url type=HLS/> })}
        </video>
    }
}

/// A rendition with what a player must know to choose it.
#[component]
fn Source(source: VideoSource) -> impl IntoView {
    view! {
        <source
            src=source.url
            type=source.content_type
            data-width=source.width.to_string()
            data-height=source.height.to_string()
        />
    }
}

/// The clip of a card: above the photo, seen while it plays only. The smallest picture is enough.
#[component]
pub(super) fn CardClip(
    /// What is played.
    video: VideoView,
    /// Language of the page.
    locale: Locale,
) -> impl IntoView {
    let VideoView { id, mut sources, .. } = video;
    let (width, height) = sources.first().map(|source| (source.width, source.height))?;
    sources.retain(|source| source.width == width);
    Some(view! {
        <video
            muted
            loop
            playsinline
            preload="none"
            width=width
            height=height
            tabindex="-1"
            aria-hidden="true"
            data-video=id.to_string()
        >
            {sources.into_iter().map(|source| view! { <Source source/> }).collect_view()}
        </video>
        <span class="shop-card-mark">
            <Icon name=IconName::Play/>
            <span class="visually-hidden">{td_string!(locale, shop.has_video)}</span>
        </span>
        <span class="shop-ai">{td_string!(locale, shop.ai_video)}</span>
    })
}

/// Both icons of a button that starts and stops; the stylesheet shows the one that says what a press does.
#[component]
pub(super) fn MotionIcons() -> impl IntoView {
    view! {
        <span class="icon-play"><Icon name=IconName::Play size=20/></span>
        <span class="icon-pause"><Icon name=IconName::Pause size=20/></span>
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::{GenerationId, MicroUsd, VideoId, product::Picture};
    use leptos::nonce::Nonce;

    use super::{super::document::NODE_MARK, *};

    pub(in super::super) fn video() -> VideoView {
        let source = |short: u32| VideoSource {
            url: format!("/media/{short}p.mp4"),
            content_type: "video/mp4; codecs=\"avc1.64001f\"".to_owned(),
            width: short,
            height: short * 4 / 3,
            bytes: 400_000,
        };
        VideoView {
            id: VideoId::from_uuid(uuid::Uuid::nil()),
            generation_id: GenerationId::from_uuid(uuid::Uuid::nil()),
            sources: vec![source(720), source(1080)],
            hls: None,
            poster: Picture { url: "/media/thumb.jpg".to_owned(), width: 720, height: 960 },
            poster_webp: None,
            strip: None,
            duration_ms: 4000,
            cost: MicroUsd::new(271_760),
            published_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    /// As it is sent: without the marks between nodes.
    fn html(view: impl FnOnce() -> AnyView) -> String {
        Owner::new().with(|| view().to_html()).replace(NODE_MARK, "")
    }

    #[test]
    fn a_clip_plays_without_scripts_and_loads_nothing_by_itself() {
        let html = html(|| view! { <Player video=video() label="Seen".to_owned() locale=Locale::ko/> }.into_any());
        let (clip, rest) = html.split_once("</video><noscript>").unwrap();
        let (plain, rest) = rest.split_once("</video></noscript>").unwrap();
        for clip in [clip, plain] {
            for attribute in [" muted", " loop", " playsinline", "preload=\"none\"", "poster=\"/media/thumb.jpg\""] {
                assert!(clip.contains(attribute), "{attribute} in {clip}");
            }
            assert!(clip.contains("width=\"720\"") && clip.contains("height=\"960\""), "{clip}");
        }
        assert!(plain.contains(" controls") && !clip.contains(" controls"), "controls are drawn where they are needed");
        assert!(rest.contains("AI 생성 영상"));
        let link = rest.split_once("<a ").unwrap().1.split_once('>').unwrap().0;
        assert!(link.contains("href=\"/media/1080p.mp4\""), "what plays everywhere, in its best size: {link}");
        let button = rest.split_once("<button").unwrap().1.split_once('>').unwrap().0;
        assert!(button.contains(" hidden"), "the button needs the script: {button}");
        assert!(!html.contains("style="), "inline styles are refused by the page's policy");
    }

    #[test]
    fn a_clip_of_one_size_is_begun_by_its_page() {
        let mut video = video();
        let (several, one) = (video.clone(), {
            video.sources = ["720p.av1", "720p"]
                .map(|name| VideoSource { url: format!("/media/{name}.mp4"), ..video.sources[0].clone() })
                .into();
            video
        });
        let page = |video: VideoView| {
            html(|| {
                provide_context(Nonce::new());
                view! { <Player video label="Seen".to_owned() locale=Locale::ko/> }.into_any()
            })
        };
        assert!(begins_early(&one) && !begins_early(&several));
        let (clip, rest) = page(one).split_once("</video>").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(clip.contains(" preload=\"none\"") && !clip.contains(" autoplay"), "{clip}");
        let script = rest.strip_prefix("<script nonce=\"").and_then(|rest| rest.split_once("</script>")).unwrap().0;
        assert!(script.ends_with(BEGIN), "as it is written: {script}");
        assert!(!page(several).contains("<script"), "to choose among sizes takes the whole player");
    }

    #[test]
    fn the_lighter_poster_is_shown_and_hls_comes_last() {
        let mut video = video();
        video.poster_webp = Some(Picture { url: "/media/thumb.webp".to_owned(), ..video.poster.clone() });
        video.hls = Some("/media/master.m3u8".to_owned());
        let html = html(|| view! { <Player video label="Seen".to_owned() locale=Locale::ko/> }.into_any());
        assert!(html.contains("poster=\"/media/thumb.webp\"") && !html.contains("thumb.jpg"), "{html}");
        let last = html.split("<source").last().unwrap();
        assert!(last.contains("/media/master.m3u8") && last.contains("mpegurl"), "{html}");
        assert!(html.contains("data-width=\"1080\"") && html.contains("data-video=\""), "{html}");
    }

    #[test]
    fn a_card_asks_for_the_smallest_picture_only_in_every_codec_of_it() {
        let mut video = video();
        video.sources.insert(0, VideoSource { url: "/media/720p.av1.mp4".to_owned(), ..video.sources[0].clone() });
        let html = html(|| view! { <CardClip video locale=Locale::en/> }.into_any());
        assert!(html.contains("/media/720p.mp4") && html.contains("/media/720p.av1.mp4"), "{html}");
        assert!(!html.contains("/media/1080p.mp4"));
        assert!(!html.contains("poster="), "the photo below is the poster");
    }
}
