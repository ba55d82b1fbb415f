// What pages do by script: parts that stay up to date, buttons that copy, forms that are sent once.
// Without it every page works, but for what is live.
"use strict";

const EVERY_MS = 4000;
const OFTEN_MS = 1200;

// Parts with `data-live` are asked for again and again while somebody may see them, those with
// `data-live="often"` more often.
function refresh(parts) {
  if (document.visibilityState !== "visible") return;
  for (const part of document.querySelectorAll(parts)) {
    // Not while somebody is in it by keyboard, or has opened something: both would be lost.
    if (part.contains(document.activeElement) || part.querySelector("details[open]")) continue;
    htmx.trigger(part, "refresh");
  }
}
setInterval(() => refresh('[data-live=""]'), EVERY_MS);
setInterval(() => refresh('[data-live="often"]'), OFTEN_MS);
document.addEventListener("visibilitychange", () => refresh("[data-live]"));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Without https there is no clipboard: select the text, to be copied by hand.
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    button.textContent = "Press Ctrl+C";
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});

// A page that the browser's way back shows again may send its forms again, and asks the server.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// On a narrow screen the menu is closed until somebody opens it.
const menu = document.querySelector(".menu");
const narrow = matchMedia("(max-width: 56rem)");
function fold() {
  if (menu) menu.open = !narrow.matches;
}
narrow.addEventListener("change", fold);
fold();
