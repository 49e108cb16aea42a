// Shows what is typed into a password field, and how strong a new password is. Without this script there is
// no box and no meter. The meter has its place from the start, so that the button below does not move away
// from a click.
//
// data-reveal on a checkbox: while it is checked, the password fields of its form show their text.
// data-strength on a hidden box with a <meter> and a text: the address that judges the password of its form.
"use strict";

for (const box of document.querySelectorAll("[data-reveal]")) {
  const fields = box.form.querySelectorAll("input[type=password]");
  const show = on => {
    for (const field of fields) {
      field.type = on ? "text" : "password";
      field.spellcheck = false;
    }
  };
  box.closest("label").hidden = false;
  box.addEventListener("change", () => show(box.checked));
  // What is sent as text, the browser would offer again in other fields.
  box.form.addEventListener("submit", () => show(false));
}

for (const box of document.querySelectorAll("[data-strength]")) {
  const form = box.closest("form"), meter = box.querySelector("meter"), text = box.querySelector("[role=status]");
  box.hidden = false;
  box.classList.add("unjudged");
  const judged = ["name", "email", "password"]; // what the server compares; no other field is sent
  let timer, latest = 0, asking;
  const judge = async () => {
    const asked = ++latest;
    const body = new URLSearchParams(judged.map(name => [name, form.elements[name]?.value ?? ""]));
    let answer;
    asking = new AbortController();
    if (body.get("password"))
      answer = await fetch(box.dataset.strength, { method: "POST", body, signal: asking.signal }).then(a => a.ok ? a.json() : undefined).catch(() => undefined);
    if (asked != latest) return; // something else was typed since
    box.classList.toggle("unjudged", !answer); // nothing is typed, or there is no judgement
    if (!answer) return;
    meter.value = answer.value;
    text.textContent = answer.text;
  };
  form.addEventListener("input", event => {
    if (!judged.includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(judge, 250);
  });
  // The link of an invitation is void once the form is sent, so a later question would be refused.
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    latest++;
    asking?.abort();
  });
}
