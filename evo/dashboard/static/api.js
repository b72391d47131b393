// Asks the server; its errors are sentences.

import { state } from "./state.js";

async function answer(response) {
  const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
  const data = isJson ? await response.json() : { error: (await response.text()).trim() };
  if (!response.ok) throw new Error(data.error ?? `The server answered ${response.status}.`);
  return data;
}

function place(path, parameters = {}) {
  const run = state().run;
  return `/api/${path}?${new URLSearchParams({ ...(run ? { run } : {}), ...parameters })}`;
}

export const get = async (path, parameters) => answer(await fetch(place(path, parameters)));

// A request has its identity here, so that one that is sent twice acts once.
export function newRequest(verb, fields = {}) {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return { verb, id: Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""), ...fields };
}

export async function steer(request) {
  const headers = { "content-type": "application/json" };
  return answer(await fetch(place("steer"), { method: "POST", headers, body: JSON.stringify(request) }));
}

export function events(onChanged, onConnection) {
  const source = new EventSource(place("events"));
  source.addEventListener("changed", (event) => onChanged(Number(event.data)));
  source.addEventListener("open", () => onConnection(true));
  source.addEventListener("error", () => onConnection(false));
  return source;
}
