// Passkeys (Web Authentication) on the pages that sign an editor in, ask who they are, or add a
// passkey. Without this script, or in a browser without passkeys, the other forms of these pages work.
//
// form[data-passkey]  is hidden until the script runs. Its value is "get" or "create".
// data-options        is the question in JSON, or data-question the address that returns one.
// data-failed, data-cancelled, data-known  are the texts for what can go wrong.
// The answer and the token of the question go into the fields marked with data-answer and data-token,
// and the form is sent.
"use strict";

const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = list => (list || []).map(one => ({ ...one, id: bytes(one.id) }));

function decode(options) {
  const out = { ...options, challenge: bytes(options.challenge) };
  if (options.user) out.user = { ...options.user, id: bytes(options.user.id) };
  if (options.allowCredentials) out.allowCredentials = named(options.allowCredentials);
  if (options.excludeCredentials) out.excludeCredentials = named(options.excludeCredentials);
  return out;
}

function encode(credential) {
  const answer = credential.response, response = { clientDataJSON: text(answer.clientDataJSON) };
  for (const field of ["attestationObject", "authenticatorData", "signature", "userHandle"])
    if (answer[field]) response[field] = text(answer[field]);
  if (answer.getTransports) response.transports = answer.getTransports();
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
    authenticatorAttachment: credential.authenticatorAttachment || undefined, clientExtensionResults: credential.getClientExtensionResults(),
  });
}

async function question(form) {
  const token = form.querySelector("[data-token]");
  if (!form.dataset.question) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.question, { method: "POST" });
  if (!answer.ok) throw new Error(await answer.text());
  const asked = await answer.json();
  token.value = asked.token;
  return JSON.parse(asked.options);
}

async function run(form) {
  const publicKey = decode(await question(form));
  const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
  form.querySelector("[data-answer]").value = encode(credential);
  form.submit();
}

function explain(form, error) {
  const texts = { NotAllowedError: form.dataset.cancelled, InvalidStateError: form.dataset.known };
  const shown = form.querySelector("[data-problem]");
  shown.textContent = texts[error.name] || form.dataset.failed;
  shown.hidden = false;
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.addEventListener("submit", event => {
    event.preventDefault();
    const button = form.querySelector("button");
    form.querySelector("[data-problem]").hidden = true;
    button.disabled = true;
    run(form).catch(error => explain(form, error)).finally(() => { button.disabled = false; });
  });
}
