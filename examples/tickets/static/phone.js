// What the office's own app on a phone would do. The secret that ties both halves together is a cookie of the
// office, which no script reads.
"use strict";

const page = document.getElementById("phone");
const said = document.getElementById("said");
const KEPT = "tickets.return_to";

async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  return { ok: answer.ok, body: await answer.json().catch(() => ({})) };
}

async function launch() {
  said.textContent = "Asking for a launch …";
  sessionStorage.setItem(KEPT, page.dataset.returnTo);
  const { ok, body } = await ask("/id/app/start", {
    platform: page.dataset.platform,
    return_to: page.dataset.returnTo,
  });
  if (!ok) {
    say(body);
    return;
  }
  const fields = new URLSearchParams(body);
  fields.set("return_url", page.dataset.back);
  fields.set("return_by", "fragment");
  location.assign(`${page.dataset.phone}?${fields}`);
}

async function finish(result) {
  said.textContent = "The ID app has answered …";
  const { ok, body } = await ask("/id/app/finish", result);
  if (ok) {
    location.replace(body.return_to ?? sessionStorage.getItem(KEPT) ?? "/tickets");
  } else {
    say(body);
  }
}

function say(body) {
  const reference = body.reference ? ` Reference: ${body.reference}` : "";
  said.textContent = `${body.text ?? "You are not logged in."}${reference}`;
}

document.getElementById("launch").addEventListener("click", launch);
if (location.hash.includes("resultCode=")) {
  const result = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  // Neither the address bar nor the history keeps what the ID app said.
  history.replaceState(null, "", location.pathname);
  finish(result);
}
