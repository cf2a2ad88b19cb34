// A wallet that this project did not write the cryptography of: Node's X.509 and npm's jose, nothing else.
// node wallet.mjs: one JSON line in, one out. It asks its caller to send requests for it ({"send": …}), and ends
// with {"done": …} or {"refused": …}.

import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { createInterface } from "node:readline";

import { CompactEncrypt, SignJWT, compactVerify, decodeProtectedHeader, importJWK } from "jose";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => console.log(JSON.stringify(message));
const hear = async () => {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
};
const send = async (request) => {
  say({ send: request });
  return hear();
};
const digest = (data) => createHash("sha256").update(data).digest("base64url");
const decode = (text) => JSON.parse(Buffer.from(text, "base64url").toString());
const insist = (holds, why) => {
  if (!holds) throw new Error(why);
};

// OpenID4VP 1.0 §5.9.3: the chain leads to the wallet's root, and the name of the client is the hash of the leaf.
function leafOf(header, clientId, root) {
  insist(Array.isArray(header.x5c) && header.x5c.length > 0, "no x5c");
  const chain = header.x5c.map((text) => new X509Certificate(Buffer.from(text, "base64")));
  const now = new Date();
  [...chain, root].forEach((each, place, all) => {
    insist(now >= new Date(each.validFrom) && now < new Date(each.validTo), "a certificate is out of its time");
    const above = all[Math.min(place + 1, all.length - 1)];
    insist(each.checkIssued(above) && each.verify(above.publicKey), "a certificate is not by the next one");
  });
  insist(`x509_hash:${digest(chain[0].raw)}` === clientId, "the name is not the hash of the leaf");
  return chain[0];
}

async function openRequest(jws, clientId, rootPem) {
  const header = decodeProtectedHeader(jws);
  insist(header.typ === "oauth-authz-req+jwt", "typ");
  const leaf = leafOf(header, clientId, new X509Certificate(rootPem));
  const { payload } = await compactVerify(jws, leaf.publicKey, {
    algorithms: ["ES256", "ES384", "EdDSA", "Ed25519", "PS256"],
  });
  const request = JSON.parse(Buffer.from(payload).toString());
  insist(request.client_id === clientId, "client_id");
  insist(request.aud === "https://self-issued.me/v2", "aud");
  insist(request.response_type === "vp_token" && request.response_mode === "direct_post.jwt", "response_mode");
  insist(leaf.checkHost(new URL(request.response_uri).hostname), "response_uri is on a host of somebody else");
  return { header, request, sector: leaf.subjectAltName };
}

// RFC 9901 §7.2: only what was asked for is disclosed, and the key binding is over exactly that.
async function present({ credential, holder }, { request }) {
  const [query] = request.dcql_query.credentials;
  insist(request.dcql_query.credentials.length === 1 && query.format === "dc+sd-jwt", "format");
  const [jwt, ...rest] = credential.split("~");
  const claims = decode(jwt.split(".")[1]);
  insist(query.meta.vct_values.includes(claims.vct), "vct");
  const asked = query.claims.map((claim) => claim.path[0]);
  for (const claim of query.claims) {
    insist(!claim.values || claim.values.includes(claims[claim.path[0]]), claim.path[0]);
  }
  const shown = rest.slice(0, -1).filter((disclosure) => asked.includes(decode(disclosure)[1]));
  const bound = [jwt, ...shown, ""].join("~");
  const binding = await new SignJWT({ nonce: request.nonce, aud: request.client_id, sd_hash: digest(bound) })
    .setProtectedHeader({ alg: "ES256", typ: "kb+jwt" })
    .setIssuedAt()
    .sign(await importJWK(holder, "ES256"));
  return { [query.id]: [bound + binding] };
}

async function encrypt(answer, metadata, enc, parties) {
  const [key] = metadata.jwks.keys;
  insist(metadata.encrypted_response_enc_values_supported.includes(enc), "enc");
  const jwe = new CompactEncrypt(Buffer.from(JSON.stringify(answer)));
  // RFC 7518 §4.6.1: what both sides mix into the key, if the sender says so.
  if (parties) jwe.setKeyManagementParameters({ apu: Buffer.from("the wallet"), apv: Buffer.from("the app") });
  jwe.setProtectedHeader({ alg: key.alg, enc, kid: key.kid });
  return jwe.encrypt(await importJWK(key, key.alg));
}

async function answer(order) {
  const invitation = new URL(order.uri).searchParams;
  const clientId = invitation.get("client_id");
  // OpenID4VP 1.0 §5.10: who may post a nonce has it repeated in the request.
  const nonce = invitation.get("request_uri_method") === "post" ? randomBytes(24).toString("base64url") : undefined;
  const body = nonce && new URLSearchParams({ wallet_nonce: nonce }).toString();
  const fetched = await send({ method: nonce ? "POST" : "GET", url: invitation.get("request_uri"), body });
  insist(fetched.content_type === "application/oauth-authz-req+jwt", "content type");
  const opened = await openRequest(fetched.body, clientId, order.root);
  const { request } = opened;
  insist(request.wallet_nonce === nonce, "wallet_nonce");
  const vp_token = await present(order, opened);
  const response = await encrypt({ vp_token, state: request.state }, request.client_metadata, order.enc, order.parties);
  const form = new URLSearchParams({ response }).toString();
  const reply = await send({ method: "POST", url: request.response_uri, body: form });
  return { header: opened.header, request, names: opened.sector, vp_token, response, reply };
}

for (let order = await hear(); order; order = await hear()) {
  try {
    say({ done: await answer(order) });
  } catch (error) {
    say({ refused: error.message });
  }
}
