"""The report of a run: one HTML file that opens without a network.

    loading    `load_report(viewed)`: from a run's store to what its report shows
    writing    `write_report(viewed)`: loads, renders, and replaces the file
    data       what a report shows, as plain dataclasses; knows nothing of the store
    diffs      the steps of the best line as highlighted unified diffs
    outcome    what the run found, in one honest sentence
    family     where each individual stands in the family tree
    figures    what the charts share
    progress, front, tree, operators      the charts, as plotly figures
    tables     what the charts show, as tables
    images     charts as PDF, SVG and PNG
    templates  what no expression of a template can forget: texts made harmless
    render     `render_report(data)`: all of it together
    report.html, report.css, charts.js    the page itself

`render` loads plotly, jinja2 and pygments: import it where a report is made, not before.
"""
