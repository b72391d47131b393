// Several runs together.

import { get } from "../api.js";
import { chart } from "../chart.js";
import { h, quantity, refresh } from "../dom.js";
import { link } from "../state.js";

export function comparison() {
  const curves = chart("comparison", "Best so far", "");
  const list = h("section", { class: "card" });
  return {
    sections: [curves.section, list],
    async update() {
      const data = await get("comparison");
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
              h("span", { class: "muted" }, ` ${quantity(row.spent)} of ${row.budget} · ${row.state} `),
              h("span", { class: row.tone === "good" ? "better" : undefined }, row.headline),
            ),
          ),
        ),
        data.left_out ? h("p", { class: "caption" }, `Runs that are left out: ${data.left_out}.`) : "",
      );
      await curves.draw(data.chart);
    },
  };
}
