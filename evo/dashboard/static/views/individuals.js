// The family tree, the list with its filters, and the chosen individual.

import { get } from "../api.js";
import { chart } from "../chart.js";
import { h, moment, quantity, refresh, seconds, words } from "../dom.js";
import { asking } from "../steer.js";
import { go, link, state } from "../state.js";

const ROWS = 100;
const narrow = matchMedia("(max-width: 900px)");

function matches(row, filter) {
  const text = (filter.q ?? "").toLowerCase().trim();
  return (
    (!text || `#${row.id} ${row.operator} ${row.idea}`.toLowerCase().includes(text)) &&
    (!filter.operator || row.operator === filter.operator) &&
    (!filter.status || row.status === filter.status) &&
    (!filter.generation || String(row.generation) === filter.generation)
  );
}

function sorted(rows, best, minimize) {
  const sign = minimize ? 1 : -1;
  const rank = (row) => (row.value === null || row.value === undefined ? Infinity : sign * row.value);
  // Confirmation may have ranked it before others that scored better where selection looked.
  const isBest = (row) => Number(row.id === best);
  const isBroken = (row) => Number(row.broken.length > 0);
  return rows.toSorted((one, other) => isBest(other) - isBest(one) || isBroken(one) - isBroken(other) || rank(one) - rank(other) || one.id - other.id);
}

function choice(name, label, values) {
  const chosen = state()[name] ?? "";
  return h(
    "select",
    { "aria-label": label, onchange: (event) => go({ [name]: event.target.value }, { replace: true }) },
    h("option", { value: "" }, label),
    values.map((value) => h("option", { value, selected: String(value) === chosen }, words(value))),
  );
}

function gain(row) {
  if (row.gain === null) return h("span", { class: "muted" }, "–");
  if (row.tie) return h("span", { class: "tie" }, `${row.shown_gain} tie`);
  return h("span", { class: row.gain > 0 ? "better" : "worse" }, row.shown_gain);
}

// How the state of an evaluation looks: what has not ended is no failure.
function tone(state) {
  if (["queued", "running", "interrupted"].includes(state)) return "muted";
  return state === "ok" ? "better" : "worse";
}

// What ended OK without a score was tried with a part of the budget alone.
function unscored(status) {
  const isFailure = status !== "waiting" && status !== "ok";
  return h("span", { class: isFailure ? "worse" : "muted" }, status === "ok" ? "only tried" : words(status));
}

function listed(row, data, course) {
  const marks = [course.pinned.includes(row.id) ? "pinned" : "", course.banned.includes(row.id) ? "banned" : "", row.id === data.best ? "★" : ""];
  return h(
    "tr",
    { class: row.id === data.best ? "best" : undefined, "aria-selected": String(row.id) === state().id ? "true" : undefined },
    h("td", { class: "number" }, h("span", { class: "muted" }, marks.filter(Boolean).join(" ")), " ", h("a", link({ id: row.id, against: "" }), `#${row.id}`)),
    h("td", { class: "number" }, row.shown || unscored(row.status)),
    h("td", { class: "number" }, gain(row)),
    h("td", { class: "idea" }, h("div", {}, row.broken.length ? h("b", { class: "worse" }, "infeasible ") : null, row.idea)),
  );
}

function diff(change) {
  if (!change) return h("p", { class: "muted" }, "Generation 0 has nothing before it.");
  const classes = { "+": "added", "-": "removed", " ": "same" };
  const line = (one) =>
    h("div", { class: `line ${classes[one.sign]}` }, h("span", { class: "line-number" }, one.number), h("span", { class: "sign" }, one.sign), h("code", {}, one.text || " "));
  const hunks = change.hunks.map((hunk, index) => [index ? h("div", { class: "gap" }, "⋯") : null, hunk.map(line)]);
  return h("div", { class: "diff", tabindex: 0, "aria-label": "Change" }, h("div", { class: "lines" }, hunks.length ? hunks : h("div", { class: "gap" }, "no line differs")));
}

