// Makes pages more convenient; all of them work without it.

// Buttons that copy an address. They are hidden without a script.
for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch { // without HTTPS, or not allowed: select it, so that the keyboard copies it
      const code = button.parentElement.querySelector("code");
      if (code) getSelection().selectAllChildren(code);
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// Fields that filter a list while one types. The server does the same for the whole form.
for (const field of document.querySelectorAll("[data-filter]")) {
  const items = [...document.querySelectorAll(field.dataset.filter)];
  const none = document.getElementById("none");
  const apply = () => {
    const wanted = field.value.trim().normalize("NFC").toLowerCase();
    let shown = 0;
    for (const item of items) {
      item.hidden = !item.dataset.find.toLowerCase().includes(wanted);
      if (!item.hidden) shown++;
    }
    if (none) none.hidden = shown > 0;
  };
  field.addEventListener("input", apply);
  if (field.value) apply();
}
