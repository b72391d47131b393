// Several runs together.

import { get } from "../api.js";
import { chart } from "../chart.js";
import { evaluations, h, refresh } from "../dom.js";
import { link } from "../state.js";

const EVERY_SECONDS = 3;

export function comparison(page) {
  const curves = chart("comparison", "Best so far", "");
  const list = h("section", { class: "card" });
  const view = {
    sections: [curves.section, list],
    async update() {
      const data = await get("comparison");
      page.runs = data.runs;
      refresh(
        list,
        h("h2", {}, "Runs"),
        h(
          "ul",
          { class: "rows" },
          data.rows.map((row) =>
            h(
              "li",
              {},
              h("a", link({ run: row.name, view: "", id: "", against: "", zoom: "" }), row.name),
              h("span", { class: "muted" }, ` ${evaluations(row.spent)} of ${evaluations(row.budget)} · ${row.state} `),
              h("span", { class: row.tone === "good" ? "better" : undefined }, row.headline),
            ),
          ),
          Object.entries(data.unreadable).map(([name, reason]) =>
            h("li", {}, name, " ", h("span", { class: "worse" }, reason)),
          ),
        ),
        data.left_out ? h("p", { class: "caption" }, `Runs that are left out: ${data.left_out}.`) : "",
      );
      await curves.draw(data.chart);
    },
  };
  // The page is told what changes in one run; this view shows several.
  const timer = setInterval(() => {
    if (!list.isConnected) clearInterval(timer);
    else if (!document.hidden) view.update().catch(() => null); // a server that is gone is told elsewhere
  }, 1000 * EVERY_SECONDS);
  return view;
}
