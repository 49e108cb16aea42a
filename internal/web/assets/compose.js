// Order of the articles of a draft by drag. Without this script, buttons move them up and down.
//
// data-order="FORM" on a list: its items have data-id. Dropping one elsewhere in its list sends the form
// with the ids of the items of all lists in the field "order".
"use strict";

let dragged = null;

for (const list of document.querySelectorAll("[data-order]")) {
  for (const item of list.children) {
    item.draggable = true;
    item.addEventListener("dragstart", event => {
      dragged = item;
      item.classList.add("dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", item.dataset.id);
    });
    item.addEventListener("dragend", () => {
      item.classList.remove("dragged");
      mark(list, null);
      dragged = null;
    });
  }
  // The item is moved when it is dropped: a browser may end a drag whose element leaves its place.
  list.addEventListener("dragover", event => {
    if (!dragged || dragged.parentElement !== list) return;
    event.preventDefault();
    mark(list, next(list, event.clientY));
  });
  list.addEventListener("drop", event => {
    if (!dragged || dragged.parentElement !== list) return;
    event.preventDefault();
    list.insertBefore(dragged, next(list, event.clientY) || null);
    const form = document.getElementById(list.dataset.order);
    form.elements.order.value = [...document.querySelectorAll("[data-order] > [data-id]")].map(item => item.dataset.id).join(" ");
    form.requestSubmit();
  });
}

// next returns the item before which one that is dropped at a height is inserted; undefined at the end.
function next(list, y) {
  return [...list.children].find(item => item !== dragged && y < middle(item));
}

// mark shows a line before an item, or after the last one if it is undefined, and none if it is null.
function mark(list, item) {
  for (const each of list.children) each.classList.remove("drop-before", "drop-after");
  if (item) item.classList.add("drop-before");
  else if (item === undefined) list.lastElementChild.classList.add("drop-after");
}

function middle(item) {
  const box = item.getBoundingClientRect();
  return box.top + box.height / 2;
}
