// The panel of a demo by hand: takes virtual handsets out of their slots and plugs them in again.

import { byId, el } from "/static/dom.js";
import { takesScan } from "/static/gates.js";
import { filled } from "/static/words.js";

const EACH_MS = 2_000;
/** The lab's own words: the catalogue is the racks'. */
const WORDS = {
  ja: { title: "抜き差し", hint: "練習用の仮想端末です。何度でも挿し直して練習できます。IMEIは端末の画面（*#06#）の番号です。", again: "消去が済んだ端末は、出荷前に {slots} に挿してもう一度確かめます。", plug: "挿す", into: "{slot}に挿す", unplug: "抜く", away: "仮想ラックが答えません", on_screen: "練習用の端末の画面（*#06#）は {imei} です。画面上の「抜き差し」にも全部の番号が出ています。" },
  en: { title: "Plug in and out", hint: "These handsets are virtual, to practise with: plug them in as often as you like. The IMEI is what a handset's own screen shows (*#06#).", again: "What has been erased goes into {slots} to be looked at once more before it is shipped.", plug: "Plug in", into: "Into {slot}", unplug: "Take out", away: "The virtual rack doesn't answer", on_screen: "To practise: this handset's own screen (*#06#) shows {imei}. “Plug in and out” at the top of the wall lists all of them." },
};
const t = (key) => (WORDS[document.documentElement.lang] ?? WORDS.ja)[key];

const title = el("summary", {});
const hint = el("p", {});
const again = el("p", {});
const said = el("p", { role: "alert" });
const list = el("ul", { role: "list" });
const panel = el("details", { id: "plug-panel" }, title, el("div", {}, hint, again, said, list));
const lines = new Map();
/** Why the last press did nothing, until the next one. */
let refused = "";

function buttonOf(name, slot) {
  const button = el("button", { type: "button" });
  button.addEventListener("click", () => hand(name, slot, button));
  return button;
}

/** A line stays the same element: a button keeps its focus while the list is told anew. */
function lineOf(name, others) {
  if (!lines.has(name)) {
    const number = el("span", {});
    const at = el("b", {});
    const button = buttonOf(name, name);
    const elsewhere = others.map((slot) => [slot, buttonOf(name, slot)]);
    lines.set(name, { at, number, button, elsewhere });
    list.append(el("li", { "data-handset": name }, at, number, button, ...elsewhere.map(([, other]) => other)));
  }
  return lines.get(name);
}

async function hand(name, slot, button) {
  button.disabled = true;
  refused = "";
  const where = button.dataset.does === "plug" ? `?slot=${encodeURIComponent(slot)}` : "";
  try {
    const answer = await fetch(`/lab/handsets/${encodeURIComponent(name)}/${button.dataset.does}${where}`, { method: "POST" });
    if (!answer.ok) refused = (await answer.json()).error.message;
  } catch {
    refused = t("away");
  }
  button.disabled = false;
  await look();
}

async function rack() {
  const answer = await fetch("/lab/handsets");
  if (!answer.ok) throw new Error(`handsets: ${answer.status}`);
  return answer.json();
}

function label(button, does, name, words) {
  button.dataset.does = does;
  button.textContent = words;
  button.setAttribute("aria-label", `${name} ${words}`);
}

async function look() {
  title.textContent = t("title");
  hint.textContent = t("hint");
  if (!panel.open) return;
  try {
    const { handsets, others } = await rack();
    again.textContent = others.length ? filled(t("again"), { slots: others.join(", ") }) : "";
    for (const { name, slot, imei } of handsets) {
      const { at, number, button, elsewhere } = lineOf(name, others);
      at.textContent = slot && slot !== name ? `${name} → ${slot}` : name;
      number.textContent = imei;
      label(button, slot ? "unplug" : "plug", name, t(slot ? "unplug" : "plug"));
      for (const [other, into] of elsewhere) {
        label(into, "plug", name, filled(t("into"), { slot: other }));
        into.hidden = slot !== null;
        into.disabled = handsets.some((one) => one.slot === other);
      }
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
    const told = (await rack()).handsets.find((one) => one.slot === name);
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
