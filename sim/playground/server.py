"""The web server of the playground: its page, its answers, and scenarios to take along."""

import asyncio
import html
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from importlib import resources
from string import Template

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sim.configuration.dump import to_yaml
from sim.report.animation import INSTALL, WEEKS, is_possible
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.organization import Scenario
from sim.words import readable

from .answers import answers
from .form import form
from .laboratory import ClosedError, Laboratory
from .pieces import pieces
from .state import ARMS, State, defaults, from_query

MOST_PAGES = 64
"""Pages that may wait for answers at the same time; more are asked to come back."""

_TOO_MANY = f"{MOST_PAGES} pages are being answered already; close some, or try again."
_ENDED = "The playground was ended."
_FOLDER = resources.files("sim.playground")


def stop_answering(app: Starlette) -> None:
    """End all answers that are under way, so that the server can be ended; from any thread."""
    if hasattr(app.state, "laboratory"):
        app.state.loop.call_soon_threadsafe(app.state.laboratory.stop)


def application(workers: int) -> Starlette:
    """Return the playground as an ASGI application.

    Args:
        workers: number of processes that simulate.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        laboratory = Laboratory(workers)
        laboratory.warm_up()
        app.state.loop = asyncio.get_running_loop()
        app.state.laboratory = laboratory
        app.state.pages = 0
        await asyncio.to_thread(lambda: from_query({}).scenario(ARMS[0]))  # imports what it takes
        yield
        await asyncio.to_thread(laboratory.close)

    routes = [
        Route("/", _page),
        Route("/answers", _answers),
        Route("/scenario.yaml", _scenario),
        Route("/animation", _animation),
        Route("/plotly.js", _plotly),
        Mount("/static", StaticFiles(packages=[("sim.playground", "static")])),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _refusal(error: ScenarioError) -> Response:
    return PlainTextResponse(str(error), status_code=400)


async def _page(request: Request) -> Response:
    try:
        state, problem = from_query(_single(request)), ""
    except ScenarioError as error:
        state, problem = from_query({}), str(error)
    text = Template((_FOLDER / "page.html").read_text("utf-8")).substitute(
        form=await asyncio.to_thread(form, state),
        problem=html.escape(problem),
        defaults=html.escape(json.dumps(defaults())),
    )
    return HTMLResponse(text, status_code=400 if problem else 200)


def _single(request: Request) -> Mapping[str, str]:
    return dict(request.query_params)


async def _of_one_arm(request: Request) -> tuple[str, State, Scenario]:
    """Return which arm is asked for, the state of the page, and the arm's scenario."""
    query = dict(_single(request))
    arm = query.pop("arm", ARMS[1])
    if arm not in ARMS:
        raise ScenarioError([Problem("arm", f"'{arm[:40]}' is none", "a or b")])
    state = from_query(query)
    return arm, state, await asyncio.to_thread(state.scenario, arm)


async def _animation(request: Request) -> Response:
    try:
        arm, state, scenario = await _of_one_arm(request)
    except ScenarioError as error:
        return _refusal(error)
    if not is_possible():
        text = f"The animation needs vidigi: {INSTALL}\n"
        return PlainTextResponse(text, status_code=501)
    text = (_FOLDER / "animation.html").read_text("utf-8")
    title = f"Organization {arm.upper()}: {readable(state.arms[arm].organization)}"
    before, _, after = (
        Template(text).substitute(title=html.escape(title), weeks=WEEKS).partition("<!-- here -->")
    )

    async def parts() -> AsyncIterator[str]:
        yield before
        with _counted(request) as is_free:
            yield await _moving(request, scenario) if is_free else _TOO_MANY
        yield after

    return StreamingResponse(parts(), media_type="text/html")


async def _moving(request: Request, scenario: Scenario) -> str:
    try:
        made: str = await request.app.state.laboratory.animation(scenario)
    except RuntimeError as error:
        return f"<p>The simulation failed: {html.escape(str(error))}</p>"
    except ClosedError:
        return f"<p>{_ENDED}</p>"
    return made


async def _plotly(_: Request) -> Response:
    from plotly.offline import get_plotlyjs

    return Response(
        await asyncio.to_thread(get_plotlyjs),
        media_type="text/javascript",
        headers={"Cache-Control": "max-age=86400"},
    )


async def _scenario(request: Request) -> Response:
    try:
        arm, state, scenario = await _of_one_arm(request)
    except ScenarioError as error:
        return _refusal(error)
    name = f"playground_{arm}"
    text = (
        f"# Organization {arm.upper()} of the playground. In the folder of this file:\n"
        f"#   python -m sim --config-dir=. --config-name={name}\n"
        f"# which gives the numbers of the page, as does\n"
        f"#   python -m sim {' '.join(state.overrides(arm))}\n"
        f"{to_yaml(scenario)}"
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


async def _answers(request: Request) -> Response:
    laboratory: Laboratory = request.app.state.laboratory
    try:
        state = from_query(_single(request))
        scenarios = {arm: await asyncio.to_thread(state.scenario, arm) for arm in ARMS}
    except ScenarioError as error:
        return _refusal(error)

    # Starlette ends this where it waits when the page goes away; that stops the work.
    async def lines() -> AsyncIterator[str]:
        with _counted(request) as is_free:
            if not is_free:
                yield _problem(_TOO_MANY)
                return
            try:
                async with aclosing(answers(state, scenarios, laboratory)) as found:
                    async for answer in found:
                        yield json.dumps(await asyncio.to_thread(pieces, answer, state)) + "\n"
            except RuntimeError as error:
                yield _problem(f"The simulation failed: {error}")
            except ClosedError:
                yield _problem(_ENDED)

    return StreamingResponse(
        lines(), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"}
    )


def _problem(text: str) -> str:
    return json.dumps({"problem": html.escape(text), "progress": "no answer"}) + "\n"


@contextmanager
def _counted(request: Request) -> Iterator[bool]:
    """Count one more page that is answered, and say whether that is not too many."""
    state = request.app.state
    state.pages += 1
    try:
        yield state.pages <= MOST_PAGES
    finally:
        state.pages -= 1