function curve(name, points) {
  if (points.length < 2) return null;
  const [x0, x1] = [points[0][0], points.at(-1)[0]];
  const losses = points.map((point) => point[1]);
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const said = `${name} from ${quantity(losses[0])} to ${quantity(losses.at(-1))}`;
  const place = ([x, y]) => `${((200 * (x - x0)) / (x1 - x0 || 1)).toFixed(1)},${(38 - (36 * (y - low)) / (high - low || 1)).toFixed(1)}`;
  const namespace = "http://www.w3.org/2000/svg";
  const image = document.createElementNS(namespace, "svg");
  image.setAttribute("viewBox", "0 0 200 40");
  image.setAttribute("class", "spark");
  image.setAttribute("role", "img");
  image.setAttribute("aria-label", said);
  const line = document.createElementNS(namespace, "polyline");
  line.setAttribute("points", points.map(place).join(" "));
  image.append(line);
  return [image, h("small", { class: "muted" }, said)];
}

function evaluation(one) {
  const measured = Object.entries(one.objectives).map(([name, value]) => `${name} ${value}`).join(" · ");
  const splits = Object.entries(one.splits_bpb).map(([name, value]) => `split ${name} ${value}`).join(" · ");
  return h(
    "details",
    { class: "step" },
    h("summary", {}, h("span", {}, h("b", {}, words(one.purpose)), ` seed ${one.seed} `, h("span", { class: tone(one.state) }, words(one.state))), h("span", { class: "muted" }, measured || one.reason)),
    h(
      "div",
      { class: "inside" },
      h("p", { class: "muted" }, [`on ${one.device ?? "–"}`, one.sandbox, one.seconds ? seconds(one.seconds) : "", splits, one.attempts > 1 ? `${one.attempts} attempts` : ""].filter(Boolean).join(" · ")),
      one.reason ? h("p", { class: "worse" }, one.reason) : null,
      curve(one.curve_name, one.curve),
      one.log ? h("pre", { tabindex: 0 }, one.log) : null,
    ),
  );
}

function exchange(one, index) {
  return h(
    "details",
    { class: "step" },
    h("summary", {}, h("span", {}, h("b", {}, `Call ${index + 1}`), ` ${one.model}`), h("span", { class: "muted" }, `${quantity(one.tokens)} tokens · ${one.cost} · ${seconds(one.seconds)}`)),
    h("div", { class: "inside" }, one.prompt.map((part) => [h("h4", {}, part.role), h("pre", { tabindex: 0 }, part.text)]), h("h4", {}, "reply"), h("pre", { tabindex: 0 }, one.reply)),
  );
}

function buttons(one, page) {
  if (page.readOnly) return null;
  const { pinned, banned } = page.facts.steering;
  const about = (verb, label) => asking(label, verb, { individual: one.id });
  const isMarked = pinned.includes(one.id) || banned.includes(one.id);
  return h("p", { class: "buttons" }, isMarked ? about("release", pinned.includes(one.id) ? "Unpin" : "Lift the ban") : [about("pin", "Pin"), one.id ? about("ban", "Ban") : null], about("again", "Evaluate again"));
}

function ids(numbers) {
  return numbers.map((id, index) => [index ? ", " : "", h("a", link({ id, against: "" }), `#${id}`)]);
}

