// Shapes that differ by outline, not only by colour: drawn from here, so that no picture is loaded.

const SVG = "http://www.w3.org/2000/svg";

const line = (d) => ["path", { d, fill: "none", stroke: "currentColor", "stroke-width": 2.6, "stroke-linecap": "round", "stroke-linejoin": "round" }];
const solid = (d) => ["path", { d, fill: "currentColor" }];
const hole = (d) => ["path", { d, fill: "none", stroke: "var(--ground)", "stroke-width": 2.8, "stroke-linecap": "round", "stroke-linejoin": "round" }];
const dot = (cx, cy, r, fill = "currentColor") => ["circle", { cx, cy, r, fill }];

const DISC = "M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22z";
const OCTAGON = "M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.500v-9z";

const SHAPES = {
  empty: [["circle", { cx: 12, cy: 12, r: 9.5, fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-dasharray": "3.4 3.2" }]],
  settling: [dot(5, 12, 2.4), dot(12, 12, 2.4), dot(19, 12, 2.4)],
  waiting: [solid("M12 1.200L23.6 22H.4z"), hole("M12 9v5.8"), dot(12, 18.6, 1.7, "var(--ground)")],
  running: [line("M20.5 12a8.5 8.5 0 1 1-2.6-6.1"), line("M21 2v5h-5")],
  awaiting_operator: [solid("M3 2h18a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-8l-6 5v-5H3a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2z"), hole("M9.4 7.500a2.6 2.6 0 1 1 3.6 2.400c-.7.3-1 .8-1 1.6"), dot(12, 15, 1.6, "var(--ground)")],
  replugging: [line("M4 9h13l-4-4M20 15H7l4 4")],
  quarantined: [solid(DISC), hole("M6 12h12")],
  sellable: [solid(DISC), hole("M6.8 12.500l3.6 3.6 7-8")],
  hold: [["rect", { x: 2, y: 2, width: 20, height: 20, rx: 3, fill: "currentColor" }], hole("M9 8v8M15 8v8")],
  return: [solid("M11 2L1 12l10 10v-6h12V8H11z")],
  destroy: [solid(OCTAGON), hole("M8 8l8 8M16 8l-8 8")],
  replug: [solid("M12 1.200L23.6 22H.4z"), hole("M8.500 15.500h5l-2.200-2.200M15.500 18.500h-5l2.200 2.200"), hole("M12 8v2")],
  mending: [["circle", { cx: 12, cy: 12, r: 9.5, fill: "none", stroke: "currentColor", "stroke-width": 2.6 }], line("M12 6v6l4 3")],
  tray: [solid("M2 13h5l2 3h6l2-3h5v9H2z"), line("M12 10V2M8 6l4-4 4 4")],
  unproven: [line("M6 2h12M6 22h12M7 2c0 6 10 8 10 14v6M17 2c0 6-10 8-10 14v6")],
  finished: [["circle", { cx: 12, cy: 12, r: 9.5, fill: "none", stroke: "currentColor", "stroke-width": 2.6 }]],
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  for (const [tag, attributes] of SHAPES[name] ?? SHAPES.finished) {
    const shape = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return svg;
}
