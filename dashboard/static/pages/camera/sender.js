// The socket by which this browser is a camera. It comes back by itself, and never has more than two pictures on their way.

import { signIn } from "../../core/api.js";
import { exchanged, sent } from "../../core/clock.js";

const MOST_UNDERWAY = 2;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 3000;
const PING_MS = 3000;
const MOST_UNHEARD = 3; // pings in a row without any answer: a connection may die without a word
const FIRST_PINGS = 4;
const SIGNED_OUT = 4401;
const TEMPORARY = ["BrokerError", "Busy", "CameraOver"];

export class Sender {
  camera = "";
  fps = 0;
  isPaused = false;

  #name;
  #hear;
  #key = crypto.randomUUID();
  #socket = null;
  #underway = 0;
  #unheard = 0;
  #skipped = 0;
  #pause = FIRST_PAUSE_MS;
  #reason = "";
  #isOver = false;
  #timers = [];
  #onVisibility = () => this.#tellVisibility();

  // `onstate(text, isBad)` hears how it goes, `onover(text)` why it is over for good, `onsend(takenAt, jpeg)` what was sent;
  // `counts` counts.
  constructor(name, hear) {
    this.#name = name;
    this.#hear = hear;
  }

  open() {
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#timers = [setInterval(() => this.#pingOn(), PING_MS), setInterval(() => this.#settle(), 1000)];
    this.#connect();
  }

  close() {
    this.#isOver = true;
    this.#settle();
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#timers.forEach(clearInterval);
    this.#socket?.close(1000);
  }

  // Whether pictures are wanted at all: there is a connection with a clock, nobody paused it, and it can be seen.
  get isWanted() {
    return this.#isOpen && Boolean(this.camera) && !this.isPaused && !document.hidden;
  }

  get #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get isBusy() {
    return this.#underway >= MOST_UNDERWAY || this.#socket.bufferedAmount > 0;
  }

  send(takenAt, jpeg) {
    if (!this.isWanted) return;
    const stamp = new DataView(new ArrayBuffer(8));
    stamp.setFloat64(0, takenAt);
    this.#underway += 1;
    this.#hear.counts.sent(jpeg.size);
    this.#hear.onsend(takenAt, jpeg);
    this.#socket.send(new Blob([stamp.buffer, jpeg]));
  }

  skip() {
    this.#skipped += 1;
    this.#hear.counts.skipped();
  }

  #connect() {
    if (this.#isOver) return;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/browser-camera`);
    this.#socket = socket;
    this.#reason = "";
    socket.onopen = () => this.#say({ name: this.#name, key: this.#key });
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = (event) => this.#lost(event.code);
  }

  #lost(code) {
    this.camera = "";
    this.#underway = this.#skipped = 0;
    if (this.#isOver) return;
    if (code === SIGNED_OUT) signIn();
    this.#hear.onstate(`${this.#reason || "rekstream does not answer."} Trying again by itself …`, true);
    setTimeout(() => this.#connect(), this.#pause * (1 + Math.random() / 4));
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 1.6);
  }

  #take(message) {
    this.#unheard = 0;
    if (message.error) this.#refused(message.error);
    else if ("pong" in message) exchanged(message.pong, message.now);
    else if ("ack" in message) this.#acknowledged(message);
    else this.#agreed(message);
  }

  #agreed({ camera, fps, paused }) {
    const isNew = camera !== this.camera;
    Object.assign(this, { camera, fps, isPaused: paused });
    this.#pause = FIRST_PAUSE_MS;
    if (isNew) for (let ping = 0; ping < FIRST_PINGS; ping += 1) this.#ping();
    this.#tellVisibility();
  }

  #acknowledged({ offered, message }) {
    this.#underway = Math.max(0, this.#underway - 1);
    if (offered === "replaced") this.#hear.counts.skipped();
    if (offered === "refused") this.#hear.onstate(message, true);
    if (offered === "away") this.#hear.onstate("rekstream has lost its Redis: pictures are dropped until it is back.", true);
  }

  #refused({ code, message }) {
    this.#reason = `${message}.`;
    if (TEMPORARY.includes(code)) return;
    this.close();
    this.#hear.onover(message);
  }

  #tellVisibility() {
    if (!this.camera) return;
    this.#say({ hidden: document.hidden });
    if (document.hidden) this.#hear.onstate("paused: this tab is hidden, and sends nothing until it is seen again");
    else if (this.isPaused) this.#hear.onstate("paused by somebody on the page Live");
    else this.#hear.onstate(`others see this camera on the page Live as ${this.camera}, ${this.fps} pictures a second`);
  }

  #settle() {
    if (!this.#skipped || !this.camera) return;
    this.#say({ dropped: this.#skipped });
    this.#skipped = 0;
  }

  #pingOn() {
    if (this.camera && this.#unheard++ >= MOST_UNHEARD) this.#socket.close(); // and open another
    this.#ping();
  }

  #ping() {
    if (this.camera) this.#say({ ping: sent() });
  }

  #say(message) {
    if (this.#isOpen) this.#socket.send(JSON.stringify(message));
  }
}
