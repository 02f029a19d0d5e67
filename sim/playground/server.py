"""The web server of the playground: its page, its answers, and scenarios to take along."""

import asyncio
import html
import json
import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from importlib import resources
from string import Template
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sim.configuration.composition import shipped
from sim.configuration.overlay import overlay
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.organization import Scenario

from . import describe
from .answers import answers
from .form import form, links, roadmap_form
from .laboratory import ClosedError, Laboratory
from .pieces import pieces
from .roadmap import paybacks, roadmap_pieces
from .state import FIRST, State, from_query
from .table import as_csv
from .uploads import MOST_BYTES, Uploads, refuse_too_much
from .watch import watch

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
        app.state.uploads = Uploads()
        await asyncio.to_thread(lambda: from_query({}).scenario(FIRST))  # imports what it takes
        yield
        app.state.uploads.close()
        await asyncio.to_thread(laboratory.close)

    routes = [
        Route("/", _page),
        Route("/form", _forms),
        Route("/answers", _answers),
        Route("/roadmap", _roadmap),
        Route("/watch", _watch),
        Route("/scenario.yaml", _scenario),
        Route("/table.csv", _table),
        Route("/upload", _upload, methods=["POST"]),
        Route("/describe", _describe, methods=["POST"]),
        Mount("/static", StaticFiles(packages=[("sim.playground", "static")])),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _refusal(error: ScenarioError) -> Response:
    return PlainTextResponse(str(error), status_code=400)


def _state(request: Request) -> State:
    return from_query(dict(request.query_params), request.app.state.uploads.files)


async def _page(request: Request) -> Response:
    try:
        state, problem = await asyncio.to_thread(_state, request), ""
    except ScenarioError as error:
        state, problem = from_query({}), str(error)
    forms = await asyncio.to_thread(_of_state, request, state)
    text = Template((_FOLDER / "page.html").read_text("utf-8")).substitute(
        forms,
        problem=html.escape(problem),
        most_bytes=MOST_BYTES,
        questions=await asyncio.to_thread(describe.questions_form),
    )
    return HTMLResponse(text, status_code=400 if problem else 200)


def _of_state(request: Request, state: State) -> dict[str, str]:
    """Return the forms of a state by the id of the place where they go."""
    return {
        "controls": form(state, request.app.state.uploads.labels),
        "roadmap_controls": roadmap_form(state),
        "links": links(state),
    }


async def _forms(request: Request) -> Response:
    try:
        state = await asyncio.to_thread(_state, request)
        return JSONResponse(await asyncio.to_thread(_of_state, request, state))
    except ScenarioError as error:
        return _refusal(error)


def _scenarios(state: State) -> dict[str, Scenario]:
    """Return the scenarios of all arms, none of which takes too long.

    Raises:
        ScenarioError: one of them does, or is not valid.
    """
    found = {arm: state.scenario(arm) for arm in state.arms}
    for scenario in found.values():
        refuse_too_much(scenario)
    return found


async def _scenario(request: Request) -> Response:
    query = dict(request.query_params)
    arm = query.pop("arm", FIRST)
    try:
        state = from_query(query, request.app.state.uploads.files)
        if arm not in state.arms:
            raise ScenarioError([Problem("arm", f"'{arm[:40]}' is none", ", ".join(state.arms))])
        files = state.arms[arm].files or shipped("default")
        short = await asyncio.to_thread(overlay, files, state.overrides(arm))
    except ScenarioError as error:
        return _refusal(error)
    name = f"playground_{arm}"
    own = state.arms[arm].files is not None
    words = (
        ""
        if own
        else f"# which gives the numbers of the page, as does\n#   {_command(state, arm)}\n"
    )
    text = (
        f"# Organization {arm.upper()} of the playground. In the folder of this file:\n"
        f"#   python -m sim --config-dir=. --config-name={name}\n"
        f"{words}"
        f"# With --cfg job --resolve the first command prints all values.\n"
        f"{short}"
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


def _command(state: State, arm: str) -> str:
    return shlex.join(["python", "-m", "sim", *state.overrides(arm)])


async def _upload(request: Request) -> Response:
    try:
        content = await _posted(request, "application/yaml", MOST_BYTES)
        name = await asyncio.to_thread(request.app.state.uploads.add, content)
    except ScenarioError as error:
        return _refusal(error)
    return JSONResponse(_kept(request, name))


async def _describe(request: Request) -> Response:
    try:
        content = await _posted(request, "application/json", describe.MOST_BYTES)
        text = await asyncio.to_thread(describe.yaml_of_answers, content)
        name = await asyncio.to_thread(request.app.state.uploads.add, text.encode())
    except ScenarioError as error:
        return _refusal(error)
    return JSONResponse({**_kept(request, name), "text": text})


def _kept(request: Request, name: str) -> dict[str, str]:
    return {"name": name, "label": request.app.state.uploads.labels[name]}


async def _posted(request: Request, kind: str, most_bytes: int) -> bytes:
    """Return what was sent, of which one byte too many is enough to see that it is too much.

    Raises:
        ScenarioError: it is not of the kind that only scripts of this page can send: no form of
            another site can, without asking first.
    """
    if request.headers.get("content-type") != kind:
        raise ScenarioError([Problem("the file", f"has to be sent as {kind}")])
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > most_bytes:
            return content[: most_bytes + 1]
    return content


Lines = AsyncGenerator[Mapping[str, Any]]


async def _answers(request: Request) -> Response:
    async def lines(state: State) -> Lines:
        scenarios = await asyncio.to_thread(_scenarios, state)
        yield {}
        async with aclosing(answers(state, scenarios, request.app.state.laboratory)) as found:
            async for answer in found:
                yield await asyncio.to_thread(pieces, answer, state)

    return await _streamed(request, lines)


async def _roadmap(request: Request) -> Response:
    async def lines(state: State) -> Lines:
        scenario = await asyncio.to_thread(state.scenario_with_roadmap)
        await asyncio.to_thread(refuse_too_much, scenario)
        yield {}
        laboratory = request.app.state.laboratory
        async with aclosing(paybacks(scenario, state.replications, laboratory)) as found:
            async for payback in found:
                yield await asyncio.to_thread(roadmap_pieces, payback, state.replications)

    return await _streamed(request, lines)


async def _watch(request: Request) -> Response:
    async def lines(state: State) -> Lines:
        scenarios = await asyncio.to_thread(_scenarios, state)
        yield {}
        found = await asyncio.gather(
            *(request.app.state.laboratory.stays(each) for each in scenarios.values())
        )
        seen = dict(zip(scenarios, found, strict=True))
        yield {"progress": "done", "watch": await asyncio.to_thread(watch, seen)}

    return await _streamed(request, lines)


async def _table(request: Request) -> Response:
    try:
        state = await asyncio.to_thread(_state, request)
        scenarios = await asyncio.to_thread(_scenarios, state)
    except ScenarioError as error:
        return _refusal(error)
    with _counted(request) as is_free:
        if not is_free:
            return PlainTextResponse(_TOO_MANY, status_code=503)
        try:
            async with aclosing(answers(state, scenarios, request.app.state.laboratory)) as found:
                async for answer in found:
                    last = answer
        except (RuntimeError, ClosedError) as error:
            return PlainTextResponse(str(error) or _ENDED, status_code=503)
    text = await asyncio.to_thread(as_csv, last.comparison)
    headers = {"Content-Disposition": 'attachment; filename="playground.csv"'}
    return Response(text, media_type="text/csv", headers=headers)


async def _streamed(request: Request, lines: Callable[[State], Lines]) -> Response:
    """Answer with lines of JSON, each of which says what to put where on the page.

    Args:
        request: with the state of the page.
        lines: yields them, an empty one first as soon as it knows that it can.
    """
    try:
        state = await asyncio.to_thread(_state, request)
        found = lines(state)
        await anext(found)
    except ScenarioError as error:
        return _refusal(error)

    # Starlette ends this where it waits when the page goes away; that stops the work.
    async def streamed() -> AsyncIterator[str]:
        with _counted(request) as is_free:
            if not is_free:
                yield _problem(_TOO_MANY)
                return
            try:
                async with aclosing(found):
                    async for line in found:
                        yield json.dumps(line) + "\n"
            except RuntimeError as error:
                yield _problem(f"The simulation failed: {error}")
            except ClosedError:
                yield _problem(_ENDED)

    return StreamingResponse(
        streamed(), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"}
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
