// The page on which editors write an article: automatic saves, a live preview, uploads of images by
// button, drop and paste, and completion of lists. The page works without this script.
"use strict";

const form = document.getElementById("article");
if (form) startEditor(form);

function startEditor(form) {
  const text = form.elements.text, state = document.getElementById("article-state"), texts = form.dataset;
  const saver = startSaving(form, state, texts);
  const preview = startPreview(form);
  let timer;
  form.addEventListener("input", event => {
    if (event.target.type === "file") return;
    saver.changed();
    clearTimeout(timer);
    timer = setTimeout(preview, 700);
  });
  grow(text);
  startUploads(form, text, texts);
  for (const field of form.querySelectorAll("input[data-list]")) completeLists(field);
  form.addEventListener("keydown", event => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      document.getElementById("save").click();
    }
  });
  preview();
}

// startSaving saves the form a few seconds after each change, one request at a time. It returns a
// function changed, to call when the form changes.
function startSaving(form, state, texts) {
  const delay = 3000;
  let timer, running = false, unsaved = false, signedOut = false, stopped = texts.conflict === "yes";
  const bar = form.querySelector(".writing-bar");
  const say = (message, warn) => {
    bar.classList.toggle("warned", !!warn);
    let saved = state.querySelector(".saved");
    if (!saved) state.append(saved = Object.assign(document.createElement("span"), { className: "saved" }));
    saved.textContent = message;
  };
  const changed = () => {
    unsaved = true;
    clearTimeout(timer);
    if (!running && !stopped) timer = setTimeout(save, delay);
  };
  const save = async () => {
    const data = new FormData(form);
    data.delete("file");
    data.delete("image_file");
    running = true;
    unsaved = false;
    say(texts.saving);
    try {
      const answer = await fetch(form.getAttribute("action") + "/autosave", { method: "POST", body: data, redirect: "manual" });
      signedOut = answer.type === "opaqueredirect";
      if (signedOut) {
        unsaved = true;
        say(texts.signedOut, true);
      } else {
        take(await answer.json());
      }
    } catch {
      unsaved = true;
      say(texts.failed, true);
    }
    running = false;
    if (unsaved && !stopped) timer = setTimeout(save, delay);
  };
  const take = saved => {
    if (saved.conflict) {
      stopped = unsaved = true;
      return say(texts.theirs, true);
    }
    if (saved.problem) {
      stopped = false;
      return say(saved.problem, true);
    }
    bar.classList.remove("warned");
    state.innerHTML = saved.state;
    document.getElementById("article-checks").innerHTML = saved.checks;
    for (const base of document.querySelectorAll("input[name=base]")) base.value = saved.revision;
    rename(form, saved.id);
  };
  addEventListener("beforeunload", event => {
    if (unsaved && !form.dataset.submitting) event.preventDefault();
  });
  form.addEventListener("submit", event => {
    if (event.submitter?.formTarget) return; // a preview
    clearTimeout(timer);
    if (signedOut && !running) { // the sign-in page would take the place of what is written here
      event.preventDefault();
      return save();
    }
    if (running) { // the automatic save raises the revision that this one starts from
      event.preventDefault();
      const again = setInterval(() => {
        if (running) return;
        clearInterval(again);
        form.requestSubmit(event.submitter);
      }, 50);
      return;
    }
    stopped = true;
    form.dataset.submitting = "yes";
  });
  return { changed };
}

// rename gives the form of a new article the addresses of the stored one.
function rename(form, id) {
  const from = "/admin/articles/new", to = "/admin/articles/" + id;
  if (form.getAttribute("action") !== from) return;
  form.setAttribute("action", to);
  for (const button of form.querySelectorAll("[formaction]"))
    button.setAttribute("formaction", button.getAttribute("formaction").replace(from, to));
  history.replaceState(null, "", to);
}

// startPreview returns a function that shows the form in the chosen preview. Each preview is loaded into a
// frame of its own, which then takes the place of the last one: that neither flickers nor adds to the
// history of the tab.
function startPreview(form) {
  const buttons = [...form.querySelectorAll(".preview-tabs button")];
  let shown = form.querySelector(".preview-frame iframe"), loading, again = false, count = 0, kind = buttons[0];
  const load = () => {
    if (loading) {
      again = true;
      return;
    }
    const frame = loading = shown.cloneNode();
    frame.name = "preview-" + ++count;
    frame.className = "loading";
    shown.after(frame);
    kind.formTarget = frame.name;
    frame.addEventListener("load", () => {
      if (frame.contentWindow.location.href === "about:blank") return;
      const top = shown.contentWindow?.scrollY || 0;
      frame.contentWindow.scrollTo(0, top);
      frame.className = "";
      shown.remove();
      shown = frame;
      loading = null;
      if (again) {
        again = false;
        load();
      }
    });
    form.requestSubmit(kind);
  };
  for (const button of buttons) {
    button.type = "button";
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", other === button);
      kind = button;
      start();
    });
  }
  const start = () => {
    kind.type = "submit"; // requestSubmit takes only such buttons
    load();
    kind.type = "button";
  };
  return start;
}

