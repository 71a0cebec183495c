// The small menu of a screen: its colours on every page, and on the wall its sounds and the big view.

import { byId, el } from "./dom.js";
import { isOn, SOUNDS, switchSound } from "./sounds.js";
import { word } from "./words.js";

const THEMES = ["auto", "light", "dark"];

document.addEventListener("keydown", (event) => {
  // A demo has one more beside it.
  const open = document.querySelector("#head details[open]");
  // What lies over it comes first.
  if (event.key !== "Escape" || event.isComposing || !open || document.querySelector("dialog[open]")) return;
  open.open = false;
  open.querySelector("summary").focus();
});

/** Says it in the language of now; what is open stays open. */
export function showMenu({ wall = false } = {}) {
  const menu = byId("menu");
  const open = menu.querySelector("details")?.open ?? false;
  const parts = [group("theme", THEMES.map(theme))];
  if (wall) {
    parts.push(group("sounds", SOUNDS.map(sound)));
    parts.push(el("a", { href: "/?kiosk" }, word("wall", "kiosk")));
  }
  menu.replaceChildren(el("details", { open }, el("summary", {}, word("wall", "display")), el("div", { class: "choices-of" }, ...parts)));
}

const group = (name, choices) => el("fieldset", {}, el("legend", {}, word("wall", name)), ...choices);

function theme(name) {
  const worn = document.documentElement.dataset.theme ?? "auto";
  const choose = () => dispatchEvent(new CustomEvent("benchd-theme", { detail: name }));
  return el("label", {}, el("input", { type: "radio", name: "theme", value: name, checked: worn === name, onchange: choose }), word("wall", name));
}

function sound(name) {
  const change = (event) => switchSound(name, event.target.checked);
  return el("label", {}, el("input", { type: "checkbox", name, checked: isOn(name), onchange: change }), word("wall", name));
}
