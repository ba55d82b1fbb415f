// Makes calls with fal's JavaScript client as an app would, for a test that looks at the answers.
//
// Standard input is {base, key, style, calls}: where the gateway is, and by which of the client's
// own settings it is reached. A call is {call, model, arguments}; one without arguments is about
// the request submitted before it. Standard output is a JSON list, one answer each.
// The client is the one installed in the working directory.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Counts what goes over the wire, beneath the client and whatever it does about retries.
let attempts = 0;
const platformFetch = globalThis.fetch;
globalThis.fetch = (url, init) => {
  attempts += 1;
  return platformFetch(url, init);
};

const { fal, ApiError } = createRequire(`${process.cwd()}/`)("@fal-ai/client");
const { base, key, style, calls } = JSON.parse(readFileSync(0, "utf8"));

const rewritten = (url) =>
  url
    .replace("https://queue.fal.run/", `${base}/queue/`)
    .replace("https://fal.run/", `${base}/run/`);

const STYLES = {
  middleware: { requestMiddleware: async (request) => ({ ...request, url: rewritten(request.url) }) },
  fetch: { fetch: (url, init) => fetch(rewritten(url), init) },
};

const CALLS = {
  run: ({ model, arguments: input }) => fal.run(model, { input }),
  subscribe: ({ model, arguments: input }) => fal.subscribe(model, { input, pollInterval: 100 }),
  submit: ({ model, arguments: input }) => fal.queue.submit(model, { input }),
  status: async ({ model }, requestId) => (await fal.queue.status(model, { requestId })).status,
  result: ({ model }, requestId) => fal.queue.result(model, { requestId }),
  cancel: ({ model }, requestId) => fal.queue.cancel(model, { requestId }),
};

fal.config({ credentials: key, ...STYLES[style] });

let requestId = "";
const answers = [];
for (const call of calls) {
  attempts = 0;
  try {
    const result = await CALLS[call.call](call, requestId);
    if (call.call === "submit") requestId = result.request_id;
    answers.push({ ok: true, result: result ?? null, attempts });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { name, status, body } = error;
    answers.push({ ok: false, error: name, status, body, attempts });
  }
}
console.log(JSON.stringify(answers));
