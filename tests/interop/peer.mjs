// A certified OpenID Provider that this project did not write, configured as an operator would.
// node peer.mjs SETTINGS.json: serves https on 127.0.0.1 and prints its version when it listens.

import { createHash, randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import https from "node:https";

import Provider, { interactionPolicy } from "oidc-provider";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const STRONG = "https://peer.example/acr/strong";
const BASIC = "https://peer.example/acr/basic";

// A session that was opened with less than what is asked for now is asked again.
const policy = interactionPolicy.base();
policy.get("login").checks.add(
  new interactionPolicy.Check(
    "acr_is_weaker",
    "a stricter way to authenticate was asked for",
    "login_required",
    (ctx) => {
      const { params, session, result } = ctx.oidc;
      const weaker = params.acr_values === STRONG && session.acr !== STRONG && !result?.login;
      return weaker ? interactionPolicy.Check.REQUEST_PROMPT : interactionPolicy.Check.NO_NEED_TO_PROMPT;
    },
  ),
);

// FAPI 2.0, with a DPoP nonce demanded of everybody, signed answers, encrypted tokens and logout.
const strict = {
  fapi: { enabled: true, profile: "2.0" },
  dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
  jwtResponseModes: { enabled: true },
  requestObjects: { enabled: true },
  encryption: { enabled: true },
  backchannelLogout: { enabled: true },
};

const provider = new Provider(settings.issuer, {
  clients: settings.clients,
  jwks: { keys: settings.keys },
  acrValues: [BASIC, STRONG],
  claims: { openid: ["sub"], acr: null, auth_time: null, iss: null, sid: null },
  subjectTypes: ["pairwise"],
  pairwiseIdentifier: (ctx, account, client) =>
    createHash("sha256").update(`${settings.salt}|${client.sectorIdentifier}|${account}`).digest("base64url"),
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (ctx, form) => {
        ctx.body = `${form}<button name="logout" value="yes" form="op.logoutForm">Log out</button>`;
      },
      postLogoutSuccessSource: async (ctx) => {
        ctx.body = "logged out";
      },
    },
    ...(settings.fapi ? strict : {}),
  },
  // The provider's own guard against calls to loopback is right everywhere but in a test on one machine.
  fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
  interactions: { policy, url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
  cookies: { keys: [settings.salt] },
  ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 300, AccessToken: 300 },
});

provider.on("backchannel.success", (ctx, client) => console.log(`back-channel logout of ${client.clientId}: success`));
provider.on("backchannel.error", (ctx, error, client) =>
  console.log(`back-channel logout of ${client.clientId}: ${error.message}`),
);
for (const event of ["server_error", "authorization.error", "grant.error", "pushed_authorization_request.error"]) {
  provider.on(event, (ctx, error) => console.log(`${event}: ${error.error ?? error.message} ${error.error_detail ?? ""}`));
}

const answer = provider.callback();

// The person's page: one form, whose button says who it is or that it says no.
async function interaction(req, res) {
  const { params } = await provider.interactionDetails(req, res);
  if (req.method === "GET") {
    res.setHeader("content-type", "text/html; charset=utf-8");
    res.end('<form method="post"><input name="account"><button>Log in</button></form>');
    return;
  }
  const body = [];
  for await (const chunk of req) body.push(chunk);
  const form = new URLSearchParams(Buffer.concat(body).toString());
  const result = form.get("deny")
    ? { error: "access_denied", error_description: "the person said no" }
    : { login: { accountId: form.get("account"), acr: params.acr_values ?? BASIC } };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
}

const { version } = createRequire(import.meta.url)("oidc-provider/package.json");
const server = https.createServer(
  { cert: readFileSync(settings.certificate), key: readFileSync(settings.certificate_key) },
  (req, res) => {
    console.log(`${req.method} ${req.url.split("?")[0].replace(/\/interaction\/.*/, "/interaction/…")}`);
    const done = req.url.startsWith("/interaction/") ? interaction(req, res) : answer(req, res);
    Promise.resolve(done).catch((error) => {
      console.error(error);
      res.statusCode = 500;
      res.end();
    });
  },
);
server.listen(settings.port, "127.0.0.1", () => console.log(`oidc-provider ${version} listens`));
