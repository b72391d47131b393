// The bar on top: which run, how far it is, the views, and pause and stop.

import { evaluations, h, words } from "./dom.js";
import { asking } from "./steer.js";
import { go, link, state } from "./state.js";

function tab(name, current) {
  const changes = { view: name === "overview" ? "" : name, zoom: "" };
  return h("a", { ...link(changes), "aria-current": name === current ? "page" : undefined }, name);
}

// Which run is shown; a link may name one that is gone.
export function picker(page) {
  const current = state().run ?? page.runs[0];
  const isKnown = page.runs.includes(current);
  if (page.runs.length < 2 && isKnown) return h("b", { class: "run" }, page.facts?.name ?? current);
  return h(
    "select",
    { "aria-label": "Run", onchange: (event) => go({ run: event.target.value, id: "", against: "", zoom: "" }) },
    [...(isKnown ? [] : [current]), ...page.runs].map((name) => h("option", { value: name, selected: name === current }, name)),
  );
}

function controls(page) {
  if (page.readOnly) return [h("span", { class: "muted" }, "read-only")];
  const last = page.facts.asked.findLast((one) => one === "pause" || one === "continue"); // waits for a driver
  const isPaused = last ? last === "pause" : page.facts.steering.is_paused;
  const pause = isPaused ? asking("Continue", "continue") : asking("Pause", "pause");
  const stop = asking("Stop", "stop", {}, "Stop the run after saving?");
  if (page.facts.state === "running") return [pause, stop];
  return page.facts.state === "finished" && !isPaused ? [] : [pause];
}

export function bar(page, current, names) {
  const facts = page.facts;
  const isPaused = facts.steering.is_paused && facts.state === "running";
  const progress = h("progress", { max: facts.budget, value: facts.spent, "aria-label": "Budget spent" });
  const left = facts.left && facts.state === "running" && !isPaused ? ` · about ${facts.left} left` : "";
  return [
    h(
      "div",
      { class: "line" },
      picker(page),
      h("span", { class: `pill ${isPaused ? "paused" : facts.state}` }, isPaused ? "paused" : words(facts.state)),
      progress,
      h("span", { class: "muted" }, `${evaluations(facts.spent)} of ${evaluations(facts.budget)} evaluations${left}`),
      page.isConnected ? null : h("span", { class: "worse", role: "alert" }, "server gone, trying again… (evo dashboard starts one)"),
      h("span", { class: "space" }),
      h("span", { class: "controls" }, controls(page)),
    ),
    h("nav", { "aria-label": "Views" }, names.map((name) => tab(name, current))),
  ];
}
