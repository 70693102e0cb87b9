// This device's camera, and why it cannot be had, in one sentence.

const SIZE = { width: 1280, height: 720 };
const REASONS = {
  NotAllowedError: "The browser was not allowed to use the camera: allow it beside the address, then try again.",
  NotFoundError: "This device has no camera: connect one, then try again.",
  OverconstrainedError: "That camera is not there any more: choose another.",
  NotReadableError: "The camera is in use by another program: close that, then try again.",
  AbortError: "The camera could not be started: is it in use by another program?",
};

export function whyUnavailable() {
  if (navigator.mediaDevices?.getUserMedia) return "";
  if (isSecureContext) return "This browser hands out no cameras: use a newer one.";
  const here = `http://localhost${location.port ? `:${location.port}` : ""}${location.pathname}`;
  return `Browsers hand out cameras only to pages that come by https, or from the machine itself, and this one came by http from ${location.host}: open ${here} on that machine, or put https in front of it.`;
}

export class Webcam {
  onended = () => {};

  // Opens the device of this id, or one that faces "user" or "environment", or whichever the browser likes; `size` is what is wished for.
  static async open({ deviceId, facing, size = SIZE }) {
    const video = { width: { ideal: size.width }, height: { ideal: size.height }, frameRate: { ideal: 30 } };
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: facing ?? "user" };
    try {
      return new Webcam(await navigator.mediaDevices.getUserMedia({ video: { ...video, ...which }, audio: false }));
    } catch (error) {
      throw new Error(REASONS[error.name] ?? `The camera cannot be used (${error.name}): try another browser.`);
    }
  }

  constructor(stream) {
    this.stream = stream;
    this.track = stream.getVideoTracks()[0];
    this.track.addEventListener("ended", () => this.onended());
  }

  get deviceId() {
    return this.track.getSettings().deviceId ?? "";
  }

  // People expect a mirror of a camera that looks at them; where it looks is known of phones only.
  get isMirror() {
    return this.track.getSettings().facingMode !== "environment";
  }

  get otherSide() {
    const { facingMode } = this.track.getSettings();
    return { user: "environment", environment: "user" }[facingMode] ?? "";
  }

  async all() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === "videoinput").map((device, index) => ({ id: device.deviceId, name: device.label || `camera ${index + 1}` }));
  }

  close() {
    this.onended = () => {};
    this.stream.getTracks().forEach((track) => track.stop());
  }
}
