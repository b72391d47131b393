"""The routes of the dashboard: the page, its data, its events, and what steers a run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from evo.dashboard import facts, figures
from evo.dashboard.access import Access, Guard
from evo.dashboard.watching import WatchedRun
from evo.report.data import RunReport
from evo.report.figures import Chart
from evo.report.front import front_chart, hypervolume_chart
from evo.report.progress import progress_chart
from evo.report.tree import tree_chart
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import Viewed
from evo.runs.steering import as_genome, ask
from evo.steering.actions import Action, Verb, user
from trainer.errors import EvoError, UsageError

_STATIC = Path(__file__).parent / "static"
_REPORT = Path(facts.__file__).parent.parent / "report"
_MOST_BODY_BYTES = 2**20
_MOST_COMPARED = 12

_FIGURES: Mapping[str, Callable[[Viewed, RunReport], Chart]] = {
    "progress": lambda _, report: progress_chart(report),
    "tree": lambda _, report: tree_chart(report),
    "hypervolume": lambda _, report: hypervolume_chart(report),
    "slots": lambda viewed, _: figures.slots_chart(viewed),
}
_OF_CONSTANTS: Mapping[str, Callable[[figures.Constants], Chart]] = {
    "parallel": figures.parallel_chart,
    "importance": figures.importance_chart,
}


class Board:
    """The routes over some runs.

    Args:
        find: returns the runs by name; asked again for those that have begun since.
        access: what requests need.
    """

    def __init__(self, find: Callable[[], Mapping[str, RunFolder]], access: Access) -> None:
        self._access = access
        self._find = find
        self._runs = {name: WatchedRun(folder) for name, folder in find().items()}
        self.is_ending = asyncio.Event()

    def application(self) -> Starlette:
        """Return the ASGI application."""
        files = {str(path.relative_to(_STATIC)): path for path in _STATIC.rglob("*") if path.is_file()}
        files |= {name: _REPORT / name for name in ("report.css", "charts.js")}

        async def static(request: Request) -> Response:
            path = files.get(request.path_params["name"])
            return FileResponse(path) if path is not None else _refusal(404, "There is no such file.")

        plotly = get_plotlyjs().encode()

        async def library(_: Request) -> Response:
            return Response(plotly, media_type="text/javascript", headers={"cache-control": "private, max-age=86400"})

        routes = [
            Route("/", self._page),
            Route("/static/plotly.js", library),
            Route("/static/{name:path}", static),
            Route("/api/runs", self._listing),
            Route("/api/overview", self._overview),
            Route("/api/live", self._live),
            Route("/api/individuals", self._individuals),
            Route("/api/individual", self._individual),
            Route("/api/figure", self._figure),
            Route("/api/comparison", self._comparison),
            Route("/api/events", self._events),
            Route("/api/steer", self._steer, methods=["POST"]),
        ]

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            first = next(iter(self._runs.values()))
            reading = asyncio.create_task(first.report("overview", facts.overview))  # before a browser asks for it
            yield
            await asyncio.gather(reading, return_exceptions=True)
            await asyncio.gather(*(run.close() for run in self._runs.values()))

        return Starlette(
            routes=routes,
            lifespan=lifespan,
            middleware=[Middleware(Guard, access=self._access), Middleware(GZipMiddleware, minimum_size=2000)],
            exception_handlers={EvoError: _failed},
        )

    async def _page(self, request: Request) -> Response:
        response = FileResponse(_STATIC / "index.html")
        if "token" in request.query_params:
            response.set_cookie(self._access.cookie, self._access.token, httponly=True, samesite="strict", path="/")
        return response

    async def _look_again(self) -> None:
        with suppress(EvoError):
            found = await asyncio.to_thread(self._find)
            self._runs |= {name: WatchedRun(folder) for name, folder in found.items() if name not in self._runs}

    async def _listing(self, _: Request) -> Response:
        await self._look_again()
        return _json({"runs": [*self._runs], "read_only": self._access.read_only})

    async def _overview(self, request: Request) -> Response:
        run = self._run(request)
        return _json({"version": run.version} | await run.report("overview", facts.overview))

    async def _live(self, request: Request) -> Response:
        return _json(await self._run(request).live())

    async def _individuals(self, request: Request) -> Response:
        run = self._run(request)
        return _json({"version": run.version} | await run.report("individuals", facts.individuals))

    async def _individual(self, request: Request) -> Response:
        number, against = _number(request, "id"), _number(request, "against")
        if number is None:
            raise UsageError("Expected the number of an individual as `id`.")
        key = f"individual {number} {against}"
        run = self._run(request)
        return _json(await run.read(key, lambda viewed: facts.individual(viewed, number, against), keep=False))

    async def _figure(self, request: Request) -> Response:
        run, name = self._run(request), request.query_params.get("name", "")
        draw, of_constants = _FIGURES.get(name), _OF_CONSTANTS.get(name)
        if of_constants is not None:
            known = await run.numbers()
            constants = await run.report("constants", lambda _, report: figures.constants_of(report, known))
            # Beside the reading thread: the library behind takes seconds to load.
            return _json(figures.chart_json(await asyncio.to_thread(of_constants, constants)))
        if name == "front":
            axes = request.query_params.get("x", ""), request.query_params.get("y", "")
            return _json(
                figures.chart_json(await run.report(f"figure {name} {axes}", lambda _, one: _front(one, axes)))
            )
        if draw is None:
            return _refusal(404, f"There is no chart called {name!r}.")
        return _json(figures.chart_json(await run.report(f"figure {name}", draw)))

    async def _comparison(self, request: Request) -> Response:
        chosen = self._run(request)
        await self._look_again()
        ordered = sorted(self._runs.items(), key=lambda item: item[1] is not chosen)
        runs = dict(ordered[:_MOST_COMPARED])
        reports, unreadable = {}, {}
        for name, run in runs.items():
            try:
                reports[name] = await run.report("whole report", lambda _, report: report)
            except EvoError as error:
                unreadable[name] = str(error)
        rows = [{"name": name, **facts.listing(report)} for name, report in reports.items()]
        chart = figures.chart_json(figures.comparison_chart(reports))
        left_out = len(self._runs) - len(runs)
        told = {"rows": rows, "unreadable": unreadable, "chart": chart, "runs": [*self._runs], "left_out": left_out}
        return _json(told)

    async def _events(self, request: Request) -> Response:
        run = self._run(request)

        async def changes() -> AsyncIterator[dict[str, str]]:
            versions = run.versions()
            coming: asyncio.Future[Any]
            coming = ending = asyncio.create_task(self.is_ending.wait())
            try:
                while True:
                    coming = asyncio.ensure_future(anext(versions))
                    await asyncio.wait([coming, ending], return_when=asyncio.FIRST_COMPLETED)
                    if ending.done():
                        return
                    yield {"event": "changed", "data": str(await coming)}
            finally:
                coming.cancel()
                ending.cancel()

        return EventSourceResponse(changes(), ping=15)

    async def _steer(self, request: Request) -> Response:
        run = self._run(request)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BODY_BYTES:
                return _refusal(413, f"A request may have {_MOST_BODY_BYTES:,} bytes.")
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            raise UsageError("A request must be JSON.") from None
        action = Action.from_json({**data, "who": f"{user()} (dashboard)"} if isinstance(data, dict) else data)
        if action.verb is Verb.INJECT:
            source = await run.read("genome", lambda viewed: as_genome(viewed, action.text), keep=False)
            action = replace(action, text=source)
        answer = await asyncio.to_thread(ask, run.folder.path, action)
        refused = "" if answer.steered is None else answer.steered.refused
        return _json({"said": str(answer), "refused": refused, "is_taken": answer.steered is not None})

    def _run(self, request: Request) -> WatchedRun:
        name = request.query_params.get("run", "")
        run = self._runs.get(name) if name else next(iter(self._runs.values()))
        if run is None:
            raise UsageError(f"This dashboard shows no run called {name!r}.")
        return run


def _front(report: RunReport, names: tuple[str, str]) -> Chart:
    """Return the chart of the front over two objectives by their names; over its own where a name is empty."""
    if not report.front_objectives:
        raise UsageError("One objective is measured, so there is no front.")
    measured = {one.name: one for one in report.objectives}
    if unknown := [name for name in names if name and name not in measured]:
        raise UsageError(f"Expected objectives of the run ({', '.join(measured)}), but got {unknown[0][:40]!r}.")
    own = report.front_objectives[:2]
    return front_chart(report, [measured[name] if name else one for name, one in zip(names, own, strict=True)])


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise UsageError(f"Expected the number of an individual as `{name}`, but got {text[:40]!r}.")
    return int(text)


def _json(data: Any) -> Response:
    return Response(json.dumps(data, cls=PlotlyJSONEncoder, separators=(",", ":")), media_type="application/json")


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)


def _failed(_: Request, error: Exception) -> Response:
    return _refusal(400 if isinstance(error, UsageError) else 500, str(error))
