// Lots: all of them, a new one, and a list of network restrictions.

import { act, read } from "./api.js";
import { importer } from "./csv_import.js";
import { el } from "./dom.js";
import { choices, Done, folded, form, leading, line } from "./forms.js";
import { link, lotPage, moment, table } from "./tables.js";
import { word } from "./words.js";

const KINDS = [
  "purchase",
  "trade_in",
  "collection",
  "corporate_return",
  "lease_return",
  "repair_exchange",
  "cancellation",
  "dealer",
  "broker",
  "auction",
];
export const ATTESTED = ["consent", "jpki", "identity", "owner_reset", "erasure"];

const t = (value) => word("lots", value);
const named = (section, values) => values.map((value) => [value, word(section, value)]);

export class LotsPage {
  name = "lots";
  done = new Done();

  load() {
    return read("/api/v1/lots");
  }

  elements({ lots }, frame) {
    return [
      el("h2", {}, t("title")),
      this.done.show(),
      folded("add-lot", t("add"), false, this.adding()),
      folded("network", t("network"), false, this.network(frame)),
      leading("open-lot", t("open"), word("act", "show"), lotPage),
      lots.length ? overview(lots) : el("p", { class: "nothing" }, t("none")),
    ];
  }

  adding() {
    const lot = line("lot", t("lot"), { hint: t("lot_hint"), longest: 64, needed: true });
    const kind = choices("kind", t("kind"), named("lot_kind", KINDS), { one: true, needed: true });
    const consignor = line("consignor", t("consignor"), { hint: t("consignor_hint"), needed: true });
    const paper = line("paper", t("paper"));
    const identity = line("identity", t("identity"), { hint: t("identity_hint") });
    const attests = choices("attests", t("attests"), named("attestation", ATTESTED), { hint: t("attests_hint") });
    return form("add-lot", {
      fields: [lot, kind, consignor, paper, identity, attests],
      button: t("add"),
      byEnter: true,
      send: () =>
        act("/api/v1/lots", {
          lot: lot.value,
          kind: kind.value,
          consignor: consignor.value,
          paper: paper.value,
          identity_check: identity.value,
          attests: attests.values,
        }),
      done: (told) => location.assign(lotPage(told.lot)),
    });
  }

  network(frame) {
    const source = line("source", t("source"), { hint: t("source_hint"), needed: true });
    return importer("network", {
      path: "/api/v1/network.csv",
      hint: t("network_hint"),
      sample: "/static/network.csv",
      fields: [source],
      query: () => ({ source: source.value }),
      done: ({ rows }) => {
        this.done.say(() => `${t("taken")}: ${rows}`);
        return frame.again();
      },
    });
  }
}

function overview(lots) {
  const headings = [t("lot"), t("kind"), t("consignor"), t("paper"), t("taken_in"), word("word", "count")];
  const rows = lots.map((lot) => [
    link(lotPage(lot.lot), lot.lot),
    word("lot_kind", lot.kind),
    lot.consignor,
    lot.paper,
    moment(lot.taken_in_at),
    el("span", { class: "number" }, String(lot.assets)),
  ]);
  return table(t("newest_first"), headings, rows);
}
