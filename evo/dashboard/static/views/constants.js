// Which constant explains the loss.

import { chart } from "../chart.js";

export function constants() {
  const charts = [
    chart("importance", "Importance of constants", ""),
    chart("parallel", "Parallel coordinates", ""),
  ];
  return {
    sections: charts.map((one) => one.section),
    update: () => Promise.all(charts.map((one) => one.draw())),
  };
}
