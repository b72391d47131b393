// Asks something of the run and says what came of it.

import { newRequest, steer } from "./api.js";
import { h } from "./dom.js";

let hiding = 0;

export function say(text, tone = "good") {
  document.getElementById("said").replaceChildren(h("p", { class: `verdict ${tone}` }, text));
  clearTimeout(hiding);
  hiding = setTimeout(() => document.getElementById("said").replaceChildren(), 8000);
}

// A button that asks something. What is clicked again before the answer is asked once.
export function asking(label, verb, fields = {}, question = "") {
  async function click({ currentTarget: button }) {
    if (button.ariaBusy === "true" || (question && !confirm(question))) return;
    button.ariaBusy = "true";
    await ask(verb, fields);
    button.ariaBusy = null;
  }
  return h("button", { onclick: click }, label);
}

export async function ask(verb, fields = {}) {
  try {
    const { said, refused } = await steer(newRequest(verb, fields));
    say(said, refused ? "open" : "good");
    return !refused;
  } catch (error) {
    say(error.message, "open");
    return false;
  }
}
