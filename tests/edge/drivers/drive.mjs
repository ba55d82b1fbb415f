// undici with its defaults: makes the calls that stdin asks for.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// From where it is installed, which is the working directory.
const { request } = createRequire(`${process.cwd()}/`)("undici");

for await (const line of createInterface({ input: process.stdin })) {
  const [method, url, key, file] = line.split("\t");
  try {
    const answer = await request(url, {
      method,
      headers: { authorization: `Key ${key}`, "content-type": "application/json" },
      body: file ? readFileSync(file) : undefined,
    });
    const body = Buffer.from(await answer.body.arrayBuffer());
    say(answer.statusCode, answer.headers["x-falgate-cache"] ?? "", body);
  } catch (error) {
    say("error", "", Buffer.from(`${error} ${error.code}`));
  }
}

function say(status, cache, body) {
  process.stdout.write(`${status}\t${cache}\t${body.toString("base64")}\n`);
}
