// The panel of a demo by hand: takes virtual handsets out of their slots and plugs them in again.

import { byId, el } from "/static/dom.js";
import { takesScan } from "/static/gates.js";
import { filled } from "/static/words.js";

const EACH_MS = 2_000;
/** The lab's own words: the catalogue is the racks'. */
const WORDS = {
  ja: { title: "抜き差し", hint: "練習用の仮想端末です。何度でも挿し直して練習できます。IMEIは端末の画面（*#06#）の番号です。", plug: "挿す", unplug: "抜く", away: "仮想ラックが答えません", on_screen: "練習用の端末の画面（*#06#）は {imei} です。画面上の「抜き差し」にも全部の番号が出ています。" },
  en: { title: "Plug in and out", hint: "These handsets are virtual, to practise with: plug them in as often as you like. The IMEI is what a handset's own screen shows (*#06#).", plug: "Plug in", unplug: "Take out", away: "The virtual rack doesn't answer", on_screen: "To practise: this handset's own screen (*#06#) shows {imei}. “Plug in and out” at the top of the wall lists all of them." },
};
const t = (key) => (WORDS[document.documentElement.lang] ?? WORDS.ja)[key];

const title = el("summary", {});
const hint = el("p", {});
const said = el("p", { role: "alert" });
const list = el("ul", { role: "list" });
const panel = el("details", { id: "plug-panel" }, title, el("div", {}, hint, said, list));
const lines = new Map();
/** Why the last press did nothing, until the next one. */
let refused = "";

/** A line stays the same element: a button keeps its focus while the list is told anew. */
function lineOf(name) {
  if (!lines.has(name)) {
    const number = el("span", {});
    const button = el("button", { type: "button" });
    button.addEventListener("click", () => hand(name, button));
    lines.set(name, { number, button });
    list.append(el("li", { "data-handset": name }, el("b", {}, name), number, button));
  }
  return lines.get(name);
}

async function hand(name, button) {
  button.disabled = true;
  refused = "";
  try {
    const answer = await fetch(`/lab/handsets/${encodeURIComponent(name)}/${button.dataset.does}`, { method: "POST" });
    if (!answer.ok) refused = (await answer.json()).error.message;
  } catch {
    refused = t("away");
  }
  button.disabled = false;
  await look();
}

async function handsets() {
  const answer = await fetch("/lab/handsets");
  if (!answer.ok) throw new Error(`handsets: ${answer.status}`);
  return (await answer.json()).handsets;
}

async function look() {
  title.textContent = t("title");
  hint.textContent = t("hint");
  if (!panel.open) return;
  try {
    for (const { name, plugged, imei } of await handsets()) {
      const { number, button } = lineOf(name);
      number.textContent = imei;
      button.dataset.does = plugged ? "unplug" : "plug";
      button.textContent = t(button.dataset.does);
      button.setAttribute("aria-label", `${name} ${button.textContent}`);
    }
    said.textContent = refused;
  } catch {
    said.textContent = t("away");
  }
}

/** Whoever is asked for a number is told where the handset's screen is here. */
async function pointOut() {
  const form = byId("panel").querySelector(".answering[data-gate]");
  if (!form || !takesScan(form.dataset.gate) || form.querySelector(".on-its-screen")) return;
  const line = el("p", { class: "on-its-screen" });
  form.querySelector(".fields").before(line);
  const name = byId("panel").querySelector("h2 .slot").textContent;
  try {
    const told = (await handsets()).find((one) => one.name === name);
    if (told) line.textContent = filled(t("on_screen"), told);
  } catch {
    // Nobody is asked for a number of a rack that is away.
  }
}

new MutationObserver(pointOut).observe(byId("panel"), { childList: true, subtree: true });
document.head.append(el("link", { rel: "stylesheet", href: "/lab/plug_panel.css" }));
// In the head, where it lies over no tile until somebody opens it.
byId("menu").before(panel);
panel.addEventListener("toggle", look);
setInterval(look, EACH_MS);
look();
