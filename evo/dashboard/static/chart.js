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

export function chart(name, title, caption, { zoom = false, parameters = () => ({}) } = {}) {
  const drawing = h("div", { class: "chart", role: "figure", "aria-label": title });
  const note = h("span");
  const section = h("section", { class: "card" }, h("h2", {}, title), drawing, h("p", { class: "caption" }, caption, " ", note));
  let drawn = "";

  async function draw(given) {
    const data = given ?? (await get("figure", { name, ...parameters() }));
    const text = JSON.stringify(data);
    if (text === drawn) return;
    drawn = text;
    await libraries();
    if (!section.isConnected) return;
    note.textContent = data.note;
    const isFirst = !drawing.hasAttribute("data-drawn");
    data.figure.layout.uirevision = JSON.stringify([name, parameters()]);
    const kept = zoom && isFirst && state().zoom?.split(",").map(Number);
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
    if (zoom) drawing.on("plotly_relayout", (change) => keepZoom(change));
  }

  function keepZoom(change) {
    const ends = ["xaxis.range[0]", "xaxis.range[1]", "yaxis.range[0]", "yaxis.range[1]"].map((key) => change[key]);
    if (ends.every(Number.isFinite)) go({ zoom: ends.map((end) => end.toPrecision(6)).join(",") }, { replace: true });
    else if (change["xaxis.autorange"]) go({ zoom: "" }, { replace: true });
  }

  return { section, draw };
}
