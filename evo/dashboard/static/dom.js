// Builds elements. Every text becomes a text node: nothing that a model or a candidate wrote is ever read as HTML.

const listening = new WeakSet();

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) listening.add(element), element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  element.append(...shown(children));
  return element;
}

const shown = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

// Shows other children in an element. What has not changed stays as it is: a menu that is open, the focus, a part that
// was unfolded, for the results of a live run come in all the time.
export function refresh(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && alike(element, focused).indexOf(focused);
  merge(element, h("div", {}, children));
  if (focused && !focused.isConnected) {
    const others = alike(element, focused);
    (others.find((one) => label(one) === label(focused)) ?? others[place])?.focus({ preventScroll: true });
  }
}

const alike = (element, one) => Array.from(element.querySelectorAll(one.tagName));
const label = (one) => one.getAttribute("href") ?? one.getAttribute("aria-label") ?? one.textContent;

function merge(element, wanted) {
  const [kept, nodes] = [element, wanted].map((one) => Array.from(one.childNodes)); // some move, so they are counted before
  nodes.forEach((node, index) => {
    const before = kept[index];
    if (!before) element.append(node);
    else if (before.open && node.tagName === "DETAILS") node.open = true;
    if (!before || before.isEqualNode(node)) return;
    // What an element does when it is clicked belongs to what it shows.
    const isSame = before.tagName === node.tagName && before.tagName && !listening.has(before) && !listening.has(node);
    if (!isSame) return before.replaceWith(node);
    before.getAttributeNames().forEach((name) => node.hasAttribute(name) || before.removeAttribute(name));
    node.getAttributeNames().forEach((name) => before.setAttribute(name, node.getAttribute(name)));
    merge(before, node);
  });
  kept.slice(nodes.length).forEach((node) => node.remove());
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

// Evaluations: one on a rung counts for its share of the budget.
export const evaluations = (value) => value.toLocaleString("en", { maximumFractionDigits: 2 });

export function seconds(value) {
  if (value < 90) return `${value.toFixed(value < 10 ? 1 : 0)} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  return `${(value / 3600).toFixed(1)} h`;
}

export function moment(at) {
  return new Date(1000 * at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

export const words = (text) => String(text).replaceAll("_", " ");
