"use strict";
// Language: as asked for in the address (#lang=vi), else the reader's own, else English.
const known = ["en", "vi", "zh"];
function show(language) {
  document.body.dataset.lang = language;
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll("[data-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.set === language));
  }
}
const asked = /lang=(\w+)/.exec(location.hash);
const own = (navigator.language || "en").slice(0, 2);
show([asked && asked[1], own, "en"].find((language) => known.includes(language)));
for (const button of document.querySelectorAll("[data-set]")) {
  button.addEventListener("click", () => show(button.dataset.set));
}
for (const box of document.querySelectorAll("[data-verdict]")) {
  box.addEventListener("change", () => {
    for (const item of document.querySelectorAll("main details." + box.dataset.verdict)) {
      item.classList.toggle("hidden", !box.checked);
    }
  });
}
