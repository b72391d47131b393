// The page: which view, of which run, and when it draws again.

import { events, get } from "./api.js";
import { bar, picker } from "./bar.js";
import { h, refresh } from "./dom.js";
import { go, onChange, state } from "./state.js";
import { comparison } from "./views/comparison.js";
import { constants } from "./views/constants.js";
import { front } from "./views/front.js";
import { individuals } from "./views/individuals.js";
import { overview } from "./views/overview.js";
import { slots } from "./views/slots.js";
import { steering } from "./views/steering.js";

const VIEWS = { overview, individuals, front, constants, slots, comparison, steering };
const REST_SECONDS = 0.25;

const content = document.getElementById("content");
const page = { runs: [], readOnly: true, facts: null, isConnected: true };
let shown = { key: "", view: null };
let source = null;
let isDrawing = false;
let isStale = false;

function viewName() {
  return Object.hasOwn(VIEWS, state().view ?? "") ? state().view : "overview";
}

async function draw() {
  if (isDrawing) {
    isStale = true;
    return;
  }
  isDrawing = true;
  try {
    page.facts = await get("overview").catch(leave);
    drawBar();
    const key = `${state().run ?? ""} ${viewName()}`;
    if (shown.key !== key) {
      const view = VIEWS[viewName()](page);
      const heading = viewName() === "overview" ? [] : [h("h1", { class: "unseen" }, viewName())];
      content.replaceChildren(...heading, ...view.sections);
      shown = { key, view };
    }
    document.title = `${page.facts.name}: ${page.facts.headline}`;
    await shown.view.update(page.facts);
    content.querySelector(":scope > [role=alert]")?.remove();
    content.setAttribute("data-version", page.facts.version);
  } catch (error) {
    content.querySelector(":scope > [role=alert]")?.remove();
    content.prepend(h("p", { class: "verdict open", role: "alert" }, error.message));
  } finally {
    isDrawing = false;
    if (isStale) {
      isStale = false;
      setTimeout(draw, 1000 * REST_SECONDS);
    }
  }
}

// Takes away what was shown of another run where this one cannot be read; nothing where the server does not answer.
function leave(error) {
  if (!(error instanceof TypeError)) {
    page.facts = null;
    shown = { key: "", view: null };
    content.replaceChildren();
    refresh(document.getElementById("bar"), h("div", { class: "line" }, picker(page)));
  }
  throw error;
}

function drawBar() {
  refresh(document.getElementById("bar"), bar(page, viewName(), Object.keys(VIEWS)));
}

function listen() {
  source?.close();
  source = events((version) => version !== page.facts?.version && draw(), (isConnected) => {
    page.isConnected = isConnected;
    if (page.facts) drawBar();
  });
  source.run = state().run;
}

onChange(() => {
  if (source?.run !== state().run) listen();
  draw();
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey;
  if (isTyping) return;
  const name = Object.keys(VIEWS)[Number(event.key) - 1];
  if (name) go({ view: name });
  if (event.key === "/") {
    event.preventDefault();
    if (viewName() !== "individuals") go({ view: "individuals" });
    setTimeout(() => document.querySelector("input[type=search]")?.focus(), 200);
  }
});

const { runs, read_only: readOnly } = await get("runs").catch((error) => {
  content.replaceChildren(h("p", { class: "verdict open", role: "alert" }, error.message));
  throw error;
});
Object.assign(page, { runs, readOnly });
await draw();
listen();
