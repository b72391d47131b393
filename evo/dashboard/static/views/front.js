// What the front trades off, over any two objectives, and how it has grown.

import { chart } from "../chart.js";
import { h } from "../dom.js";
import { go, state } from "../state.js";

function axis(name, label, page, own) {
  const chosen = state()[name] || own;
  return h(
    "label",
    {},
    `${label} `,
    h(
      "select",
      { onchange: (event) => go({ [name]: event.target.value, zoom: "" }) },
      page.facts.measured.map((value) => h("option", { value, selected: value === chosen }, value)),
    ),
  );
}

export function front(page) {
  if (!page.facts.front.length) {
    return { sections: [h("p", { class: "muted" }, "One objective is measured, so there is no front.")], update() {} };
  }
  const [x, y] = page.facts.front;
  const parameters = () => ({ x: state().x ?? "", y: state().y ?? "" });
  const charts = [
    chart("front", "Pareto front", "No individual is better than a member of the front in each objective. Crosses are one standard error; squares were measured again. Click one to see it.", { zoom: true, parameters }),
  ];
  if (page.facts.hypervolume) {
    charts.push(chart("hypervolume", "Hypervolume of the front", "How much the front dominates of the box between the worst and the best of all points that were ever on it."));
  }
  return {
    sections: [h("p", { class: "row" }, axis("x", "x axis", page, x), axis("y", "y axis", page, y)), ...charts.map((one) => one.section)],
    update: () => Promise.all(charts.map((one) => one.draw())),
  };
}
