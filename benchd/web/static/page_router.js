// The pages beside the wall: which one it is, the address says.

import { BoardPage } from "./board.js";
import { DisposalPage } from "./disposal.js";
import { Frame } from "./frame.js";
import { FindPage } from "./handsets.js";
import { HandsetPage } from "./handset.js";
import { HandoverPage } from "./handover.js";
import { LabelPage } from "./label.js";
import { LotPage } from "./lot.js";
import { LotsPage } from "./lots.js";
import { ReportPage } from "./report.js";

const asked = new URLSearchParams(location.search);

const PAGES = {
  "/board": () => (asked.get("sheet") === "handover" ? new HandoverPage(asked) : new BoardPage(asked)),
  "/lots": () => (asked.get("lot") ? new LotPage(asked.get("lot"), asked) : new LotsPage()),
  "/disposal": () => new DisposalPage(asked),
  "/report": () => new ReportPage(asked),
  "/handsets": handsets,
};

function handsets() {
  if (asked.get("label")) return new LabelPage(asked.get("label"));
  return asked.get("job") ? new HandsetPage(asked.get("job")) : new FindPage(lookedFor());
}

/** A serial or an IMEI stands in no address for longer than it takes to read it. */
function lookedFor() {
  const q = asked.get("q") ?? history.state?.q ?? "";
  history.replaceState({ q }, "", location.pathname);
  return q;
}

new Frame(PAGES[location.pathname]()).start();
