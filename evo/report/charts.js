// Draws the charts that stand as JSON on the page, in the colours of the page.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const touch = matchMedia("(pointer: coarse)");

function pageColours(layout) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axes = Object.keys(layout).filter((key) => /^[xy]axis/.test(key));
  return {
    "font.color": colour("--ink"),
    "font.family": getComputedStyle(document.body).fontFamily,
    ...Object.fromEntries(axes.map((axis) => [`${axis}.gridcolor`, colour("--line")])),
    "hoverlabel.bgcolor": colour("--raised"),
    "hoverlabel.bordercolor": colour("--muted"),
    "hoverlabel.font.color": colour("--ink"),
    "modebar.color": colour("--muted"),
    "modebar.activecolor": colour("--ink"),
    "modebar.bgcolor": "rgba(0,0,0,0)",
  };
}

// Draws a figure, or redraws it where it was drawn before.
function drawFigure(chart, figure, name) {
  // A finger on a chart scrolls the page; a mouse zooms.
  figure.layout.dragmode = touch.matches ? false : "zoom";
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: touch.matches ? false : "hover",
    modeBarButtonsToRemove: ["select2d", "lasso2d"],
    toImageButtonOptions: { format: "svg", filename: name },
  };
  return Plotly.react(chart, figure.data, figure.layout, config)
    .then(() => Plotly.relayout(chart, pageColours(chart.layout)))
    .then(() => chart.setAttribute("data-drawn", ""));
}

function draw(chart) {
  const figure = JSON.parse(document.getElementById(chart.dataset.figure).textContent);
  return drawFigure(chart, figure, chart.dataset.figure.replace("figure-", ""));
}

document.querySelectorAll("[data-figure]").forEach(draw);
dark.addEventListener("change", () => {
  document.querySelectorAll("[data-drawn]").forEach((chart) => Plotly.relayout(chart, pageColours(chart.layout)));
});
