// Requests to the service.

import { has, say } from "./words.js";

const SECONDS = 90;
const KEY = "animeid.key";
let key = readKey();

function readKey() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

/** The key that is sent with every request, kept until the tab is closed. */
export function useKey(given) {
  key = given;
  try {
    sessionStorage.setItem(KEY, given);
  } catch {
    // It then holds until the page is left.
  }
}

/** What a request was refused with; the status is 0 where nothing answered. */
export class Refusal extends Error {
  constructor(status, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get passes() {
    return this.status === 503 || this.status === 429;
  }

  /** One sentence: what happened, and what to do. */
  get sentence() {
    const known = `refused_${this.status}`;
    return has(known) ? say(known) : say("refused_other", { status: this.status });
  }
}

/** Sends a request; throws a Refusal unless it succeeds. Paths are relative, so that a proxy may add a folder. */
export async function ask(path, options = {}) {
  const headers = { ...(options.headers ?? {}), ...(key ? { "X-API-Key": key } : {}) };
  let answer;
  try {
    const signal = AbortSignal.timeout(SECONDS * 1000);
    answer = await fetch(new URL(path.replace(/^\//, ""), document.baseURI), { ...options, headers, signal });
  } catch (error) {
    throw new Refusal(error.name === "TimeoutError" ? 504 : 0, "");
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function refusal(answer) {
  const wait = Number(answer.headers.get("Retry-After"));
  let detail = "";
  try {
    detail = (await answer.json()).detail ?? "";
  } catch {
    // What stands between may answer in another form.
  }
  return new Refusal(answer.status, String(detail), Number.isFinite(wait) && wait > 0 ? wait : null);
}

export const asJson = async (path) => (await ask(path)).json();

export const asText = async (path) => (await ask(path)).text();

const pictures = new Map();

/** The address in this tab of a picture of the service, which may need a key. */
export function pictureOf(path) {
  if (!pictures.has(path)) {
    const address = ask(path).then(async (answer) => URL.createObjectURL(await answer.blob()));
    address.catch(() => pictures.delete(path));
    pictures.set(path, address);
  }
  return pictures.get(path);
}