function portrait(one, page) {
  const against = h(
    "select",
    { "aria-label": "Compare with", onchange: (event) => go({ against: event.target.value }, { replace: true }) },
    [...new Set([...one.parents, ...one.ancestors, 0])].filter((id) => id !== one.id).map((id) => h("option", { value: id, selected: id === one.against }, `against #${id}`)),
  );
  return [
    h("h2", {}, `Individual ${one.id}`),
    h("p", { class: "muted" }, `${one.operator} · ${moment(one.created_at)}`, one.parents.length ? [" · from ", ids(one.parents)] : null, one.children.length ? [" · children ", ids(one.children)] : null),
    h("p", { class: "whole" }, one.idea),
    one.broken.length ? h("p", { class: "worse" }, `Infeasible: it breaks ${one.broken.join(" and ")}.`) : null,
    buttons(one, page),
    one.means.length ? h("dl", { class: "facts-list" }, one.means.map((mean) => [h("dt", {}, mean.name), h("dd", {}, mean.value)])) : null,
    h("div", { class: "row" }, h("h3", {}, "Change"), one.parents.length ? against : null, one.diff ? h("span", { class: "muted" }, `+${one.diff.added} −${one.diff.removed}`) : null),
    diff(one.diff),
    h("h3", {}, "Evaluations"),
    one.evaluations.map(evaluation),
    one.exchanges.length ? [h("h3", {}, "Calls of the language model"), one.exchanges.map(exchange)] : null,
    h("details", { class: "step" }, h("summary", {}, h("b", {}, "Whole program")), h("pre", { class: "inside", tabindex: 0 }, one.source)),
  ];
}

export function individuals(page) {
  const tree = chart("tree", "Family tree", "The oldest on top; the line to the best runs down the middle. Click one to see it.", { zoom: true });
  const search = h("input", { type: "search", placeholder: "Search ideas, operators, numbers  ( / )", "aria-label": "Search", value: state().q ?? "", oninput: (event) => go({ q: event.target.value, more: "" }, { replace: true }) });
  const filters = h("span", { class: "row" });
  const list = h("div", { class: "scroll" });
  const detail = h("section", { class: "card detail", "aria-live": "polite" });
  let known = "";
  let data = null;
  let version = -1;

  function drawList() {
    const filter = state();
    const found = sorted(data.rows.filter((row) => matches(row, filter)), data.best, page.facts.objective.minimize);
    const most = Number(filter.more || ROWS);
    const values = (name) => [...new Set(data.rows.map((row) => row[name]))].sort((one, other) => (one > other ? 1 : -1));
    refresh(filters, choice("operator", "all operators", values("operator")), choice("status", "all outcomes", values("status")), choice("generation", "all generations", values("generation")), h("span", { class: "muted" }, `${quantity(found.length)} of ${quantity(data.rows.length)}`));
    const heads = ["individual", data.objective, "gain", "idea"];
    refresh(
      list,
      h("table", {}, h("thead", {}, h("tr", {}, heads.map((name) => h("th", { class: name === "idea" ? undefined : "number", scope: "col" }, name)))), h("tbody", {}, found.slice(0, most).map((row) => listed(row, data, page.facts.steering)))),
      found.length ? "" : h("p", { class: "muted" }, "No individual matches."),
      found.length > most ? h("button", { onclick: () => go({ more: Number(state().more || ROWS) + 5 * ROWS }, { replace: true }) }, "Show more") : "",
    );
  }

  async function drawDetail() {
    const id = state().id ?? page.facts.best ?? 0;
    const one = await get("individual", { id, ...(state().against ? { against: state().against } : {}) });
    const text = JSON.stringify([one, page.facts.steering]);
    if (text === known) return;
    const isAnother = detail.dataset.id !== String(one.id);
    if (isAnother) detail.replaceChildren();
    refresh(detail, portrait(one, page));
    // On a narrow page it stands below the list and the tree.
    if (isAnother && detail.dataset.id && narrow.matches) detail.scrollIntoView({ block: "start" });
    detail.dataset.id = one.id;
    known = text;
  }

  return {
    sections: [h("div", { class: "split" }, h("div", {}, h("section", { class: "card" }, h("div", { class: "row" }, search, filters), list), tree.section), detail)],
    async update(facts) {
      if (facts.version !== version) {
        data = await get("individuals");
        version = facts.version;
        tree.draw();
      }
      drawList();
      await drawDetail();
    },
  };
}
