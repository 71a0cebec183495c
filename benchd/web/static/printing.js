// The label of a handset at the printer of labels: once more, by P or by the card PRINT. The daemon
// makes it of the record; nothing is printed of what only stands on this screen.

import { act, jobUrl, read } from "./api.js";
import { said, word } from "./words.js";

/** Sends a job's label to its printer; gives what to say of it. */
export async function printLabel(job, printer = null) {
  const query = printer ? `?${new URLSearchParams({ printer })}` : "";
  const { error } = await act(`${jobUrl(job)}/label${query}`, {});
  if (!error) return word("answering", "label_sent");
  return said(error.cause) || word("refusal", error.code);
}

/** The job whose label came out last at any printer, or null. */
export async function newestPrinted() {
  const { told } = await read("/api/v1/printers");
  return told?.printers.find((printer) => printer.newest)?.newest ?? null;
}

/** The printers that there are; none where they can't be asked for. */
export async function printersHere() {
  const { told } = await read("/api/v1/printers");
  return told?.printers.map(({ name }) => name) ?? [];
}
