"""Engines: what runs the replications, processes on this machine or a cluster.

All of them take a function and its arguments and give back a future of :mod:`concurrent.futures`,
so that their callers need not know which one it is.
"""

import importlib
import logging
import os
import shutil
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import loky

from sim.ending import farewell
from sim.scenario.errors import Problem, ScenarioError

from .worker_processes import deferred_interrupts, end_with

EngineName = Literal["loky", "dask", "ray"]

_CONNECT_TIMEOUT_S = 10
_IDLE_S = 300
_TRIES = 5
_LOOK_EVERY_S = 3.0
_RAY_SILENCE_S = 20.0
"""A head that does not answer for so long is gone. After 60 s Ray would end this process itself."""


class EngineError(Exception):
    """Nothing can be run any more; the message says why."""


class Engine(Protocol):
    """Something that runs functions elsewhere."""

    workers: int
    """How many functions run at the same time."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run ``function`` in a worker, which has to be able to import it.

        The future raises BrokenExecutor if a worker died; on a cluster, which knows whose work it
        did, an error of the cluster's own.

        Raises:
            EngineError: nothing can be run any more.
        """

    def check(self, error: BaseException | None) -> None:
        """See whether the engine can go on: now and then, and whenever a future is done.

        Args:
            error: what the future raised, if it did.

        Raises:
            EngineError: nothing can be run any more.
        """


@contextmanager
def engine(
    name: EngineName = "loky", n_jobs: int = -1, address: str | None = None
) -> Iterator[Engine]:
    """Yield the engine called ``name``; what it has been given and not begun is dropped at the end.

    Args:
        name: ``"loky"`` for processes on this machine, ``"dask"`` or ``"ray"`` for a cluster.
        n_jobs: parallel workers; -1 uses one per core. A running cluster gives all of its own.
        address: of the running cluster; without one a local cluster is started and stopped.

    Raises:
        ScenarioError: the engine is not installed, or nothing answers at the address.
        EngineError: a local cluster cannot be started.
    """
    if name == "loky":
        if address is not None:
            hint = "choose engine=dask or engine=ray"
            raise ScenarioError([Problem("address", "is of a cluster, and engine is loky", hint)])
        yield _Loky(cores() if n_jobs < 0 else n_jobs)
        return
    starting = _dask if name == "dask" else _ray
    with starting(n_jobs, address) as started:
        yield started


def start_early(workers: int) -> None:
    """Start worker processes that will be wanted in a moment, while other things are done.

    Each imports the model, which takes a second.
    """
    for _ in range(workers):
        _Loky(workers).submit(importlib.import_module, "sim.experiment.run")


def cores() -> int:
    """Return how many cores this process may use."""
    return int(loky.cpu_count())


