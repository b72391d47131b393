"""`evo dashboard`: a page to watch runs live, understand them and steer them.

serving     `serve(path, …)`: the server, its address and its token
beside      `dashboard_beside(run, port)`: the same in a process of its own beside a driver
listening   the socket and the address
app         the routes
access      who may read and who may steer: token, Host and Origin, headers
runs        which runs a folder holds
watching    one run, read beside its driver: what changed, and what was worked out of it
facts       what the page shows of a run, as JSON
figures     the charts that the report does not have; all others are the report's
static/     the page: plain ES modules, its style, no build step

All but `beside` and `listening` load starlette, uvicorn and plotly: import them where a page is served, not before.
"""
