(() => {
  const video = document.querySelector("[data-player] > video");
  const scripts = ["/embed.js", "/shop.js"];
  const append = (name, properties) => document.head.append(Object.assign(document.createElement(name), properties));
  const isAdopted = () => customElements.get("lookreel-video");
  const halt = () => isAdopted() || video.pause();
  const load = () => {
    if (document.readyState === "loading") return document.addEventListener("DOMContentLoaded", load);
    scripts.splice(0).forEach((src) => append("script", { src, async: false, onerror: halt }));
  };
  const { saveData, effectiveType } = navigator.connection || {};
  const isReduced = (what) => matchMedia(`(prefers-reduced-${what}: reduce)`).matches;
  const isCalm = saveData || /2g$/.test(effectiveType) || isReduced("data") || isReduced("motion");
  const { type } = performance.getEntriesByType("navigation")[0] || {};
  const source = [...video.querySelectorAll("source")].find(({ type }) => video.canPlayType(type));
  if (isCalm || document.hidden || type !== "navigate" || location.hash || !source) {
    scripts.forEach((href) => append("link", { rel: "preload", as: "script", href }));
    return load();
  }
  const begun = performance.now();
  let isRefused;
  const seen = () => {
    if (!isRefused) video.dataset.firstFrame = Math.round(performance.now() - begun);
    load();
  };
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(seen);
  else video.addEventListener("playing", seen, { once: true });
  video.dataset.begun = begun;
  video.src = source.src;
  video.play().catch(() => {
    isRefused = true;
    load();
  });
  addEventListener("load", load);
  setTimeout(load, 2000);
  setTimeout(halt, 4000);
  const start = JSON.stringify({ video: video.dataset.video, event: "start" });
  addEventListener("pagehide", () => isAdopted() || navigator.sendBeacon?.("/api/playback", start));
})();
