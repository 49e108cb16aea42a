// Live updates of the admin's pages. All pages work without this script.
//
// data-events="ADDRESS"  opens a stream of server-sent events (HTML Standard, section
//     9.2). Each event replaces the content of the element inside that has its name in
//     data-event; the event "end" closes the stream. The browser reconnects by itself.
// data-refresh="SECONDS" fetches the page again and replaces the element with the new one
//     of the same id, until that has no data-refresh.
"use strict";

for (const root of document.querySelectorAll("[data-events]")) {
  const source = new EventSource(root.dataset.events);
  for (const part of root.querySelectorAll("[data-event]"))
    source.addEventListener(part.dataset.event, event => { part.innerHTML = event.data; });
  source.addEventListener("end", () => source.close());
}

for (const part of document.querySelectorAll("[data-refresh]")) schedule(part);

function schedule(part) {
  if (part.dataset.refresh) setTimeout(refresh, 1000 * part.dataset.refresh, part);
}

async function refresh(part) {
  try {
    const answer = await fetch(location.pathname);
    if (answer.redirected) return; // signed out
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part.id);
    if (fresh && !part.contains(document.activeElement)) {
      part.replaceWith(fresh);
      part = fresh;
    }
  } catch { } // the server may be restarting: try again
  schedule(part);
}
