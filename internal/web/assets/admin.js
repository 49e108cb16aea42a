// Small conveniences of the admin's pages. All pages work without this script.
//
// data-events="ADDRESS"  opens a stream of server-sent events (HTML Standard, section
//     9.2). Each event replaces the content of the element inside that has its name in
//     data-event; the event "end" closes the stream. The browser reconnects by itself.
// data-refresh="SECONDS" fetches the page again and replaces the element with the new one
//     of the same id, until that has no data-refresh.
// data-dialog            a link to the id of a dialog, which is opened as a modal one.
// data-copy="SELECTOR"   a button that copies the text or the value of another element, or the address
//     of a link.
// data-zone="ZONE"       a place for the time in the editor's own timezone, where it differs
//     from that of the site. Its data-time is the time.
// data-sample="SELECTOR" a form whose text fields are shown in a frame while they change: they are
//     the query of the frame's address.
// data-submit            a field that sends its form when it changes.
"use strict";

for (const root of document.querySelectorAll("[data-events]")) listen(root);

function listen(root) {
  const source = new EventSource(root.dataset.events);
  for (const part of root.querySelectorAll("[data-event]"))
    source.addEventListener(part.dataset.event, event => { part.innerHTML = event.data; });
  source.addEventListener("end", () => source.close());
  source.addEventListener("error", () => {
    // While the server restarts, a proxy answers with an error page, and the browser gives up.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000, root);
  });
}

for (const part of document.querySelectorAll("[data-refresh]")) schedule(part);

function schedule(part) {
  if (part.dataset.refresh) setTimeout(refresh, 1000 * part.dataset.refresh, part);
}

async function refresh(part) {
  try {
    const answer = await fetch(location.pathname + location.search);
    if (answer.redirected) return; // signed out
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part.id);
    if (fresh && !part.contains(document.activeElement)) {
      part.replaceWith(fresh);
      part = fresh;
      showTimes(part);
    }
  } catch { } // the server may be restarting: try again
  schedule(part);
}

document.addEventListener("click", event => {
  const link = event.target.closest("a[data-dialog]");
  const dialog = link && document.querySelector(link.getAttribute("href"));
  if (dialog && dialog.showModal) {
    event.preventDefault();
    dialog.showModal();
    return;
  }
  const open = event.target.closest("dialog[open]");
  if (open && (event.target === open || event.target.closest("a[data-close]"))) {
    event.preventDefault();
    open.close();
  }
});

document.addEventListener("click", async event => {
  const button = event.target.closest("button[data-copy]");
  const source = button && document.querySelector(button.dataset.copy);
  if (!source) return;
  try {
    await navigator.clipboard.writeText(source.value ?? source.href ?? source.textContent.trim());
    const label = button.textContent;
    button.textContent = button.dataset.done || label;
    setTimeout(() => { button.textContent = label; }, 2000);
  } catch { // without HTTPS, or not allowed: select it, so that the keyboard copies it
    if (source.href) source.textContent = source.href;
    if (source.select) source.select(); else getSelection().selectAllChildren(source);
  }
});

document.addEventListener("change", event => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;

// An open menu closes with Escape and returns the focus to its button.
document.addEventListener("keydown", event => {
  const menu = event.key === "Escape" && event.target.closest(".menu[open], .filters[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

showTimes(document);

function showTimes(root) {
  for (const place of root.querySelectorAll("[data-zone]")) {
    const at = new Date(place.dataset.time);
    const format = zone => new Intl.DateTimeFormat(document.documentElement.lang || "en", {
      weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: zone,
    });
    try {
      const own = format(undefined).format(at);
      if (own === format(place.dataset.zone).format(at)) continue;
      place.textContent = place.dataset.label.replace("{0}", own);
      place.hidden = false;
    } catch { } // a timezone that this browser does not know
  }
}

for (const form of document.querySelectorAll("form[data-sample]")) {
  const frame = document.querySelector(form.dataset.sample);
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const query = new URLSearchParams();
      for (const field of form.querySelectorAll("input[id^=brand]")) if (!field.name.includes("@")) query.set(field.name, field.value);
      frame.src = frame.getAttribute("src").split("?")[0] + "?" + query;
    }, 400);
  });
}
