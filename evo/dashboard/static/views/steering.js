// What was asked of the run, and what can be.

import { get } from "../api.js";
import { h, moment, refresh } from "../dom.js";
import { ask, asking, say } from "../steer.js";

function form(title, about, fields, label, submit) {
  const send = async (event) => {
    event.preventDefault();
    const button = event.target.querySelector("button");
    button.disabled = true;
    try {
      // From here on a field follows what holds again; what is being edited stays.
      if (await submit(event.target)) event.target.reset();
    } finally {
      button.disabled = false;
    }
  };
  return h("section", { class: "card" }, h("h2", {}, title), h("p", { class: "caption" }, about), h("form", { onsubmit: send }, fields, h("button", {}, label)));
}

function hint() {
  const text = h("textarea", { rows: 3, maxlength: 4000, required: true, "aria-label": "Hint" });
  return form("Hint", "The language model is told this, dated, from the next proposal on.", [text], "Tell the model", () =>
    ask("hint", { text: text.value.trim() }),
  );
}

function inject(page) {
  const parent = h("input", { type: "number", min: 0, value: page.facts.best ?? 0, "aria-label": "Made from individual", required: true });
  const idea = h("input", { type: "text", placeholder: "What it changes, and why", "aria-label": "Idea" });
  const text = h("textarea", { rows: 18, class: "code", spellcheck: "false", "aria-label": "Program", required: true });
  let loaded = "";
  async function load() {
    const { source } = await get("individual", { id: parent.value });
    if (text.value === loaded) text.value = loaded = source; // what was edited stays
  }
  parent.addEventListener("change", () => load().catch((error) => say(error.message, "open")));
  load();
  return form("Inject a program", "It becomes an individual if the gate lets it pass; you see the verdict at once.", [h("div", { class: "row" }, h("label", {}, "From individual ", parent), idea), text], "Inject", async () => {
    await ask("inject", { individual: Number(parent.value), idea: idea.value.trim(), text: text.value.endsWith("\n") ? text.value : `${text.value}\n` });
  });
}

function weights() {
  const row = h("div", { class: "row" });
  const inputs = (facts) =>
    Object.entries({ ...facts.weights, ...facts.steering.weights }).map(([name, value]) =>
      h("label", {}, `${name} `, h("input", { type: "number", min: 0, step: "any", name, value })),
    );
  const section = form("Weights of operators", "How often each is drawn. The configured ones come back where all are left empty.", [row], "Change", (target) => {
    const given = Array.from(target.querySelectorAll("input")).filter((input) => input.value !== "");
    return ask("weights", { weights: Object.fromEntries(given.map((input) => [input.name, Number(input.value)])) });
  });
  return { section, update: (facts) => refresh(row, inputs(facts)) };
}

function budget() {
  const gens = h("input", { type: "number", min: 1, required: true, "aria-label": "Generations in all" });
  const until = h("input", { type: "datetime-local", "aria-label": "End by" });
  const never = h("input", { type: "checkbox", "aria-label": "No end by time" });
  const fields = [h("div", { class: "row" }, h("label", {}, "Generations in all ", gens), h("label", {}, "End by ", until), h("label", {}, never, " no end by time"))];
  const section = form("Budget", "The total, confirmation included. An end by the clock leaves time for the confirmation; the next request supersedes this one.", fields, "Extend", () => {
    const end = never.checked ? { until: 0 } : until.value ? { until: new Date(until.value).getTime() / 1000 } : {};
    return ask("extend", { gens: Number(gens.value), ...end });
  });
  return { section, update: (facts) => gens.setAttribute("value", facts.generations) };
}

function journal(facts) {
  const rows = facts.steered.map((one) =>
    h("li", {}, h("b", {}, one.what), h("span", { class: "muted" }, ` · ${one.who} · ${moment(one.taken_at)}`), one.individual === null ? null : ` · became #${one.individual}`, one.refused ? h("span", { class: "worse" }, ` · refused: ${one.refused}`) : null),
  );
  const waiting = facts.asked.map((one) => h("li", {}, h("b", {}, one), h("span", { class: "muted" }, " · waits for a driver")));
  return [h("h2", {}, "Asked of this run"), rows.length || waiting.length ? h("ul", { class: "rows" }, waiting, rows) : h("p", { class: "muted" }, "Nothing yet.")];
}

function course(facts) {
  const { hints, pinned, banned } = facts.steering;
  const withdraw = asking("Withdraw all hints", "hint", { text: "" });
  return [
    h("h2", {}, "What holds"),
    h("p", {}, `Pinned: ${pinned.map((id) => `#${id}`).join(", ") || "none"}. Banned: ${banned.map((id) => `#${id}`).join(", ") || "none"}.`),
    hints.length ? h("ul", { class: "rows" }, hints.map((one) => h("li", {}, one))) : null,
    hints.length ? withdraw : null,
  ];
}

export function steering(page) {
  const holds = h("section", { class: "card" });
  const asked = h("section", { class: "card" });
  const followers = page.readOnly ? [] : [budget(), weights()];
  const forms = page.readOnly ? [h("p", { class: "verdict open" }, "This dashboard is read-only.")] : [hint(), ...followers.map((one) => one.section), inject(page)];
  return {
    sections: [h("div", { class: "columns bare" }, holds, asked), ...forms],
    update(facts) {
      refresh(holds, course(facts));
      refresh(asked, journal(facts));
      followers.forEach((one) => one.update(facts));
    },
  };
}
