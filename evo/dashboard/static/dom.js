// Builds elements. Every text becomes a text node: nothing that a model or a candidate wrote is ever read as HTML.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function quantity(value, signed = false) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : signed ? "+" : "";
  if ((size && size < 1e-3) || size >= 1e12) return sign + String(Number(size.toPrecision(3))).replace("-", "−");
  const decimals = Number.isInteger(value) && size < 1000 ? 0 : size < 100 ? 4 : size < 1000 ? 2 : 0;
  const text = size.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return sign + text;
}

export function withError(value, error) {
  if (value === null || value === undefined) return [h("span", { class: "muted" }, "–")];
  const margin = error ? ` ± ${quantity(error)}` : "";
  return [h("b", {}, quantity(value)), h("span", { class: "muted" }, margin)];
}

export function seconds(value) {
  if (value < 90) return `${value.toFixed(value < 10 ? 1 : 0)} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  return `${(value / 3600).toFixed(1)} h`;
}

export function moment(at) {
  return new Date(1000 * at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

export const words = (text) => String(text).replaceAll("_", " ");
