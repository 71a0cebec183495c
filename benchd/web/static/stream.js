// The rack as the daemon tells it. What is shown counts only while the stream is alive.

const SILENT_AFTER_MS = 10_000;
const RETRY_MS = 1_000;

export class RackStream {
  constructor({ onSlot, onPorts, onNotices, onQueue, onComplete, onAway }) {
    Object.assign(this, { onSlot, onPorts, onNotices, onQueue, onComplete, onAway });
    this.open();
  }

  open() {
    const source = new EventSource("/api/v1/events");
    // Told only where there are any.
    this.onNotices([]);
    this.source = source;
    this.listen("slot", (slot) => this.onSlot(slot));
    this.listen("unknown_ports", (ports) => this.onPorts(ports));
    this.listen("notices", (notices) => this.onNotices(notices));
    this.listen("queue", (queue) => this.onQueue(queue));
    // Says that everything has been told: only now is the page up to date.
    this.listen("alive", ({ slots }) => this.onComplete(slots));
    source.onerror = () => this.lost(source);
    this.wait(source);
  }

  listen(name, handle) {
    const source = this.source;
    source.addEventListener(name, (event) => {
      if (source !== this.source) return;
      this.wait(source);
      handle(JSON.parse(event.data));
    });
  }

  /** A daemon that hangs keeps its connections open: silence is as bad as a refusal. */
  wait(source) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lost(source), SILENT_AFTER_MS);
  }

  lost(source) {
    if (source !== this.source) return;
    clearTimeout(this.silence);
    source.close();
    this.source = null;
    this.onAway();
    this.retry = setTimeout(() => this.open(), RETRY_MS);
  }

  /** Have all of it told anew. */
  again() {
    clearTimeout(this.silence);
    clearTimeout(this.retry);
    this.source?.close();
    this.open();
  }
}
