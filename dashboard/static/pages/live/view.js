// A canvas that shows one camera: the newest picture, and the boxes of results that belong to it or are carried over.

import { now } from "../../core/clock.js";
import { drawFaces, fading } from "../../core/faces.js";
import { rename } from "../../core/people.js";

const VISIBLE_STEP = 0.08;
const REMEMBERED = 6; // results whose picture may come after them
const CLOCK_STEP = 1; // seconds: a picture so far in the future tells that the server's clock was set back
const NARROW = 300; // CSS pixels: on a smaller picture, the words of several faces would lie over each other
const SHARPEST = 2; // device pixels per CSS pixel; more is not seen on moving pictures

export class View {
  isInSight = true; // of the window
  isWatched = true; // pictures come, and are drawn
  isDirty = false;
  decodedAt = -Infinity;
  landmarks = false;
  isAnonymous = false; // nobody is recognised with this camera
  picture = null; // {bitmap, kind, capturedAt, resultId, width, height}

  #painter;
  #ontick;
  #context;
  #pending = null;
  #newestAt = 0;
  #decoding = false;
  #results = new Map();
  #newest = null;
  #told = new Set();
  #alpha = 0;
  #box = { width: 0, height: 0 };
  #isClosed = false;
  #resizing;

  constructor(canvas, painter, ontick) {
    this.canvas = canvas;
    this.#painter = painter;
    this.#ontick = ontick;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#resizing = new ResizeObserver(([entry]) => this.#resized(entry.contentRect));
    this.#resizing.observe(canvas);
    painter.add(this);
  }

  close() {
    this.#isClosed = true;
    this.#painter.remove(this);
    this.#resizing.disconnect();
    this.picture?.bitmap.close();
    this.picture = null;
  }

  // Takes a picture; one that is not decoded yet is replaced by a newer one.
  show(header, jpeg) {
    if (header.captured_at <= this.#newestAt && this.#newestAt < now() + CLOCK_STEP) return;
    this.#newestAt = header.captured_at;
    this.#pending = { header, jpeg };
    if (!this.#decoding) this.#painter.decode(this);
  }

  know(result) {
    if (result.error) return;
    this.#results.set(result.id, result);
    if (this.#results.size > REMEMBERED) this.#results.delete(this.#results.keys().next().value);
    if (!this.#newest || result.captured_at >= this.#newest.captured_at) this.#newest = result;
    this.redraw();
  }

  // Lets a track be somebody else, or nobody.
  rename(person) {
    for (const result of this.#results.values()) rename(result, person);
    this.redraw();
  }

  // Begins or ceases to draw.
  watch(isWatched) {
    const begins = isWatched && !this.isWatched;
    this.isWatched = isWatched;
    if (begins) this.redraw();
  }

  redraw() {
    this.isDirty = this.picture !== null;
    if (this.isDirty && this.isWatched) this.#painter.draw();
  }

  // Seconds since the picture that is shown was taken; null before the first.
  get age() {
    return this.picture ? now() - this.picture.capturedAt : null;
  }

  // The result whose boxes belong on the picture that is shown.
  get result() {
    return this.picture?.kind === "frame" ? this.#results.get(this.picture.resultId) : this.#newest;
  }

  tick() {
    if (!this.isInSight) return;
    this.#ontick();
    if (this.isWatched && this.picture && Math.abs(this.#opacity() - this.#alpha) > VISIBLE_STEP) this.redraw();
  }

  async decode() {
    const { header, jpeg } = this.#pending ?? {};
    if (!header || this.#decoding) return;
    this.#pending = null;
    this.#decoding = true;
    this.decodedAt = performance.now();
    const bitmap = await decoded(jpeg).catch(() => null); // null: a picture that this browser cannot read
    this.#decoding = false;
    if (this.#isClosed) return bitmap?.close();
    if (bitmap) this.#put(bitmap, header);
    if (this.#pending) this.#painter.decode(this);
    return undefined;
  }

  // Draws, and returns the results whose boxes were drawn for the first time: [{camera, id}].
  draw() {
    this.isDirty = false;
    const { bitmap } = this.picture;
    const scale = Math.min(this.#box.width / bitmap.width, this.#box.height / bitmap.height);
    if (!scale) return [];
    const [width, height] = [bitmap.width * scale, bitmap.height * scale];
    this.#fit(width, height);
    this.#context.drawImage(bitmap, 0, 0, width, height);
    return this.#drawBoxes(width, height);
  }

  #drawBoxes(width, height) {
    this.#alpha = this.#opacity();
    const result = this.result;
    if (!result || !this.#alpha) return [];
    const words = width >= NARROW || result.FaceDetails?.length === 1;
    drawFaces(this.#context, result, width, height, { alpha: this.#alpha, landmarks: this.landmarks, words, anonymous: this.isAnonymous });
    if (this.#told.has(result.id)) return [];
    this.#told = new Set([...this.#told, result.id].slice(-REMEMBERED));
    return [{ camera: result.camera, id: result.id }];
  }

  #opacity() {
    if (!this.picture || !this.result) return 0;
    if (this.picture.kind === "frame") return 1; // its own boxes; how old both are, the badge says
    return fading(now() - this.result.captured_at);
  }

  #put(bitmap, header) {
    this.picture?.bitmap.close();
    this.picture = { bitmap, kind: header.kind, capturedAt: header.captured_at, resultId: header.result_id, width: header.width, height: header.height };
    this.redraw();
  }

  #fit(width, height) {
    const sharpness = Math.min(SHARPEST, devicePixelRatio);
    const pixels = [Math.round(width * sharpness), Math.round(height * sharpness)];
    if (this.canvas.width !== pixels[0]) this.canvas.width = pixels[0];
    if (this.canvas.height !== pixels[1]) this.canvas.height = pixels[1];
    this.#context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
  }

  #resized({ width, height }) {
    this.#box = { width, height };
    this.redraw();
  }
}

// A Blob is made of what is decoded only: each costs a message to the browser's process.
const decoded = (jpeg) => createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
