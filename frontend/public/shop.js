// The grid of the shop: at most one clip plays, and none for who asked for calm; the typeface, for the next page; and the
// way back from a refused form.
// The player itself, and what it asks of a browser, is embed.js. Without either photos, posters and plain links remain, and
// without scripts at all the browser's own controls.
(() => {
  "use strict";
  // Going back as the browser does keeps what was typed into a form.
  document.querySelectorAll("[data-back]").forEach((link) => {
    link.addEventListener("click", (event) => {
      if (!document.referrer || history.length < 2) return;
      event.preventDefault();
      history.back();
    });
  });

  // Nothing waits for the typeface, and nothing that is read changes: this page is drawn in the system's letters.
  const loadTypeface = async (href) => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    await new Promise((resolve, reject) => {
      Object.assign(sheet, { onload: resolve, onerror: reject });
      document.head.append(sheet);
    });
    await document.fonts.load("1em 'Pretendard Variable'", document.body.innerText);
    const secure = location.protocol === "https:" ? "; secure" : "";
    // As long as a browser keeps the files without asking again.
    document.cookie = `typeface=here; path=/; max-age=3600; samesite=lax${secure}`;
  };
  const isLoading = ({ paused, readyState }) => !paused && readyState < HTMLMediaElement.HAVE_ENOUGH_DATA;
  const whenQuiet = (act) => {
    setTimeout(() => ([...document.querySelectorAll("video")].some(isLoading) ? whenQuiet(act) : act()), 1000);
  };
  const Player = customElements.get("lookreel-video");
  const { typefaceLater } = document.documentElement.dataset;
  if (typefaceLater && document.fonts && !Player?.savesData()) {
    // Without it the next page is drawn like this one.
    const loadLater = () => whenQuiet(() => loadTypeface(typefaceLater).catch(() => {}));
    document.readyState === "complete" ? loadLater() : addEventListener("load", loadLater);
  }

  const videos = [...document.querySelectorAll(".shop-card video")];
  const toggle = document.querySelector(".shop-motion");
  if (!Player || !videos.length || !toggle) return;

  const sourceOf = ({ src, type, dataset }) => ({ url: src, type, width: +dataset.width, height: +dataset.height });
  const clipOf = (video) => {
    const sources = [...video.querySelectorAll("source")].map(sourceOf);
    return new Player.Clip(video, { id: video.dataset.video, sources, server: location.origin, target: video });
  };
  const clips = videos.map(clipOf);
  let current = null;
  const stop = (clip) => {
    clip.stop();
    // The photo of the card comes back.
    delete clip.video.dataset.playing;
    if (current === clip) current = null;
  };
  const start = (clip) => {
    if (current && current !== clip) stop(current);
    current = clip;
    clip.start(true);
  };

  const kept = (() => {
    try {
      return localStorage.getItem("motion");
    } catch {
      return null;
    }
  })();
  let moving = kept ? kept === "on" : !Player.isCalm();
  const share = new Map();
  const choose = () => {
    const best = clips.reduce((top, clip) => ((share.get(clip.video) || 0) > (share.get(top.video) || 0) ? clip : top));
    if (moving && share.get(best.video) >= 0.7) best !== current && start(best);
    else if (current) stop(current);
  };
  const label = () => {
    toggle.dataset.motion = moving ? "on" : "off";
    toggle.lastElementChild.textContent = moving ? toggle.dataset.pause : toggle.dataset.play;
  };
  const hover = matchMedia("(hover: hover)").matches;
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    moving = !moving;
    try {
      localStorage.setItem("motion", moving ? "on" : "off");
    } catch {
      // Remembering is a courtesy.
    }
    label();
    if (!moving && current) stop(current);
    else if (!hover) choose();
  });
  if (hover) {
    clips.forEach((clip) => {
      const card = clip.video.closest(".shop-card");
      ["pointerenter", "focusin"].forEach((name) => card.addEventListener(name, () => moving && start(clip)));
      ["pointerleave", "focusout"].forEach((name) => card.addEventListener(name, () => stop(clip)));
    });
  } else {
    const watch = new IntersectionObserver(
      (entries) => {
        entries.forEach((entry) => share.set(entry.target, entry.intersectionRatio));
        choose();
      },
      { threshold: [0, 0.25, 0.5, 0.7, 0.85, 1] },
    );
    videos.forEach((video) => watch.observe(video));
  }
  label();
})();
