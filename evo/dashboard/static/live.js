// The curves of what runs now, each against its parent's, drawn again every second while they can be seen.

import { get } from "./api.js";
import { h, quantity, seconds } from "./dom.js";

const WIDTH = 220;
const HEIGHT = 44;
const EVERY_SECONDS = 1;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

// Of the highest tenth only a little shows: a training begins with losses that would flatten all that follows.
function range(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const low = sorted[0];
  const high = sorted[Math.floor(0.9 * (sorted.length - 1))];
  return [low, high > low ? high + 0.15 * (high - low) : low + (Math.abs(low) || 1)];
}

function sparkline(curve) {
  const parent = curve.parent_points.length ? curve.parent_points : [];
  const ends = [...curve.points, ...parent].map(([time]) => time);
  const longest = Math.max(...ends, 1e-9);
  const level = curve.parent_value === null ? [] : [curve.parent_value];
  const [low, high] = range([...curve.points, ...parent].map(([, value]) => value).concat(level));
  const y = (value) => 2 + (HEIGHT - 4) * (1 - (Math.min(Math.max(value, low), high) - low) / (high - low));
  const line = (points, name) =>
    svg("polyline", { class: name, points: points.map(([time, value]) => `${((WIDTH * time) / longest).toFixed(1)},${y(value).toFixed(1)}`).join(" ") });
  const shown = [];
  if (parent.length) shown.push(line(parent, "parent"));
  else if (level.length) shown.push(line([[0, level[0]], [longest, level[0]]], "parent"));
  shown.push(line(curve.points, "own"));
  const [time, value] = curve.points.at(-1);
  shown.push(svg("circle", { class: "own", cx: ((WIDTH * time) / longest).toFixed(1), cy: y(value).toFixed(1), r: 2.5 }));
  return svg("svg", { class: "live", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": sentence(curve) }, ...shown);
}

function sentence(curve) {
  const [time, value] = curve.points.at(-1);
  const then = curve.parent_points.filter(([at]) => at <= time).at(-1)?.[1] ?? curve.parent_value;
  const against = then === null || then === undefined ? "" : `, parent #${curve.parent} ${quantity(then)}`;
  return `${curve.name} ${quantity(value)} after ${seconds(time)}${against}`;
}

// Puts the curves into those elements of a section that name an evaluation, for as long as the section is on the page.
export function follow(section) {
  async function draw() {
    const places = Array.from(section.querySelectorAll("[data-evaluation]"));
    if (!places.length || document.hidden) return;
    const { curves } = await get("live").catch(() => ({ curves: {} }));
    for (const place of places) {
      const curve = curves[place.dataset.evaluation];
      if (curve) place.replaceChildren(sparkline(curve), h("small", { class: "muted" }, ` ${sentence(curve)}`));
    }
  }
  let wasShown = false;
  const timer = setInterval(() => {
    if (section.isConnected) {
      wasShown = true;
      draw();
    } else if (wasShown) clearInterval(timer);
  }, 1000 * EVERY_SECONDS);
  return draw;
}
