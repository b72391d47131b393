// What the front trades off, and how it has grown.

import { chart } from "../chart.js";
import { h } from "../dom.js";

export function front(page) {
  if (!page.facts.front) {
    return { sections: [h("p", { class: "muted" }, "One objective is measured, so there is no front.")], update() {} };
  }
  const charts = [
    chart("front", "Pareto front", "No individual is better than a member of the front in each objective. Click one to see it.", { zoom: true }),
  ];
  if (page.facts.hypervolume) {
    charts.push(chart("hypervolume", "Hypervolume of the front", "How much the front dominates of the box between the worst and the best of all points that were ever on it."));
  }
  return {
    sections: charts.map((one) => one.section),
    update: () => Promise.all(charts.map((one) => one.draw())),
  };
}
