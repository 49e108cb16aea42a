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
      dragged = null;
    });
  }
  list.addEventListener("dragover", event => {
    if (!dragged || dragged.parentElement !== list) return;
    event.preventDefault();
    const over = [...list.children].find(item => item !== dragged && event.clientY < middle(item));
    list.insertBefore(dragged, over || null);
  });
  list.addEventListener("drop", event => {
    if (!dragged || dragged.parentElement !== list) return;
    event.preventDefault();
    const form = document.getElementById(list.dataset.order);
    form.elements.order.value = [...document.querySelectorAll("[data-order] > [data-id]")].map(item => item.dataset.id).join(" ");
    form.requestSubmit();
  });
}

function middle(item) {
  const box = item.getBoundingClientRect();
  return box.top + box.height / 2;
}
