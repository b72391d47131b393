// What every worker did, and does.

import { chart } from "../chart.js";

export function slots() {
  const timeline = chart("slots", "Slots", "Every launch of every worker.");
  return { sections: [timeline.section], update: () => timeline.draw() };
}
