"use strict";
// Ask every two seconds how far the login is, while somebody sees the page. Without this script the page says the
// same, and the form works as it is.
{
  const state = document.getElementById("state");
  const again = () => setTimeout(ask, 2000);
  const ask = async () => {
    if (document.hidden) return again();
    let told = "waiting";
    try {
      const reply = await fetch(state.dataset.place, { credentials: "omit", cache: "no-store" });
      if (reply.ok) told = (await reply.json()).state;
    } catch {
      // The next one may get through.
    }
    if (told === "waiting") return again();
    state.textContent = state.dataset[told];
    document.querySelector(".scan").hidden = true;
    if (told === "answered") document.getElementById("digits").focus();
  };
  again();
}
