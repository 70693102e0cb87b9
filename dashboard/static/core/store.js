// What the page knows, from one EventSource for all pages: cameras, figures, newest results, notices, what happens with people.

import { get, signIn } from "./api.js";
import { heard } from "./clock.js";
import { rename } from "./people.js";

const SILENT_MS = 3000; // figures come every second
const RETRY_MS = 1000;
const REOPEN_MS = 10_000; // a connection may die without a word

class Store extends EventTarget {
  cameras = new Map();
  results = new Map();
  stats = null;
  connected = false;
  why = ""; // the sentence that says why not

  #source = null;
  #heardAt = 0;
  #openedAt = 0;

  start() {
    this.#open();
    setInterval(() => this.#watch(), 500);
  }

  on(kind, listener) {
    const handler = (event) => listener(event.detail);
    this.addEventListener(kind, handler);
    return () => this.removeEventListener(kind, handler);
  }

  #open() {
    this.#source?.close();
    this.#openedAt = Date.now();
    const source = new EventSource("/api/events");
    this.#source = source;
    source.addEventListener("camera", (event) => this.#camera(JSON.parse(event.data)));
    source.addEventListener("stats", (event) => this.#figures(JSON.parse(event.data)));
    source.addEventListener("result", (event) => this.#result(JSON.parse(event.data)));
    source.addEventListener("notice", (event) => this.#tell("notice", JSON.parse(event.data)));
    source.addEventListener("person", (event) => this.#person(JSON.parse(event.data)));
    for (const kind of ["visit", "alert"]) source.addEventListener(kind, (event) => this.#tell(kind, JSON.parse(event.data)));
    source.addEventListener("error", () => this.#lost(source));
  }

  #lost(source) {
    if (source !== this.#source) return;
    this.#away("rekstream does not answer: what stands below is old. This page comes back by itself.");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#again(source), RETRY_MS);
  }

  async #again(source) {
    if (source !== this.#source) return;
    const session = await get("/api/session").catch(() => null);
    if (session?.needed && !session.signed_in) signIn();
    else this.#open();
  }

  #watch() {
    if (this.connected && Date.now() - this.#heardAt > SILENT_MS) this.#silent();
    if (!this.connected && Date.now() - Math.max(this.#openedAt, this.#heardAt) > REOPEN_MS) this.#open();
  }

  async #silent() {
    this.#away("no news from rekstream for some seconds: what stands below is old.");
    const reason = await get("/readyz").catch((error) => error);
    if (!this.connected && reason instanceof Error) this.#away(`${reason.message} This page comes back by itself.`);
  }

  #away(why) {
    const isNews = this.connected || this.why !== why;
    this.connected = false;
    this.why = why;
    if (isNews) this.#tell("connection");
  }

  #news() {
    this.#heardAt = Date.now();
    if (this.connected) return;
    this.connected = true;
    this.why = "";
    this.#tell("connection");
  }

  #camera(camera) {
    if (camera.removed) {
      this.cameras.delete(camera.id);
      this.results.delete(camera.id);
    } else this.cameras.set(camera.id, camera);
    this.#tell("cameras", camera);
  }

  #figures(stats) {
    heard(stats.now);
    this.stats = stats;
    for (const id of this.cameras.keys()) if (!(id in stats.cameras)) this.#camera({ id, removed: true });
    this.#news();
    this.#tell("stats", stats);
  }

  #result(result) {
    const before = this.results.get(result.camera);
    if (!result.error && (!before || before.captured_at <= result.captured_at)) this.results.set(result.camera, result);
    this.#tell("result", result);
  }

  // Somebody got a name, or lost it: results that are here already have to follow.
  #person(person) {
    for (const result of this.results.values()) rename(result, person);
    this.#tell("person", person);
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

export const store = new Store();
