// Serves fal's proxy for an app's server, by Express and by Hono, before a gateway.
//
// Its argument is the gateway's host:port. The app's key is in FAL_KEY, which the proxy reads. The
// first line of standard output is {express, hono}: the URLs of both. It ends with standard input.
// The packages are those installed in the working directory.

import { createRequire } from "node:module";

const need = createRequire(`${process.cwd()}/`);
const express = need("express");
const { Hono } = need("hono");
const { serve } = need("@hono/node-server");
const byExpress = need("@fal-ai/server-proxy/express");
const byHono = need("@fal-ai/server-proxy/hono");

const config = { allowedUrlPatterns: [`${process.argv[2]}/**`], allowedEndpoints: ["**"] };
const route = byExpress.route;

const first = express();
first.use(express.json());
first.all(route, byExpress.createHandler(config));

const second = new Hono();
second.all(route, byHono.createRouteHandler(config));

const listening = (server) => new Promise((done) => server.once("listening", () => done(server)));
const where = (server) => `http://127.0.0.1:${server.address().port}${route}`;
const servers = await Promise.all([
  listening(first.listen(0, "127.0.0.1")),
  listening(serve({ fetch: second.fetch, port: 0, hostname: "127.0.0.1" })),
]);
console.log(JSON.stringify({ express: where(servers[0]), hono: where(servers[1]) }));

process.stdin.on("end", () => process.exit(0)).resume();
