// Shows what is typed into a password field. Without this script there is no box for it.
//
// data-reveal on a checkbox: while it is checked, the password fields of its form show their text.
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
