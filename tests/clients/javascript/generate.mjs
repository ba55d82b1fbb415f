// Makes pictures with Vercel's AI SDK as an app would, for a test that looks at what came.
//
// Its argument is {base, key, calls}: where the gateway is, what the SDK is given as fal's key, and the
// options of each call beside its model. The answer is a line of JSON with what each call brought:
// {pictures, asked}, the hashes of its pictures and how many pictures each request to the gateway
// asked for. The SDK is the one installed in the working directory.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const { base, key, calls } = JSON.parse(process.argv[2]);
const load = createRequire(`${process.cwd()}/`);
const { createFal } = load("@ai-sdk/fal");
const { generateImage } = load("ai");

let asked = [];
const counted = async (url, init) => {
  const { hostname, host } = new URL(url);
  if (hostname !== "127.0.0.1") throw new Error(`went to ${host}`);
  if (init.method === "POST") asked.push(JSON.parse(init.body).num_images);
  return fetch(url, init);
};
const model = createFal({ apiKey: key, baseURL: `${base}/run`, fetch: counted }).image(
  "fal-ai/gpt-image-1.5",
);

const answers = [];
for (const call of calls) {
  asked = [];
  const { images } = await generateImage({ model, ...call });
  const hashes = images.map(({ uint8Array }) =>
    createHash("sha256").update(uint8Array).digest("hex"),
  );
  answers.push({ pictures: hashes, asked });
}
console.log(JSON.stringify(answers));
