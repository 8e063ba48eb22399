// Speaks to the service this page came from. Knows addresses and errors. Refuses to know what is shown.

const ROOT = new URL("../", import.meta.url);

/** An error the service (or the network) has a sentence for. */
export class Problem extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

export const SIGNED_OUT =
  "This page needs the service's token. Open the link that `groundproof serve` printed when it started " +
  "(it ends in ?token=...), or ask who runs the service for it. A restarted service has printed a new one.";

/** Absolute address of a path of the API. */
export function address(path, query = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

/** The reply to a request; throws Problem when it is none. */
export async function call(url, options = {}) {
  let reply;
  try {
    reply = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The service does not answer. Is it still running?", 0);
  }
  if (reply.ok) return reply;
  if (reply.status === 401) throw new Problem(SIGNED_OUT, 401);
  throw new Problem(await sentence(reply), reply.status);
}

async function sentence(reply) {
  try {
    const problem = await reply.json();
    return typeof problem.detail === "string" ? problem.detail : `${problem.title ?? reply.statusText}`;
  } catch {
    return `The service answered ${reply.status} ${reply.statusText}, without a reason.`;
  }
}

export const get = async (path, query) => (await call(address(path, query))).json();

export const ask = async (request) =>
  (
    await call(address("ask"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(request),
    })
  ).json();

export const cancel = (job) => call(address(`jobs/${job}`), { method: "DELETE" });

/** Scenes of `{job}`, `{id}`, `{path}` or `{url}`; see GET /preview. */
export const preview = (shown) => get("preview", shown);

/** An object URL of a scene's picture (GET /preview.webp); whoever asked revokes it. */
export async function picture(query, signal) {
  const reply = await call(address("preview.webp", query), { signal });
  return URL.createObjectURL(await reply.blob());
}

/** What the service says of the model, ready or not. */
export async function engine() {
  const reply = await fetch(address("ready"), { credentials: "same-origin" });
  if (reply.status === 401) throw new Problem(SIGNED_OUT, 401);
  return reply.json();
}

const EVENTS = ["plan", "evidence", "synthesis", "answer", "coverage", "audit", "progress", "note", "done"];

/**
 * Watch a job. on: {name: (data) => void} for the events above, `error` (a problem document) and `lost`
 * (true when the connection broke and is tried again, false when it is back). The browser itself goes on
 * behind the last event it saw. Returns a function that stops.
 */
export function watch(job, on) {
  const source = new EventSource(address(`jobs/${job}/events`));
  const tell = (name, data) => on[name]?.(data);
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => {
      if (name === "done") source.close();
      tell(name, JSON.parse(event.data));
    });
  }
  source.addEventListener("open", () => tell("lost", false));
  source.addEventListener("error", (event) => {
    // The service's own event "error" has data; the browser's, of a broken connection, has none.
    if (event.data !== undefined) tell("error", JSON.parse(event.data));
    else tell("lost", true);
  });
  return () => source.close();
}
