// One loop for all views: decodes off the main thread, draws only what changed, and says what was painted.

const TICK_MS = 100; // ages are told in tenths of a second
const VIEW_MS = 100; // a view changes its picture ten times a second at most
const PICTURES_PER_SECOND = 100; // of all views together: a wall of forty costs no more than ten cameras
const FEW_VIEWS = 8;
const BEAT_MS = 6; // a view: more of them are drawn together, because a frame of the screen costs more than what changes in it
const LONGEST_BEAT_MS = 160;
const TELL_MS = 220; // their ages are told with the beats

export class Painter {
  #views = new Set();
  #waiting = new Set();
  #frame = 0;
  #beat = 0;
  #drawnAt = 0;
  #toldAt = 0;
  #timer = 0;
  #channel = new MessageChannel();

  // `onpainted` gets the results whose boxes were drawn for the first time, once they are on the screen.
  constructor(onpainted) {
    this.#channel.port1.onmessage = ({ data }) => onpainted(data);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  add(view) {
    this.#views.add(view);
  }

  remove(view) {
    this.#views.delete(view);
    this.#waiting.delete(view);
  }

  close() {
    clearInterval(this.#timer);
    clearTimeout(this.#beat);
    cancelAnimationFrame(this.#frame);
    this.#channel.port1.close();
  }

  // Has a picture decoded, now or as soon as it is the view's turn.
  decode(view) {
    if (view.decodedAt <= this.#due()) view.decode();
    else this.#waiting.add(view);
  }

  // Has views drawn that changed: with the next frame of the screen, or with the next beat where there are many.
  draw() {
    if (this.#frame || this.#beat) return;
    const beat = this.#areMany() ? Math.min(LONGEST_BEAT_MS, BEAT_MS * this.#watched()) : 0;
    const wait = this.#drawnAt + beat - performance.now();
    if (wait > 0) this.#beat = setTimeout(() => this.#nextFrame(), wait);
    else this.#nextFrame();
  }

  #nextFrame() {
    this.#beat = 0;
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    this.#drawnAt = performance.now();
    if (this.#areMany() && this.#drawnAt - this.#toldAt > TELL_MS) this.#tell();
    const painted = [];
    for (const view of this.#views) if (view.isDirty && view.isWatched) painted.push(...view.draw());
    if (painted.length) this.#channel.port2.postMessage(painted); // arrives after this frame was painted
    this.#decodeWaiting();
  }

  // How many previews a second of each view are worth sending.
  rate(watched) {
    return Math.min(1000 / VIEW_MS, PICTURES_PER_SECOND / Math.max(1, watched));
  }

  // The moment before which a view must have been decoded last, to be decoded again now.
  #due() {
    return performance.now() - 900 / this.rate(this.#watched()); // they do not come evenly
  }

  #watched() {
    let watched = 0;
    for (const view of this.#views) watched += view.isWatched;
    return watched;
  }

  #decodeWaiting() {
    const due = this.#due();
    for (const view of this.#waiting) {
      if (view.decodedAt > due) continue;
      this.#waiting.delete(view);
      view.decode();
    }
  }

  #tick() {
    if (!this.#areMany() || performance.now() - this.#toldAt > 2 * TELL_MS) this.#tell();
    this.#decodeWaiting();
  }

  #tell() {
    this.#toldAt = performance.now();
    for (const view of this.#views) view.tick();
  }

  #areMany() {
    return this.#watched() > FEW_VIEWS;
  }
}