// grow makes a text area as high as its text, where the style sheet cannot.
function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  const fit = () => {
    area.style.height = "auto";
    area.style.height = area.scrollHeight + 4 + "px";
  };
  area.addEventListener("input", fit);
  fit();
}

// startUploads uploads images that are chosen, dropped or pasted, and writes them into the text where the
// cursor is.
function startUploads(form, text, texts) {
  const state = document.getElementById("upload-state");
  const upload = async file => {
    const data = new FormData();
    data.append("file", file, file.name || "image");
    state.textContent = texts.uploading;
    try {
      const answer = await fetch(form.getAttribute("action") + "/images", { method: "POST", body: data, redirect: "manual" });
      if (answer.type === "opaqueredirect") throw new Error(texts.signedOut);
      const image = await answer.json().catch(() => { throw new Error(texts.uploadFailed); });
      if (image.problem) throw new Error(image.problem);
      state.textContent = image.warning || texts.alt;
      return image.path;
    } catch (error) {
      state.textContent = error instanceof TypeError ? texts.uploadFailed : error.message;
    }
  };
  const add = async files => {
    for (const file of files) {
      const path = await upload(file);
      if (path) insert(text, path, "");
    }
  };
  const imagesIn = list => [...(list?.files || [])].filter(file => file.type.startsWith("image/"));
  text.addEventListener("paste", event => {
    const images = imagesIn(event.clipboardData);
    if (!images.length) return;
    event.preventDefault();
    add(images);
  });
  text.addEventListener("dragover", event => {
    if (![...event.dataTransfer.items].some(item => item.kind === "file")) return;
    event.preventDefault();
    text.classList.add("dropping");
  });
  text.addEventListener("dragleave", () => text.classList.remove("dropping"));
  text.addEventListener("drop", event => {
    text.classList.remove("dropping");
    const images = imagesIn(event.dataTransfer);
    if (!images.length) return;
    event.preventDefault();
    add(images);
  });
  const chosen = document.getElementById("file"), alt = document.getElementById("file-alt");
  chosen.addEventListener("change", async () => {
    const files = [...chosen.files];
    chosen.value = "";
    for (const file of files) {
      const path = await upload(file);
      if (path) insert(text, path, alt.value);
    }
    alt.value = "";
  });
  const lead = document.getElementById("lead-file");
  lead.addEventListener("change", async () => {
    const path = lead.files.length && await upload(lead.files[0]);
    lead.value = "";
    if (!path) return;
    form.elements.image.value = path;
    form.elements.image.dispatchEvent(new Event("input", { bubbles: true }));
    form.elements.image_alt.focus();
  });
}

// insert writes an image into the text and selects its alternative text.
function insert(text, path, alt) {
  const at = text.selectionEnd, before = text.value.slice(0, at);
  const gap = before === "" || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const start = at + gap.length + 2;
  alt = alt.replace(/[[\]]/g, "");
  text.setRangeText(`${gap}![${alt}](${path})\n\n`, at, at, "end");
  text.focus();
  text.setSelectionRange(start, start + alt.length);
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

// completeLists offers completions for the last name in a list with commas: browsers complete only the
// whole value of a field.
function completeLists(field) {
  const list = document.getElementById(field.getAttribute("list"));
  const names = [...list.options].map(option => option.value);
  const own = document.createElement("datalist");
  own.id = list.id + "-list";
  list.after(own);
  field.setAttribute("list", own.id);
  const fill = () => {
    const cut = field.value.lastIndexOf(",") + 1;
    const before = cut ? field.value.slice(0, cut) + " " : "";
    const chosen = new Set(field.value.slice(0, cut).split(",").map(name => name.trim().toLowerCase()));
    own.replaceChildren(...names.filter(name => !chosen.has(name.toLowerCase())).map(name => new Option("", before + name)));
  };
  field.addEventListener("input", fill);
  field.addEventListener("focus", fill);
}
