// Where each tile stands: as its slot does in the rack, in rows with gaps. What doesn't fit is made
// denser, and on a screen that nobody touches it comes page by page; no row is ever left out.

import { arrange, byId, write } from "./dom.js";

/** Below this height of a row, in pixels, a tile says less, and least without so much beside its word. */
const ROOMY = 250;
const FOR_MORE = 72;
/** With more than so many beside each other, a state's words in full would be too small for two metres. */
const FEW = 4;
/** Narrower than this a tile isn't in its row any more: a phone shows two beside each other. */
const NARROWEST = 105;
/** Where a tile has no place in a row, it is about so wide. */
const FLOWING = 178;
const BORDER_AND_PADDING = 11;
/** Below this a tile has no button that is seen, and below the other no number beside its name. */
const NARROW = 240;
const NUMBERED = 198;
/** And here it tells no time beside its percentage. */
const SLIM = 140;
const PAGE_MS = 12_000;

export class Layout {
  constructor({ kiosk }) {
    this.kiosk = kiosk;
    this.rows = [];
    this.tiles = new Map();
    this.page = 0;
    this.pages = 1;
    this.told = "";
    this.element = byId("rack");
    // Also when what stands above the rack has come or gone.
    const watch = new ResizeObserver(() => this.lay());
    for (const above of ["floor", "queue"]) watch.observe(byId(above));
    addEventListener("resize", () => this.lay());
    if (kiosk) setInterval(() => this.turn(), PAGE_MS);
  }

  /** The rack as the daemon's configuration places it. */
  plan(rows) {
    this.rows = rows;
    this.lay();
  }

  show(tiles) {
    this.tiles = tiles;
    this.lay();
  }

  /** The rows that there are, with those slots at the end that no row names. */
  placed() {
    const named = new Set(this.rows.flat());
    const left = [...this.tiles.keys()].filter((name) => !named.has(name));
    const width = Math.max(4, ...this.rows.map((row) => row.length));
    const rows = this.rows.filter((row) => row.some((name) => this.tiles.has(name)));
    for (let at = 0; at < left.length; at += width) rows.push(left.slice(at, at + width));
    return rows;
  }

  lay(again = true) {
    const rows = this.placed();
    const columns = Math.max(1, ...rows.map((row) => row.length));
    const style = getComputedStyle(this.element);
    const gap = parseFloat(style.columnGap) || 8;
    const width = (this.element.clientWidth - gap * (columns - 1)) / columns;
    const top = this.element.getBoundingClientRect().top + scrollY;
    const room = innerHeight - top - gap;
    const lowest = lowestFor(width);
    const fitting = Math.max(1, Math.floor((room + gap) / (lowest + gap)));
    const shown = this.kiosk ? Math.min(rows.length, fitting) : rows.length;
    const height = (room - gap * (shown - 1)) / Math.max(1, shown);
    this.pages = Math.max(1, Math.ceil(rows.length / Math.max(1, shown)));
    this.page %= this.pages;
    const tall = height >= ROOMY;
    const flows = width < NARROWEST && !this.kiosk;
    const density = flows ? "flow" : height < lowest + FOR_MORE ? "dense" : !tall || columns > FEW ? "medium" : "roomy";
    const told = JSON.stringify([rows, columns, shown, density, tall, this.page, Math.round(width), lowest, [...this.tiles.keys()]]);
    if (told === this.told) return;
    this.told = told;
    const before = document.body.dataset.density;
    document.body.dataset.density = density;
    const inside = (flows ? Math.max(width, FLOWING) : width) - 2 * BORDER_AND_PADDING;
    document.body.dataset.width = inside < NARROW ? (density === "dense" && inside >= NUMBERED ? "fair" : "narrow") : "wide";
    document.body.classList.toggle("tall", tall);
    document.body.classList.toggle("slim", inside < SLIM);
    this.element.style.setProperty("--cq", `${inside / 100}px`);
    this.element.style.setProperty("--columns", columns);
    // All pages but the last are full; the last keeps the height of its rows.
    this.element.style.setProperty("--rows", shown);
    this.element.style.setProperty("--lowest", `${lowest}px`);
    const visible = rows.slice(this.page * shown, (this.page + 1) * shown);
    const elements = [];
    for (const [y, row] of visible.entries()) {
      for (const [x, name] of row.entries()) {
        const tile = this.tiles.get(name);
        if (!tile) continue;
        tile.element.style.gridArea = flows ? "" : `${y + 1} / ${x + 1}`;
        elements.push(tile.element);
      }
    }
    arrange(this.element, elements);
    write(byId("turned"), this.pages > 1 ? `${this.page + 1}/${this.pages}` : "");
    // Another density has other gaps, with which there may be room for more.
    if (again && before !== density) this.lay(false);
  }

  turn() {
    this.page = (this.page + 1) % this.pages;
    this.lay();
  }

  /** Turns to the page on which a slot stands. */
  turnTo(name) {
    const rows = this.placed();
    const at = rows.findIndex((row) => row.includes(name));
    if (at < 0 || this.pages === 1) return;
    this.page = Math.floor(at / Math.ceil(rows.length / this.pages));
    this.lay();
  }
}

/** What a tile of this width is high at least: its name and one word, as large as wall.css has them. */
function lowestFor(width) {
  const inside = width - 24;
  return Math.ceil(0.98 * Math.min(46.4, 0.28 * inside) + 1.05 * Math.min(44.8, 0.25 * inside) + 15);
}
