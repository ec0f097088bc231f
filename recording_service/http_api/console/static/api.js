// Requests to the service, and their failures in words.

/** Where the service is: paths are relative to the page, so that it works below any prefix of a proxy. */
export function address(path, query = {}) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "" && value.length !== 0) url.searchParams.set(name, String(value));
  }
  return url;
}

/** An answer that is not the one hoped for. `status` is 0 where there was none at all; `fields`: what is wrong with each. */
export class Failure extends Error {
  constructor(status, reason, words, fields = []) {
    super(words);
    this.status = status;
    this.reason = reason;
    this.fields = fields;
  }
}

/** The JSON of an answer, `undefined` where it has none; throws `Failure`. */
export async function ask(path, { query, ...options } = {}) {
  const response = await answered(address(path, query), { cache: "no-store", ...options });
  const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
  const body = isJson ? await response.json().catch(() => undefined) : undefined;
  if (!response.ok) {
    const words = body?.detail ?? `The service answered ${response.status}.`;
    throw new Failure(response.status, body?.reason ?? "", words, body?.errors);
  }
  return body;
}

/** The bytes of an answer; throws `Failure`, also where it says that there are none yet. The browser may keep them. */
export async function bytesOf(url) {
  const response = await answered(url, {});
  if (response.status !== 200) throw new Failure(response.status, "", `The service answered ${response.status}.`);
  try {
    return await response.arrayBuffer();
  } catch {
    throw new Failure(0, "", "The connection broke off.");
  }
}

async function answered(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new Failure(0, "", "The service can't be reached from here.");
  }
}

export function recordingPath(recording, suffix = "") {
  return `recordings/${recording.recording_sid}${suffix}`;
}
