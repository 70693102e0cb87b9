// Live: a tile per camera, what happened below, and the doors to everything about cameras.

import { ApiError, get, patch } from "../core/api.js";
import { now } from "../core/clock.js";
import { toast } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { showNotices } from "./live/notices.js";
import { Painter } from "./live/painter.js";
import { LiveSocket } from "./live/socket.js";
import { Tile } from "./live/tile.js";

const NEAR = "120px"; // tiles so close to the window are watched already
const MOST_MISSED = 100;
// What is opened by a click comes with the first of them: the page itself stays small.
const FORM = () => import("./live/form.js");
const DETAIL = () => import("./live/detail.js");

export function open(main, store) {
  const page = new LivePage(main, store);
  return () => page.close();
}

class LivePage {
  #store;
  #tiles = new Map();
  #grid = h("div", { class: "wall" });
  #empty = emptyWall(() => this.#add(), () => this.#add("demo"));
  #painter = new Painter((painted) => this.#painted(painted));
  #socket = new LiveSocket((header, jpeg) => this.#picture(header, jpeg));
  #detail = null;
  #isOpening = false;
  #sight;
  #endings = [];
  #isClosed = false;

  constructor(main, store) {
    this.#store = store;
    this.#sight = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: NEAR });
    const notices = h("section", { class: "notices", "aria-label": "What happened" });
    main.append(toolbar(() => this.#add()), this.#empty, this.#grid, notices);
    this.#endings = [
      store.on("cameras", () => this.#arrange()),
      store.on("stats", (stats) => this.#figures(stats)),
      store.on("result", (result) => this.#result(result)),
      store.on("person", (person) => this.#rename(person)),
      store.on("connection", () => this.#catchUp()),
      showNotices(notices, store),
    ];
    this.#listen(document, "visibilitychange", () => this.#watch());
    this.#listen(window, "hashchange", () => this.#openNamed());
    this.#arrange();
    if (store.stats) this.#figures(store.stats);
    this.#catchUp();
    this.#openNamed();
  }

  close() {
    this.#isClosed = true;
    this.#endings.forEach((end) => end());
    this.#detail?.close();
    this.#sight.disconnect();
    this.#tiles.forEach((tile) => tile.close());
    this.#painter.close();
    this.#socket.close();
  }

  #listen(target, kind, listener) {
    target.addEventListener(kind, listener);
    this.#endings.push(() => target.removeEventListener(kind, listener));
  }

  // Makes the tiles fit the list of cameras, in the order of their ids.
  #arrange() {
    const { cameras } = this.#store;
    for (const [id, tile] of this.#tiles) if (!cameras.has(id)) this.#drop(id, tile);
    const ids = [...cameras.keys()].sort();
    ids.forEach((id, index) => this.#place(cameras.get(id), index));
    this.#empty.hidden = !this.#store.stats || ids.length > 0;
    this.#detail?.update();
    this.#watch();
    this.#openNamed();
  }

  #place(camera, index) {
    const tile = this.#tiles.get(camera.id);
    if (tile) {
      if (tile.camera !== camera) tile.update(camera);
      return;
    }
    const actions = { open: ({ id }) => this.#open(id), change: (one) => this.#change(one), pause };
    const added = new Tile(camera, this.#painter, actions);
    this.#tiles.set(camera.id, added);
    this.#grid.insertBefore(added.element, this.#grid.children[index] ?? null);
    const known = this.#store.results.get(camera.id);
    if (known) added.view.know(known);
    this.#sight.observe(added.element);
  }

  #drop(id, tile) {
    this.#sight.unobserve(tile.element);
    tile.close();
    this.#tiles.delete(id);
  }

  #seen(entries) {
    for (const entry of entries) {
      const tile = this.#tiles.get(entry.target.dataset.camera);
      if (tile) tile.view.isInSight = entry.isIntersecting;
    }
    this.#watch();
  }

  // Watches what is in sight; nothing while the tab is hidden, and behind the detail only its own camera.
  #watch() {
    const isShown = document.visibilityState === "visible";
    const wanted = isShown && this.#detail ? { [this.#detail.camera]: "frame" } : {};
    for (const [id, { view, camera }] of this.#tiles) {
      view.watch(isShown && view.isInSight && !this.#detail);
      if (view.isWatched && !camera.paused) wanted[id] = "preview";
    }
    this.#socket.watch(wanted, this.#painter.rate(Object.keys(wanted).length));
  }

  #picture(header, jpeg) {
    const view = this.#detail ? (header.camera === this.#detail.camera ? this.#detail.view : null) : this.#tiles.get(header.camera)?.view;
    view?.show(header, jpeg);
  }

  #painted(painted) {
    const at = now();
    this.#socket.painted(painted.map((entry) => ({ ...entry, at })));
  }

  #result(result) {
    this.#tiles.get(result.camera)?.view.know(result);
    this.#detail?.result(result);
  }

  #rename(person) {
    for (const tile of this.#tiles.values()) tile.view.rename(person);
    this.#detail?.rename(person);
  }

  // Fetches what came before this page listened: a camera of one frame a minute has its faces at once, too.
  async #catchUp() {
    if (!this.#store.connected || !this.#tiles.size) return;
    const limit = Math.min(MOST_MISSED, 2 * this.#tiles.size);
    const { results } = await get(`/api/results?limit=${limit}`).catch(() => ({ results: [] }));
    for (const result of results) this.#tiles.get(result.camera)?.view.know(result);
  }

  #figures(stats) {
    const isPaid = stats.provider.startsWith("aws");
    this.#empty.hidden = this.#store.cameras.size > 0;
    for (const [id, tile] of this.#tiles) tile.figures(stats.cameras[id], isPaid);
  }

  async #open(id) {
    if (this.#isOpening) return;
    this.#isOpening = true;
    const module = await loaded(DETAIL);
    this.#isOpening = false;
    if (!module || this.#isClosed || !this.#tiles.has(id)) return;
    const ids = () => [...this.#tiles.keys()].sort();
    history.replaceState(history.state, "", `#camera=${encodeURIComponent(id)}`);
    this.#detail = module.openDetail(id, {
      store: this.#store,
      painter: this.#painter,
      ids,
      change: (camera) => this.#change(camera),
      pause,
      onmove: () => this.#watch(),
      onclose: () => this.#closed(),
    });
    this.#watch();
  }

  #closed() {
    this.#detail = null;
    if (this.#isClosed) return; // the address is another page's
    history.replaceState(history.state, "", location.pathname);
    this.#watch();
  }

  // Opens the camera that the address names, once it is known.
  #openNamed() {
    const id = new URLSearchParams(location.hash.slice(1)).get("camera");
    if (id && !this.#detail && this.#tiles.has(id)) this.#open(id);
  }

  #add(url = "") {
    this.#form({ url });
  }

  #change(camera) {
    this.#form({ camera });
  }

  async #form(about) {
    const module = await loaded(FORM);
    if (module && !this.#isClosed && !document.querySelector(".camera-form")) module.openForm(about);
  }
}

// Returns what `load` imports, null when the server does not answer.
async function loaded(load) {
  return load().catch(() => {
    toast("this part of the page could not be loaded: is rekstream running? Try again.", "bad");
    return null;
  });
}

async function pause(camera) {
  try {
    await patch(`/api/cameras/${camera.id}`, { paused: !camera.paused });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.message, "bad");
  }
}

function toolbar(add) {
  return h("div", { class: "row apart toolbar" },
    h("h1", {}, "Live"),
    h("div", { class: "row" },
      h("a", { class: "button", href: "/api/cameras.yml", download: "rekstream.yml" }, "Export", h("span", { class: "wide-only" }, "as rekstream.yml")),
      h("button", { class: "button primary", type: "button", onclick: add }, "Add camera")));
}

function emptyWall(add, addDemo) {
  return h("section", { class: "card empty", hidden: true },
    h("h2", {}, "There is no camera yet"),
    h("p", { class: "muted" }, "Add one by its URL, or try the demo: a moving picture of two portraits, made on this machine."),
    h("div", { class: "row" },
      h("button", { class: "button primary", type: "button", onclick: add }, "Add camera"),
      h("button", { class: "button", type: "button", onclick: addDemo }, "Try the demo")));
}
