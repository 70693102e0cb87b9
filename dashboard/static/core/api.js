// The HTTP API. Every error is one sentence of the server's, or one of ours when it does not answer.

export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const get = (path, options) => ask("GET", path, undefined, options);
export const post = (path, body, options) => ask("POST", path, body, options);
export const put = (path, body, options) => ask("PUT", path, body, options);
export const patch = (path, body, options) => ask("PATCH", path, body, options);
export const del = (path, options) => ask("DELETE", path, undefined, options);

// Does something and returns what came of it, {} where that is nothing; null when the server refused, whose sentence goes to `onrefused`.
export async function attempt(action, onrefused) {
  try {
    return (await action()) ?? {};
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    onrefused(error.message);
    return null;
  }
}

// A body that is a FormData or Blob goes as it is, anything else as JSON.
async function ask(method, path, body, { signal } = {}) {
  const headers = { "X-Rekstream": "1" }; // tells the server that no foreign page sent this
  const isRaw = body instanceof FormData || body instanceof Blob;
  if (body !== undefined && !isRaw) headers["Content-Type"] = "application/json";
  const options = { method, headers, signal, body: body === undefined || isRaw ? body : JSON.stringify(body) };
  return answered(await fetch(path, options).catch((error) => fail(error)));
}

function fail(error) {
  if (error.name === "AbortError") throw error;
  throw new ApiError(0, "Away", "rekstream does not answer: is it running, and is the network there?");
}

async function answered(response) {
  if (response.status === 204) return null;
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const content = isJson ? await response.json() : await response.text();
  if (response.ok) return content;
  if (response.status === 401) signIn();
  const { code = "Unknown", message = `the server answered ${response.status}` } = content.error ?? {};
  throw new ApiError(response.status, code, message);
}

let isLeaving = false;

export async function signOut() {
  isLeaving = true; // what is refused meanwhile shall not ask to come back here
  try {
    await del("/api/session");
    location.assign("/login");
  } catch (error) {
    isLeaving = false;
    throw error;
  }
}

export function signIn() {
  if (!isLeaving && location.pathname !== "/login") location.assign(`/login?next=${encodeURIComponent(location.pathname + location.hash)}`);
}