class _Loky:
    """Worker processes, which stay for the next use; a fresh set is started after one has died."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        with deferred_interrupts(), warnings.catch_warnings():
            # The worker that was started early may still be at work when there are to be more.
            warnings.filterwarnings("ignore", "Trying to resize an executor", UserWarning)
            for _ in range(_TRIES):
                try:
                    executor = loky.get_reusable_executor(
                        max_workers=self.workers,
                        timeout=_IDLE_S,
                        initializer=end_with,
                        initargs=(os.getpid(),),
                    )
                    future: Future[Any] = executor.submit(function, *arguments)
                except BrokenExecutor:  # between the two calls, so that nobody here is to blame
                    continue
                except OSError as error:
                    raise EngineError(f"no worker process can be started: {error}") from None
                return future
        raise EngineError("worker processes die as soon as they are started")

    def check(self, error: BaseException | None) -> None:
        """A fresh set of processes can always be started."""


class _Dask:
    def __init__(self, client: Any, where: str) -> None:
        self._executor = client.get_executor(pure=False)
        self._gone = EngineError(f"the scheduler of {where} is gone, or cannot be reached any more")
        self.workers = max(sum(client.nthreads().values()), 1)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        try:
            future: Future[Any] = self._executor.submit(function, *arguments)
        except Exception:  # of a client that is closed, or has lost its connection
            raise self._gone from None
        return future

    def check(self, error: BaseException | None) -> None:
        if isinstance(error, CancelledError):  # by the client: it has lost the connection
            raise self._gone


@contextmanager
def _dask(n_jobs: int, address: str | None) -> Iterator[Engine]:
    distributed = _import("distributed", "dask")
    with _silenced("distributed", "distributed.client", "tornado.application", "asyncio"):
        if address is None:
            with _local_dask(distributed, n_jobs) as cluster, distributed.Client(cluster) as client:
                yield _Dask(client, "the local dask cluster")
            return
        try:
            client = distributed.Client(address, timeout=_CONNECT_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise _no_answer("dask", address, error) from None
        with client:
            try:
                client.wait_for_workers(1, timeout=_CONNECT_TIMEOUT_S)
            except OSError:
                what = f"no dask worker has come to the cluster at '{address}'"
                raise ScenarioError([Problem("address", what, "start some")]) from None
            yield _Dask(client, f"the dask cluster at '{address}'")


def _local_dask(distributed: Any, n_jobs: int) -> Any:
    # Its processes are started by a thread that inherits what is blocked here.
    with deferred_interrupts():
        try:
            return distributed.LocalCluster(
                n_workers=cores() if n_jobs < 0 else n_jobs,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # any port: None would be 8787, with a warning
                silence_logs=logging.CRITICAL,
            )
        except (OSError, RuntimeError) as error:
            raise EngineError(f"no local dask cluster can be started: {_line(error)}") from None


@contextmanager
def _silenced(*names: str) -> Iterator[None]:
    """Let these loggers say only what is critical: what goes wrong is reported by us."""
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


class _Ray:
    def __init__(self, ray: Any, where: str) -> None:
        self._call = ray.remote(_call)
        self._lost = ray.exceptions.LocalRayletDiedError, ray.exceptions.RaySystemError
        self._gone = EngineError(f"the head of {where} is gone, or cannot be reached any more")
        host, _, port = str(ray.get_runtime_context().gcs_address).rpartition(":")
        self._head = host, int(port)
        self._looked = self._answered = time.monotonic()
        self.workers = max(int(ray.cluster_resources().get("CPU", 1)), 1)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = self._call.remote(function, *arguments).future()
        return future

    def check(self, error: BaseException | None) -> None:
        if isinstance(error, self._lost):
            raise self._gone
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return
        self._looked = now
        try:
            socket.create_connection(self._head, _LOOK_EVERY_S).close()
        except OSError:
            if now - self._answered > _RAY_SILENCE_S:
                raise self._gone from None
        else:
            self._answered = now


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


@contextmanager
def _ray(n_jobs: int, address: str | None) -> Iterator[Engine]:
    # A warning of Ray about machines without GPUs, which it calls a future change.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = _import("ray", "ray")
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL"}
    if address is None:
        settings |= {
            "address": "local",
            "num_cpus": cores() if n_jobs < 0 else n_jobs,
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
        }
    else:
        settings |= {"address": address}
        _refuse_silence("ray", address)
    try:
        ray.init(**settings)
    except (ConnectionError, ValueError, RuntimeError) as error:
        if address is None:
            raise EngineError(f"no local ray cluster can be started: {_line(error)}") from None
        raise _no_answer("ray", address, error) from None
    where = "the local ray cluster" if address is None else f"the ray cluster at '{address}'"
    # Its logs and sockets; Ray itself leaves them there for good.
    session = None if address else Path(ray.nodes()[0]["ObjectStoreSocketName"]).parents[1]
    try:
        with farewell(ray.shutdown):  # agents of a local cluster stay for a minute without
            yield _Ray(ray, where)
    finally:
        if session is not None:
            shutil.rmtree(session, ignore_errors=True)


def check_installed(engine: str) -> None:
    """Check that the packages of an engine are there.

    Raises:
        ScenarioError: they are not.
    """
    for module in {"dask": ("distributed",), "ray": ("ray",)}.get(engine, ()):
        _import(module, engine)


def _import(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        hint = f"pip install 'mldelivery[{extra}]'"
        raise ScenarioError([Problem("engine", f"{extra} is not installed", hint)]) from None


def _refuse_silence(name: str, address: str) -> None:
    """Refuse an address HOST:PORT where nobody listens: Ray would wait for many minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or "/" in address:
        return
    try:
        socket.create_connection((host, int(port)), _CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise _no_answer(name, address, error) from None


def _no_answer(name: str, address: str, error: Exception) -> ScenarioError:
    what = f"no {name} cluster answers at '{address}': {_line(error)}"
    return ScenarioError([Problem("address", what, "is it running?")])


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
