// Pictures, over one binary WebSocket that comes back by itself; docs/api.md tells its messages.

import { exchanged, sent } from "../../core/clock.js";

const RETRY_MS = [250, 500, 1000, 2000];
const PING_MS = 5000;
const FIRST_PINGS_MS = [0, 100, 250, 500, 1000]; // the clock is worth a few exchanges
const MOST_UNHEARD = 2; // pings in a row without any answer: a connection may die without a word
const GATHER_MS = 200; // what is said is gathered: a server bounds the messages of a viewer

export class LiveSocket {
  #onpicture;
  #socket = null;
  #wanted = { watch: {} };
  #painted = [];
  #tries = 0;
  #timers = new Set();
  #unheard = 0;
  #gathering = false;
  #isClosed = false;

  // `onpicture(header, jpeg)` gets each picture's header and its bytes.
  constructor(onpicture) {
    this.#onpicture = onpicture;
    this.#open();
  }

  // Replaces what is watched, {camera: "preview" | "frame"}, and how many previews a second of each camera.
  watch(watch, rate) {
    if (JSON.stringify({ watch, rate }) === JSON.stringify(this.#wanted)) return;
    this.#wanted = { watch, rate };
    this.#send(this.#wanted);
  }

  // Tells when results were painted: [{camera, id, at}].
  painted(list) {
    this.#painted.push(...list);
    if (this.#gathering) return;
    this.#gathering = true;
    setTimeout(() => this.#sayPainted(), GATHER_MS);
  }

  close() {
    this.#isClosed = true;
    this.#rest();
    this.#socket.close();
  }

  #open() {
    const url = new URL("/api/live", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = () => this.#closed();
    this.#socket = socket;
  }

  #hear(data) {
    this.#unheard = 0;
    if (typeof data === "string") heard(JSON.parse(data));
    else this.#picture(data);
  }

  #opened() {
    this.#unheard = 0;
    this.#tries = 0;
    this.#send(this.#wanted);
    for (const wait of FIRST_PINGS_MS) this.#later(wait, () => this.#ping());
    this.#later(PING_MS, () => this.#pingOn());
  }

  #closed() {
    this.#rest();
    if (this.#isClosed) return;
    const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)];
    this.#later(wait * (0.8 + 0.4 * Math.random()), () => this.#open()); // not all viewers at once
  }

  #picture(buffer) {
    const length = new DataView(buffer).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    this.#onpicture(header, new Uint8Array(buffer, 4 + length));
  }

  #sayPainted() {
    this.#gathering = false;
    this.#send({ painted: this.#painted });
    this.#painted = [];
  }

  #ping() {
    this.#send({ ping: sent() });
  }

  #pingOn() {
    if (this.#unheard++ >= MOST_UNHEARD) this.#socket.close(); // and open another
    this.#ping();
    this.#later(PING_MS, () => this.#pingOn());
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #later(wait, action) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, wait);
    this.#timers.add(timer);
  }

  #rest() {
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
  }
}

function heard(message) {
  if ("pong" in message) exchanged(message.pong, message.now);
}
