// Makes calls with fal's JavaScript client as an app would, for a test that looks at the answers.
//
// Its argument is {base, key}: where the gateway is, and what the client is given as its key. Each
// line of standard input is a call in JSON: {call, style, model, arguments, options}; `style` is by
// which of the client's own settings the gateway is reached. A call without arguments is about the
// request submitted before it, or about its `request_id`. Each is answered by a line.
// The client is the one installed in the working directory.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { base, key } = JSON.parse(process.argv[2]);

// Counts what goes over the wire, beneath the client and whatever it does about retries; and keeps
// calls that would leave this machine from doing so.
let attempts = 0;
const platformFetch = globalThis.fetch;
globalThis.fetch = async (url, init) => {
  attempts += 1;
  const { hostname, host } = new URL(url);
  if (hostname !== "127.0.0.1") throw Object.assign(new Error(`went to ${host}`), { name: "Astray" });
  return platformFetch(url, init);
};

const { fal } = createRequire(`${process.cwd()}/`)("@fal-ai/client");

const rewritten = (url) =>
  url
    .replace("https://queue.fal.run/", `${base}/queue/`)
    .replace(/^https:\/\/rest(\.alpha)?\.fal\.ai\//, `${base}/rest/`)
    .replace("https://fal.run/", `${base}/run/`);
const rewriting = async (request) => ({ ...request, url: rewritten(request.url) });
const proxyUrl = `${base}/api/fal/proxy`;
const proxying = async ({ url, headers, ...rest }) => ({
  ...rest,
  url: proxyUrl,
  headers: { ...headers, "x-fal-target-url": url },
});

const STYLES = {
  middleware: () => ({ requestMiddleware: rewriting }),
  fetch: () => ({ fetch: (url, init) => fetch(rewritten(url), init) }),
  "proxy-middleware": () => ({ requestMiddleware: proxying }),
  "proxy-string": () => ({ proxyUrl }),
  "proxy-object": () => ({ proxyUrl: { url: proxyUrl, when: "always" } }),
  // The app's server has the key, and its proxy may ask the gateway in place of fal.
  "server-proxy": (url) => ({
    credentials: undefined,
    requestMiddleware: rewriting,
    proxyUrl: { url, when: "always" },
  }),
};

let requestId = "";
let uncaught = null;
process.on("uncaughtException", (error) => {
  uncaught = error.message;
});

const about = (call) => ({ requestId: call.request_id ?? requestId, ...call.options });

async function submitted({ model, arguments: input, options }) {
  const result = await fal.queue.submit(model, { input, ...options });
  requestId = result.request_id;
  return result;
}

async function followed(call) {
  const { logs = false } = call.options ?? {};
  const { request_id } = await submitted({ ...call, options: {} });
  const stream = await fal.queue.streamStatus(call.model, { requestId: request_id, logs });
  const updates = [];
  stream.on("data", (status) => updates.push(status));
  return { updates, result: await stream.done() };
}

async function subscribed({ model, arguments: input, options = {} }) {
  const updates = [];
  const { abort_after_updates: patience, ...rest } = options;
  const controller = new AbortController();
  const result = await fal.subscribe(model, {
    input,
    pollInterval: 50,
    onEnqueue: (id) => {
      requestId = id;
    },
    onQueueUpdate: (status) => {
      updates.push(structuredClone(status));
      if (updates.length === patience) controller.abort();
    },
    ...(patience ? { abortSignal: controller.signal } : {}),
    ...rest,
  });
  return rest.logs ? { updates, result } : result;
}

async function abortedRun({ model, arguments: input }) {
  const controller = new AbortController();
  const running = fal.run(model, { input, abortSignal: controller.signal });
  setTimeout(() => controller.abort(), 100);
  return running;
}

const blob = (data, type) => new Blob([Buffer.from(data, "base64")], { type });

// The client uploads what it finds in the input, and puts URLs in its place.
async function edited({ model, arguments: input, blobs, content_type: type, options }) {
  const image_urls = blobs.map((data) => blob(data, type));
  return fal.run(model, { input: { ...input, image_urls }, ...options });
}

const CALLS = {
  upload: ({ data, size, content_type: type }) =>
    // Of a large file no more than its size is told.
    fal.storage.upload(size ? new Blob([Buffer.alloc(size)], { type }) : blob(data, type)),
  edit: edited,
  run: ({ model, arguments: input, options }) => fal.run(model, { input, ...options }),
  "run, aborted": abortedRun,
  subscribe: subscribed,
  submit: submitted,
  streamStatus: followed,
  status: (call) => fal.queue.status(call.model, about(call)),
  result: (call) => fal.queue.result(call.model, about(call)),
  cancel: (call) => fal.queue.cancel(call.model, about(call)),
};

function failure(error) {
  const classes = [];
  for (let kind = error; kind; kind = Object.getPrototypeOf(kind)) classes.push(kind.constructor.name);
  const { name, message, status = null, body = null } = error;
  return { ok: false, error: name, classes, message, status, body };
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  attempts = 0;
  uncaught = null;
  // What the client takes for a browser.
  if (call.browser) globalThis.window = { document: {} };
  fal.config({ credentials: key, ...STYLES[call.style](call.proxy) });
  let answer;
  try {
    const result = await CALLS[call.call](call);
    answer = { ok: true, result: result ?? null };
  } catch (error) {
    answer = failure(error);
  }
  delete globalThis.window;
  console.log(JSON.stringify({ ...answer, attempts, uncaught, request_id: requestId }));
}
