// Motion in the shop: at most one clip plays, and none for who asked for calm; and the way back from a refused form.
// Without this file posters, the browser's own controls and plain links remain.
(() => {
  const media = (query) => matchMedia(query).matches;
  const net = navigator.connection || {};
  const calm = () =>
    media("(prefers-reduced-motion: reduce)") || media("(prefers-reduced-data: reduce)") || net.saveData || /2g/.test(net.effectiveType || "");

  let current = null;
  const stop = (video) => {
    video.pause();
    if (current === video) current = null;
  };
  const start = (video) => {
    if (current && current !== video) stop(current);
    current = video;
    video.muted = true;
    if (video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE) video.load();
    // Refused (low power) or interrupted: the poster stays.
    video.play().catch(() => current === video && (current = null));
  };

  // A rendition that does not load is asked for once more; then the poster stays.
  const retry = (video) => {
    let left = 1;
    const again = () => {
      delete video.dataset.playing;
      if (left-- > 0) setTimeout(() => (video.load(), current === video && start(video)), 1500);
      else stop(video);
    };
    video.addEventListener("error", again);
    const sources = video.querySelectorAll("source");
    if (sources.length) sources[sources.length - 1].addEventListener("error", again);
  };

  // Going back as the browser does keeps what was typed into a form.
  document.querySelectorAll("[data-back]").forEach((link) => {
    link.addEventListener("click", (event) => {
      if (!document.referrer || history.length < 2) return;
      event.preventDefault();
      history.back();
    });
  });

  // The page of a product.
  document.querySelectorAll("[data-player]").forEach((player) => {
    const video = player.querySelector("video");
    const button = player.querySelector("button");
    let wanted = !calm();
    let seen = false;
    const show = () => {
      const on = !video.paused;
      button.setAttribute("aria-label", on ? button.dataset.pause : button.dataset.play);
      button.dataset.motion = on ? "on" : "off";
    };
    video.controls = false;
    button.hidden = false;
    retry(video);
    ["play", "pause", "emptied"].forEach((name) => video.addEventListener(name, show));
    button.addEventListener("click", () => {
      wanted = video.paused;
      wanted ? start(video) : stop(video);
    });
    new IntersectionObserver(
      ([entry]) => {
        seen = entry.intersectionRatio >= 0.4;
        seen && wanted ? start(video) : stop(video);
      },
      { threshold: [0, 0.4] },
    ).observe(video);
    document.addEventListener("visibilitychange", () => (!document.hidden && seen && wanted ? start(video) : stop(video)));
    show();
  });

  // The grid.
  const clips = [...document.querySelectorAll(".shop-card video")];
  const toggle = document.querySelector(".shop-motion");
  if (!clips.length || !toggle) return;
  const kept = (() => {
    try {
      return localStorage.getItem("motion");
    } catch {
      return null;
    }
  })();
  let moving = kept ? kept === "on" : !calm();
  const share = new Map();
  const choose = () => {
    const best = clips.reduce((top, clip) => ((share.get(clip) || 0) > (share.get(top) || 0) ? clip : top));
    if (moving && share.get(best) >= 0.7) best !== current && start(best);
    else if (current) stop(current);
  };
  const label = () => {
    toggle.dataset.motion = moving ? "on" : "off";
    toggle.lastElementChild.textContent = moving ? toggle.dataset.pause : toggle.dataset.play;
  };
  const hover = media("(hover: hover)");
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
  clips.forEach((clip) => {
    retry(clip);
    clip.addEventListener("playing", () => (clip.dataset.playing = ""));
    clip.addEventListener("pause", () => delete clip.dataset.playing);
    if (!hover) return;
    const card = clip.closest(".shop-card");
    ["pointerenter", "focusin"].forEach((name) => card.addEventListener(name, () => moving && start(clip)));
    ["pointerleave", "focusout"].forEach((name) => card.addEventListener(name, () => stop(clip)));
  });
  if (!hover) {
    const watch = new IntersectionObserver(
      (entries) => {
        entries.forEach((entry) => share.set(entry.target, entry.intersectionRatio));
        choose();
      },
      { threshold: [0, 0.25, 0.5, 0.7, 0.85, 1] },
    );
    clips.forEach((clip) => watch.observe(clip));
  }
  label();
})();
