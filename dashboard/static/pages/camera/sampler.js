// Takes pictures out of the video, as many a second as are wanted, each with the moment at which it was taken.

import { now } from "../../core/clock.js";

const LONGEST_SIDE = 1280;
const SHORTEST_SIDE = 80;
const QUALITY = 0.8;
const BELIEVED_SECONDS = 2; // a capture time further back is of another clock

export class Sampler {
  #video;
  #sender;
  #canvas = document.createElement("canvas");
  #due = 0;
  #isEncoding = false;
  #isOn = false;

  constructor(video, sender) {
    this.#video = video;
    this.#sender = sender;
  }

  start() {
    this.#isOn = true;
    this.#next();
  }

  stop() {
    this.#isOn = false;
  }

  #next() {
    if (!this.#isOn) return;
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback((at, about) => this.#frame(about.captureTime));
    else requestAnimationFrame(() => this.#frame());
  }

  #frame(captureTime) {
    if (this.#isOn && this.#sender.isWanted && this.#isDue()) this.#sample(takenAt(captureTime));
    this.#next();
  }

  #isDue() {
    const moment = performance.now();
    const pause = 1000 / this.#sender.fps;
    if (moment < this.#due - 4) return false; // frames come when they come: a little early is on time
    this.#due = Math.max(this.#due + pause, moment - pause);
    return true;
  }

  #sample(at) {
    if (this.#isEncoding || this.#sender.isBusy) {
      this.#sender.skip();
      return;
    }
    if (!this.#draw()) return;
    this.#isEncoding = true;
    this.#canvas.toBlob((jpeg) => {
      this.#isEncoding = false;
      if (jpeg) this.#sender.send(at, jpeg);
      else this.#sender.skip();
    }, "image/jpeg", QUALITY);
  }

  #draw() {
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (Math.min(width, height) < SHORTEST_SIDE) return false;
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#canvas.getContext("2d", { alpha: false }).drawImage(this.#video, 0, 0, width, height);
    return true;
  }
}

// The lens' own time where the browser tells it, else this moment; on the server's clock.
function takenAt(captureTime) {
  const ago = captureTime === undefined ? 0 : (performance.now() - captureTime) / 1000;
  return now() - (ago > 0 && ago < BELIEVED_SECONDS ? ago : 0);
}
