// <lookreel-video product="…">: the video of a product, on any page; docs/embed.md says how. Around a <video> that the
// server wrote it is that one's player: the shop's own pages.
(() => {
  "use strict";
  const NAME = "lookreel-video";
  if (customElements.get(NAME)) return;
  const script = document.currentScript || document.querySelector('script[src*="/embed.js"]');
  const HOME = new URL(".", script ? script.src : location.href);
  const HLS = "application/vnd.apple.mpegurl";
  const RETRY_MS = 1500;
  const STALL_MS = 250;

  const isReduced = (what) => matchMedia(`(prefers-reduced-${what}: reduce)`).matches;
  const savesData = () => {
    const { saveData, effectiveType } = navigator.connection || {};
    return saveData || /2g$/.test(effectiveType) || isReduced("data");
  };
  const isCalm = () => isReduced("motion") || savesData();

  // The smallest picture that fills the box, its lightest codec first. More than two pixels to a point are not seen, nor
  // is a tenth too few. Asking for the box has the whole page laid out: of one size nobody asks.
  const choose = (sources, video) => {
    const playable = sources.filter((source) => source.type !== HLS && video.canPlayType(source.type));
    const [smallest, largest] = [playable[0], playable[playable.length - 1]];
    if (smallest?.width === largest?.width) return smallest;
    const { width, height } = video.getBoundingClientRect();
    const scale = Math.min(devicePixelRatio || 1, 2) / 1.1;
    const fits = (source) => source.width >= width * scale && source.height >= height * scale;
    return playable.find(fits) || playable.find((source) => source.width === largest.width);
  };

  const send = (target, event, detail) =>
    target.dispatchEvent(new CustomEvent(`lookreel-${event}`, { bubbles: true, composed: true, detail }));

  // What becomes of a playback, as events of the page and as sums of the server: no cookie, nobody's name.
  const measure = (video, { id, server, target, quiet, changed }) => {
    const tell = (event, ms) => {
      send(target, event, { ms });
      if (id && !quiet) navigator.sendBeacon?.(new URL("api/playback", server), JSON.stringify({ video: id, event, ms }));
    };
    let timer, isSeen, isDone;
    let [begun, last, stalls] = [0, 0, 0];
    const on = (type, listener) =>
      video.addEventListener(type, () => {
        clearTimeout(timer);
        listener();
      });
    const see = () => {
      if (video.paused) return;
      video.dataset.playing = "";
      if (!isSeen) tell("first-frame", +video.dataset.firstFrame || Math.round(performance.now() - begun));
      isSeen = true;
      changed?.();
    };
    on("play", () => {
      if (!begun) tell("start");
      begun ||= performance.now();
      video.requestVideoFrameCallback?.(see);
    });
    // A page may have begun before this was there.
    if (!video.paused) {
      tell("start");
      begun = +video.dataset.begun || 1;
      video.readyState > 1 ? setTimeout(see) : video.requestVideoFrameCallback?.(see);
    }
    on("playing", () => video.requestVideoFrameCallback || see());
    on("waiting", () => {
      if (isSeen && stalls++ < 5) timer = setTimeout(() => tell("stall"), STALL_MS);
    });
    on("pause", () => {});
    on("emptied", () => {
      last = 0;
      delete video.dataset.playing;
    });
    // A clip that goes on for ever has no end: it is over when it begins again.
    on("timeupdate", () => {
      if (video.currentTime < last && !isDone) isDone = !tell("complete");
      last = video.currentTime;
    });
  };

  // One <video>: the file it plays, once more after an error, then the poster.
  class Clip {
    #source;
    #left = 1;
    #hls;
    // Whether it was told to play; nobody has told it anything yet.
    isOn;

    // options: id of the video, sources, server, target of events, quiet, prefersHls; changed() and refused() are called.
    constructor(video, options) {
      Object.assign(this, { video, options });
      measure(video, options);
      video.muted = true;
      video.addEventListener("error", () => this.#source && this.#failed());
      ["play", "pause", "emptied"].forEach((type) => video.addEventListener(type, () => options.changed?.()));
    }

    // byHand: a person asks, which is worth another try.
    async start(byHand) {
      this.isOn = true;
      if (byHand) this.#left = 1;
      try {
        if (!this.#source) await this.#open();
        if (this.isOn && this.#source) await this.video.play();
      } catch ({ name }) {
        // Refused (low power): the poster waits for a tap. Interrupted: whoever did that goes on.
        if (name === "NotAllowedError") this.#end();
      }
    }

    stop() {
      this.isOn = false;
      this.video.pause();
    }

    async #open() {
      const { video, options } = this;
      const { sources, server } = options;
      const hls = sources.find((source) => source.type === HLS);
      this.#source = (options.prefersHls && hls) || choose(sources, video) || hls || {};
      if (this.#source !== hls || video.canPlayType(HLS)) {
        const { url = "" } = this.#source;
        // The page may have begun it, and failed.
        if (!url || video.src !== url) video.src = url;
        else if (video.error) this.#failed();
        return;
      }
      try {
        const { default: Hls } = await import(new URL("hls.light.min.js", server));
        this.#hls = new Hls({ capLevelToPlayerSize: true, enableWorker: false });
        this.#hls.on(Hls.Events.ERROR, (_, { fatal }) => fatal && this.#failed());
        this.#hls.loadSource(hls.url);
        this.#hls.attachMedia(video);
      } catch {
        this.#failed();
      }
    }

    // The next try takes another codec where there is one.
    #failed() {
      const { video, options } = this;
      const others = options.sources.filter(({ type }) => type !== this.#source?.type);
      if (others.length) options.sources = others;
      this.#source = undefined;
      this.#hls?.destroy();
      this.#hls = undefined;
      // Nothing is left to load: asked to, a browser would take the next <source> by itself.
      video.replaceChildren();
      video.removeAttribute("src");
      video.load();
      if (this.#left-- > 0) setTimeout(() => this.isOn && this.start(), RETRY_MS);
      else this.#end("error");
    }

    #end(event) {
      const { options } = this;
      this.stop();
      options.refused?.();
      options.changed?.();
      if (event) send(options.target, event, {});
    }
  }

  const make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    node.append(...children);
    return node;
  };

  const CSS = `:host{display:block;position:relative;overflow:hidden;aspect-ratio:var(--lookreel-ratio,3/4)}
:host([hidden]){display:none}
img,video{position:absolute;inset:0;width:100%;height:100%;object-fit:cover}
video{opacity:0}video[data-playing]{opacity:1}
span{position:absolute;top:12px;inset-inline-start:12px;padding:0 8px;border-radius:6px;background:rgb(20 18 16/.68);
color:#fff;font:500 12px/24px system-ui,sans-serif;pointer-events:none}
button{position:absolute;bottom:12px;inset-inline-end:12px;display:grid;place-items:center;width:44px;height:44px;margin:auto;
border:0;border-radius:50%;background:rgb(20 18 16/.68);color:#fff;cursor:pointer}
button:hover{background:rgb(20 18 16/.85)}
button:focus-visible{outline:2px solid #fff;outline-offset:2px;box-shadow:0 0 0 6px rgb(20 18 16/.85)}
:host([data-state=poster]) button{inset:0;width:64px;height:64px}
button:before{content:"";width:14px;height:16px;background:#fff;forced-color-adjust:none;
clip-path:polygon(0 0,36% 0,36% 100%,64% 100%,64% 0,100% 0,100% 100%,0 100%)}
:host([data-state=poster]) button:before{scale:1.4}
[data-motion=off]:before{translate:2px;clip-path:polygon(0 0,100% 50%,0 100%)}`;
  const dress = (root) => {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
    } catch {
      // Older browsers: an element, with the nonce of the script where the page's policy wants one.
      const style = make("style", {}, CSS);
      style.nonce = script?.nonce || "";
      root.append(style);
    }
  };

  class LookreelVideo extends HTMLElement {
    static isCalm = isCalm;
    static savesData = savesData;
    static Clip = Clip;
    static observedAttributes = ["product"];
    #clip;
    #button;
    #gone;
    #isWanted;
    #isSeen;

    connectedCallback() {
      this.#gone = new AbortController();
      const video = this.querySelector("video");
      if (this.#clip) this.#watch();
      else if (video && !this.hasAttribute("product")) this.#adopt(video);
      else this.#observe((near) => near.isIntersecting && !!this.#load(), { rootMargin: "100% 0px" });
    }

    disconnectedCallback() {
      this.#gone.abort();
      this.#clip?.stop();
    }

    attributeChangedCallback(_, before, now) {
      if (!this.#gone || before === now) return;
      this.disconnectedCallback();
      this.#clip = undefined;
      if (this.isConnected) this.connectedCallback();
    }

    // Until the listener answers true, or the element is gone.
    #observe(listener, options) {
      const observer = new IntersectionObserver((entries) => listener(entries.pop()) && observer.disconnect(), options);
      observer.observe(this);
      this.#gone.signal.addEventListener("abort", () => observer.disconnect());
    }

    #adopt(video) {
      const sources = [...video.querySelectorAll("source")].map(({ src, type, dataset }) => {
        return { url: src, type, width: +dataset.width, height: +dataset.height };
      });
      this.#begin(this, video, { id: video.dataset.video, sources, server: HOME });
      // The shop's page may have begun it, by the rules of isCalm, choose and what follows (begin.js).
      // It is the first thing on its page. An observer tells after the first paint whether it is seen; on a page that is not
      // scrolled it begins before, and while the page is laid out.
      const { type } = performance.getEntriesByType("navigation")[0] || {};
      this.#isSeen = !video.paused || (type === "navigate" && !location.hash);
      this.#decide();
    }

    async #load() {
      const { signal } = this.#gone;
      const server = new URL(this.getAttribute("server") || HOME);
      const root = this.shadowRoot || this.attachShadow({ mode: "open" });
      // Until there is a video, and when there is none: what the page put inside.
      root.replaceChildren(make("slot", {}));
      dress(root);
      try {
        const product = encodeURIComponent(this.getAttribute("product"));
        const answer = await fetch(new URL(`embed/products/${product}`, server), { credentials: "omit", signal });
        if (!answer.ok) throw answer;
        this.#build(root, await answer.json(), server);
      } catch {
        if (!signal.aborted) send(this, "error", {});
      }
    }

    #build(root, data, server) {
      const language = (this.closest("[lang]")?.lang || navigator.language).startsWith("ko") ? "ko" : "en";
      const { id, width, height, poster, sources, hls } = data;
      const word = (name) => data[name][language];
      const size = { width, height };
      this.style.setProperty("--lookreel-ratio", this.getAttribute("ratio") || `${width}/${height}`);
      const loading = this.hasAttribute("priority") ? { fetchpriority: "high" } : { loading: "lazy" };
      const picture = make("picture", {}, make("img", { ...loading, ...size, alt: "", src: poster.jpeg }));
      if (poster.webp) picture.prepend(make("source", { type: "image/webp", srcset: poster.webp }));
      const video = make("video", { ...size, loop: "", playsinline: "", preload: "none", "aria-label": word("alt") });
      const button = make("button", {
        type: "button",
        part: "button",
        "data-play": word("play"),
        "data-pause": word("pause"),
      });
      root.replaceChildren(picture, video, make("span", { part: "label" }, word("aiLabel")), button);
      dress(root);
      if (hls) sources.push({ url: hls, type: HLS });
      this.#begin(root, video, { id, sources, server, prefersHls: this.hasAttribute("hls") });
    }

    #begin(root, video, options) {
      this.#clip = new Clip(video, {
        ...options,
        target: this,
        quiet: this.hasAttribute("no-beacons"),
        changed: () => this.#show(),
        refused: () => (this.#isWanted = false),
      });
      this.#button = root.querySelector("button");
      this.#isWanted = !isCalm();
      this.#button.hidden = false;
      this.#button.addEventListener("click", () => {
        this.#isWanted = !this.#isWanted;
        this.#decide(true);
      });
      this.#watch();
    }

    #watch() {
      const { signal } = this.#gone;
      const see = ({ intersectionRatio, intersectionRect }) => {
        this.#isSeen = intersectionRatio >= 0.4 || intersectionRect.height > innerHeight / 2;
        this.#decide();
      };
      this.#observe(see, { threshold: [0, 0.2, 0.4] });
      document.addEventListener("visibilitychange", () => this.#decide(), { signal });
      this.#show();
    }

    #decide(byHand) {
      const isOn = this.#isWanted && this.#isSeen && !document.hidden;
      if (isOn !== this.#clip.isOn) isOn ? this.#clip.start(byHand) : this.#clip.stop();
      this.#show();
    }

    #show() {
      const { video } = this.#clip;
      const isWanted = this.#isWanted;
      const { dataset } = this.#button;
      this.dataset.state = "playing" in video.dataset ? (video.paused ? "paused" : "playing") : isWanted ? "waiting" : "poster";
      dataset.motion = isWanted ? "on" : "off";
      this.#button.setAttribute("aria-label", isWanted ? dataset.pause : dataset.play);
    }
  }
  customElements.define(NAME, LookreelVideo);
})();
