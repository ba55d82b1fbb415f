// A real OpenID provider for the tests: node serve.mjs TOOLS SETTINGS, with settings as JSON:
// { client, secret, accounts: { name: { groups, ... } } }. It prints its issuer once it serves, and
// ends with its standard input.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import path from "node:path";

const [tools, settings] = process.argv.slice(2);
const { client, secret, accounts } = JSON.parse(settings);
const require = createRequire(path.join(tools, "package.json"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const server = createServer();
await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
// Another site than 127.0.0.1, as a provider is in life: cookies of the one are not the other's.
const issuer = `http://localhost:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: client,
    client_secret: secret,
    redirect_uris: ["http://127.0.0.1/console/sign-in/oidc/callback"],
  }],
  claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
  scopes: ["openid", "profile", "groups"],
  features: { devInteractions: { enabled: false } },
  cookies: { keys: ["only for tests"] },
  findAccount: (_, id) => id in accounts
    ? { accountId: id, claims: () => ({ sub: id, preferred_username: id, ...accounts[id] }) }
    : undefined,
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  // Everybody has agreed to everything.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile groups");
    await grant.save();
    return grant;
  },
});
// The port of the gateway is not known before it serves.
provider.Client.prototype.redirectUriAllowed = (uri) =>
  /^(http:\/\/127\.0\.0\.1|https:\/\/localhost):\d+\/console\/sign-in\/oidc\/callback$/.test(uri);

const page = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Provider</title>
<link rel="icon" href="data:,"></head><body><main><h1>The provider</h1><form method="post">
<label>Name <input name="login"></label> <button name="what" value="in">Continue</button>
<button name="what" value="no">Cancel</button></form></main></body></html>`;

async function interact(request, response) {
  await provider.interactionDetails(request, response);
  if (request.method !== "POST") {
    response.setHeader("content-type", "text/html");
    response.end(page);
    return;
  }
  let body = "";
  for await (const piece of request) body += piece;
  const form = new URLSearchParams(body);
  const result = form.get("what") === "no"
    ? { error: "access_denied", error_description: "somebody cancelled" }
    : { login: { accountId: form.get("login") } };
  await provider.interactionFinished(request, response, result);
}

const answer = provider.callback();
server.on("request", (request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  interact(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
});
process.stdin.resume().on("end", () => process.exit(0));
console.log(`serves ${issuer}`);
