// What `hot --browser` puts into a page: it loads the page again when something else runs, and then scrolls to where
// it was. It takes itself out of the page before the page's own scripts run.
(() => {
  const script = document.currentScript;
  // What the page was made by.
  const at = script.dataset.at;
  script.remove();

  const NOTE = "hot: where it was";
  const ATTEMPTS = 60;
  const { fetch, setTimeout } = window;
  const after = (time) => new Promise((resolve) => setTimeout(resolve, time));

  // The page's own state may be forbidden.
  const store = (note) => {
    try {
      sessionStorage.setItem(NOTE, JSON.stringify(note));
    } catch {}
  };
  const stored = () => {
    try {
      const text = sessionStorage.getItem(NOTE);
      sessionStorage.removeItem(NOTE);
      const note = JSON.parse(text);
      return note && note.page === location.href ? note : null;
    } catch {
      return null;
    }
  };

  // All that is scrolled, each as its way from the root.
  const path = (element) => {
    const way = [];
    for (; element.parentElement; element = element.parentElement) {
      way.unshift([...element.parentElement.children].indexOf(element));
    }
    return way;
  };
  const places = () =>
    [...document.querySelectorAll("*")]
      .filter((element) => element.scrollTop || element.scrollLeft)
      .map((element) => [path(element), element.scrollLeft, element.scrollTop]);
  const isThere = ([way, left, top]) => {
    const element = way.reduce((parent, index) => parent?.children[index], document.documentElement);
    if (!element) return false;
    element.scrollTo({ left, top, behavior: "instant" });
    return Math.abs(element.scrollLeft - left) < 1 && Math.abs(element.scrollTop - top) < 1;
  };

  // What is scrolled to may come late. A person who does something there wants to be elsewhere.
  const scroll = async (wanted) => {
    let touched = false;
    for (const act of ["wheel", "touchstart", "mousedown", "keydown"]) {
      addEventListener(act, () => (touched = true), { once: true, passive: true });
    }
    for (let attempt = 0; attempt < ATTEMPTS && wanted.length && !touched; attempt++) {
      if (document.body) wanted = wanted.filter((place) => !isThere(place));
      await after(50);
    }
  };

  // A hidden page waits until it is seen: it would keep one of the few connections that a browser makes to a server.
  const seen = () =>
    new Promise((resolve) => {
      const look = () => {
        if (document.hidden) return;
        document.removeEventListener("visibilitychange", look);
        resolve();
      };
      document.addEventListener("visibilitychange", look);
      look();
    });
  const ask = async (known) => {
    const stop = new AbortController();
    const look = () => document.hidden && stop.abort();
    document.addEventListener("visibilitychange", look);
    try {
      const answer = await fetch(`/.hot/next?after=${known}`, { cache: "no-store", signal: stop.signal });
      return answer.ok ? await answer.text() : null;
    } catch {
      return null;
    } finally {
      document.removeEventListener("visibilitychange", look);
    }
  };

  const watch = async (known) => {
    for (;;) {
      await seen();
      const now = await ask(known);
      if (now === null) {
        await after(500);
      } else if (now !== known) {
        known = now;
        store({ page: location.href, at, now, places: places() });
        location.reload();
      }
    }
  };

  const before = stored();
  if (before) scroll(before.places);
  // It came from a cache: loaded once more, it would be the same.
  watch(before && before.at === at ? before.now : at);
})();
