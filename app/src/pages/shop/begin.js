(() => {
  const video = document.querySelector("[data-player] > video");
  const scripts = ["/embed.js", "/shop.js"];
  const load = () => {
    if (document.readyState === "loading") return document.addEventListener("DOMContentLoaded", load);
    const onerror = () => video.pause();
    scripts.splice(0).forEach((src) => {
      document.head.append(Object.assign(document.createElement("script"), { src, async: false, onerror }));
    });
  };
  const { saveData, effectiveType } = navigator.connection || {};
  const isReduced = (what) => matchMedia(`(prefers-reduced-${what}: reduce)`).matches;
  const isCalm = saveData || /2g$/.test(effectiveType) || isReduced("data") || isReduced("motion");
  const { type } = performance.getEntriesByType("navigation")[0] || {};
  const source = [...video.querySelectorAll("source")].find(({ type }) => video.canPlayType(type));
  if (isCalm || document.hidden || type !== "navigate" || location.hash || !source) return load();
  const begun = performance.now();
  video.dataset.begun = begun;
  video.src = source.src;
  video.play().catch(load);
  video.requestVideoFrameCallback?.(() => {
    video.dataset.firstFrame = Math.round(performance.now() - begun);
    load();
  });
  addEventListener("load", load);
})();
