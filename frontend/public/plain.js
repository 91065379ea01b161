// Pages of the desk that were sent without WASM. One that waits for something looks again, and only what waits is replaced:
// what is being typed, and what plays, stays as it is. Without this script there is a link that looks again.
{
  const EVERY_MS = 2000;
  /** A quarter of an hour; then somebody has gone away, or the queue stands still. */
  const MOST = 450;
  const waits = (page) => page.querySelector("main[data-waiting]") !== null;

  const look = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-part]")) {
      const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      // A button that is being pressed would be gone before it is let go.
      if (!next || next.innerHTML === part.innerHTML || part.matches(":active")) continue;
      const focused = part.contains(document.activeElement) && document.activeElement.id;
      part.replaceChildren(...next.childNodes);
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    }
    document.querySelector("main").toggleAttribute("data-waiting", waits(fresh));
  };

  let looks = 0;
  const timer = setInterval(() => {
    if (!waits(document) || looks >= MOST) return clearInterval(timer);
    if (document.hidden) return;
    looks += 1;
    look().catch(() => {});
  }, EVERY_MS);
}
