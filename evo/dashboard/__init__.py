"""`evo dashboard`: a page to watch runs live, understand them and steer them.

serving     `serve(path, …)`: the server, its address and its token
app         the routes
access      who may read and who may steer: token, Host and Origin, headers
runs        which runs a folder holds
watching    one run, read beside its driver: what changed, and what was worked out of it
facts       what the page shows of a run, as JSON
figures     the charts that the report does not have; all others are the report's
static/     the page: plain ES modules, its style, no build step

It loads starlette, uvicorn and plotly: import it where a page is served, not before.
"""
