// fal's proxy for an app's server, by Express: `node proxy.mjs FOLDER PORT UPSTREAM`.
//
// FOLDER has the packages, UPSTREAM is the host:port that may be called. The key is in FAL_KEY.

import { createRequire } from "node:module";

const [folder, port, upstream] = process.argv.slice(2);
const need = createRequire(`${folder}/`);
const express = need("express");
const { createHandler, route } = need("@fal-ai/server-proxy/express");

const app = express();
app.use(express.json());
app.all(route, createHandler({ allowedUrlPatterns: [`${upstream}/**`], allowedEndpoints: ["**"] }));
app.listen(Number(port), "127.0.0.1", 2048);
