// A chart that the server worked out, drawn by the code of the report.

import { get } from "./api.js";
import { h } from "./dom.js";
import { go, state } from "./state.js";

// Plotly takes longer to load than everything else, so the words of the page come first.
function load(source) {
  return new Promise((resolve, reject) => {
    const script = h("script", { src: source });
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error(`${source} could not be loaded.`)));
    document.head.append(script);
  });
}

const painted = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
let loading = null;

function libraries() {
  loading ??= painted.then(() => load("/static/plotly.js")).then(() => load("/static/charts.js"));
  return loading;
}

// What a key does to a chart: the factor of what is shown, then the part of it to go by, to the right and up.
const KEYS = { "+": [2 / 3], "=": [2 / 3], "-": [3 / 2], ArrowLeft: [1, -0.2], ArrowRight: [1, 0.2], ArrowUp: [1, 0, 0.2], ArrowDown: [1, 0, -0.2] };

function moved([from, to], factor, step) {
  const middle = (from + to) / 2 + step * (to - from);
  return [middle - (factor * (to - from)) / 2, middle + (factor * (to - from)) / 2];
}

const home = (axis, range) => (range ? [`${axis}.range`, [...range]] : [`${axis}.autorange`, true]);

export function chart(name, title, caption, { zoom = false, parameters = () => ({}) } = {}) {
  const drawing = h("div", { class: "chart", role: "figure", "aria-label": title, tabindex: zoom ? 0 : undefined });
  const note = h("span");
  const section = h("section", { class: "card" }, h("h2", {}, title), drawing, h("p", { class: "caption" }, caption, zoom ? " Keys on the chart: + and − zoom, arrows move, 0 goes back. " : " ", note));
  let drawn = "";
  let whole = {};

  async function draw(given) {
    const data = given ?? (await get("figure", { name, ...parameters() }));
    const text = JSON.stringify(data);
    if (text === drawn) return;
    drawn = text;
    note.textContent = data.note;
    drawing.hidden = !data.figure.data.length;
    if (drawing.hidden) return;
    await libraries();
    if (!section.isConnected) return;
    const isFirst = !drawing.hasAttribute("data-drawn");
    data.figure.layout.uirevision = JSON.stringify([name, parameters()]);
    whole = Object.fromEntries(["xaxis", "yaxis"].map((axis) => home(axis, data.figure.layout[axis]?.range)));
    const kept = zoom && state().zoom?.split(",").map(Number);
    if (kept?.length === 4 && kept.every(Number.isFinite)) {
      data.figure.layout.xaxis = { ...data.figure.layout.xaxis, range: kept.slice(0, 2) };
      data.figure.layout.yaxis = { ...data.figure.layout.yaxis, range: kept.slice(2) };
    }
    await drawFigure(drawing, data.figure, name);
    if (!isFirst) return;
    drawing.on("plotly_click", (event) => {
      const id = event.points[0]?.customdata;
      if (Number.isInteger(id)) go({ view: "individuals", id, against: "" });
    });
    if (!zoom) return;
    drawing.on("plotly_relayout", keepZoom);
    drawing.addEventListener("keydown", (event) => zoomByKey(event));
  }

  function zoomByKey(event) {
    const [factor, right = 0, up = 0] = KEYS[event.key] ?? [];
    if (!(factor || event.key === "0") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (factor) {
      const x = moved(drawing.layout.xaxis.range, factor, right);
      const y = moved(drawing.layout.yaxis.range, factor, up);
      Plotly.relayout(drawing, { "xaxis.range[0]": x[0], "xaxis.range[1]": x[1], "yaxis.range[0]": y[0], "yaxis.range[1]": y[1] });
    } else {
      Plotly.relayout(drawing, whole);
      go({ zoom: "" }, { replace: true });
    }
  }

  function keepZoom(change) {
    const ends = ["xaxis.range[0]", "xaxis.range[1]", "yaxis.range[0]", "yaxis.range[1]"].map((key) => change[key]);
    if (ends.every(Number.isFinite)) go({ zoom: ends.map((end) => end.toPrecision(6)).join(",") }, { replace: true });
    else if (change["xaxis.autorange"]) go({ zoom: "" }, { replace: true });
  }

  return { section, draw };
}
