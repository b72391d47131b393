// How the run goes: what it found, what runs now, what failed, what operators brought.

import { chart } from "../chart.js";
import { evaluations, h, refresh, seconds, words } from "../dom.js";
import { follow } from "../live.js";
import { link } from "../state.js";

function tile(name, value, extra = "") {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value, h("small", {}, extra)));
}

function table(caption, heads, rows) {
  const cell = (value, index) => h("td", { class: index ? "number" : "operator" }, value);
  return h(
    "section",
    { class: "card" },
    h("h2", {}, caption),
    h(
      "div",
      { class: "scroll plain", tabindex: 0, role: "region", "aria-label": caption },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, heads.map((name, index) => h("th", { class: index ? "number" : undefined, scope: "col" }, name)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell)))),
      ),
    ),
  );
}

function now(facts, curves) {
  const usual = facts.zero_seconds;
  const rows = facts.running.map((one) =>
    h(
      "li",
      {},
      h("a", link({ view: "individuals", id: one.individual, against: "" }), `#${one.individual}`),
      ` ${words(one.purpose)} on ${one.device} `,
      h("progress", { max: usual || one.seconds || 1, value: Math.min(one.seconds, usual || one.seconds), "aria-label": "Elapsed" }),
      h("span", { class: "muted" }, ` ${seconds(one.seconds)}${usual ? ` of about ${seconds(usual)}` : ""}`),
      curves.get(one.evaluation),
    ),
  );
  const isLive = facts.state === "running";
  const idle = isLive ? "Nothing runs." : `Nothing runs: ${facts.reason || words(facts.state)}.`;
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "Now"),
    rows.length ? h("ul", { class: "rows" }, rows) : h("p", { class: "muted" }, idle),
    isLive && h("p", { class: "caption" }, `${facts.queued} queued, ${facts.proposing} being proposed`),
    facts.asked.map((one) => h("p", { class: "verdict open" }, `Asked, and waiting for a driver: ${one}`)),
  );
}

function failures(facts) {
  const groups = facts.failures.map((group) =>
    h(
      "details",
      {},
      h("summary", {}, h("span", { class: "worse" }, `${group.count} ${words(group.status)}`)),
      h("ul", {}, Object.entries(group.reasons).slice(0, 20).map(([reason, count]) => h("li", {}, `${count} × ${reason}`))),
    ),
  );
  const refused = Object.entries(facts.refused).map(([kind, count]) => `${count} ${words(kind)}`).join(", ");
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "Failures"),
    groups.length ? groups : h("p", { class: "muted" }, "No evaluation has failed."),
    refused ? h("p", { class: "caption" }, `Refused before any evaluation: ${refused}.`) : null,
  );
}

function operators(facts) {
  const rows = facts.operators.map((one) => [
    one.name,
    one.proposals,
    one.scored,
    one.failed,
    `${one.improved}${one.scored ? ` (${Math.round((100 * one.improved) / one.scored)}%)` : ""}`,
    one.cost_usd === null ? "unknown" : `$${one.cost_usd.toFixed(2)}`,
  ]);
  if (!rows.length) return h("section", { class: "card" }, h("h2", {}, "Operators"), h("p", { class: "muted" }, "Nothing was proposed yet."));
  return table("Operators", ["Operator", "Proposals", "Scored", "Failed", "Better than parents", "Cost"], rows);
}

export function overview() {
  const head = h("section", {});
  const below = h("div", { class: "columns bare" });
  const last = h("div");
  let curves = new Map();
  const draw = follow(below);
  const progress = chart("progress", "Best so far", "Every evaluation is a dot, every failure a cross along the edge; the band is two standard deviations of one evaluation of generation 0.");
  return {
    sections: [head, progress.section, below, last],
    async update(facts) {
      const noise = facts.noise ? `σ ${facts.shown_noise}` : "not measured";
      refresh(
        head,
        h("p", { class: "eyebrow" }, facts.task),
        h("h1", {}, facts.headline.replaceAll(" ± ", "\u00a0±\u00a0")),
        h("p", { class: `verdict ${facts.tone}` }, facts.verdict),
        facts.claim ? h("p", { class: "verdict open" }, facts.claim) : "",
        ...facts.warnings.map((line) => h("p", { class: "verdict open" }, line)),
        h(
          "dl",
          { class: "tiles" },
          tile("Evaluations", evaluations(facts.spent), ` of ${evaluations(facts.budget)}`),
          tile("Wall time", facts.time),
          facts.state === "running" && tile("Left", (!facts.steering.is_paused && facts.left) || "–"),
          tile("Model calls", facts.cost),
          tile("Noise", noise),
        ),
      );
      const numbers = facts.running.map((one) => one.evaluation);
      curves = new Map(numbers.map((number) => [number, curves.get(number) ?? h("div", { "data-evaluation": number })]));
      refresh(below, now(facts, curves), failures(facts));
      refresh(last, operators(facts));
      draw();
      await progress.draw();
    },
  };
}
