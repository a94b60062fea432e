"""Workers as actors of a Ray cluster, a GPU each where there are any."""

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

from pitfalls.bench.chunks import Task
from pitfalls.bench.crew import Lost
from pitfalls.bench.outfit import Answer, Bug, Outfit, Servant
from pitfalls.cache import cache_root
from pitfalls.door.text import reason_of, shortened
from pitfalls.errors import PitfallsError, needs_extra
from pitfalls.models.weights.spread import SPREAD

PATIENCE = 10.0
"""Seconds to wait for an answer from the address of a cluster."""


class RayCrew:
    """An actor for every GPU of a cluster, or for every so many CPU cores as a plain run uses."""

    def __init__(self, outfit: Outfit, address: str | None) -> None:
        """Connect to the cluster; no actor is started yet.

        Args:
            outfit: of a plain run.
            address: of a cluster that runs; None for the one in `RAY_ADDRESS`, else one of this
                machine, which ends with the run.

        Raises:
            PitfallsError: Ray is not installed, no cluster is at the address, or it has no machine
                that a worker fits on.
        """
        self._ray = ray = imported_ray()
        self._mine = not ray.is_initialized()
        if self._mine:
            _connect(ray, address)
        kind = outfit.device.partition(":")[0]
        gpus = 1.0 if kind in ("cuda", SPREAD) else 0.0
        self._needs = {"CPU": float(outfit.threads), "GPU": gpus}
        self._outfit = replace(outfit, device=kind)  # Ray shows an actor no GPU but its own
        self.size = places(ray.nodes(), self._needs)
        if not self.size:
            self.close()
            raise PitfallsError(
                f"no machine of the Ray cluster has {outfit.threads} CPU cores"
                f"{' and a GPU' if self._needs['GPU'] else ''}, which a worker takes: set "
                "OMP_NUM_THREADS to fewer, or give another --device"
            )
        self._actors: dict[int, Any] = {}
        self._workers: dict[Any, int] = {}

    def start(self, worker: int) -> None:
        """Ask the cluster for an actor; it starts once there is room for it."""
        options = {"num_cpus": self._needs["CPU"], "num_gpus": self._needs["GPU"]}
        actor = self._ray.remote(**options)(RayServant)
        self._actors[worker] = actor.remote(self._outfit, str(cache_root()))

    def give(self, worker: int, task: Task) -> None:
        """Send a chunk; `wait` tells if the worker is gone."""
        self._workers[self._actors[worker].do.remote(task)] = worker

    def wait(self) -> tuple[int, Answer | Lost]:
        """The next answer, or which actor is gone."""
        [done], _ = self._ray.wait(list(self._workers), num_returns=1)
        worker = self._workers.pop(done)
        try:
            return worker, self._ray.get(done)
        except self._ray.exceptions.RayTaskError as error:
            return worker, Bug(str(error))
        except self._ray.exceptions.RayError as error:
            return worker, Lost(reason_of(error))

    def close(self) -> None:
        """End every actor, and the connection if it was made here."""
        for actor in self._actors.values() if self._ray.is_initialized() else ():
            self._ray.kill(actor)
        if self._mine:
            self._ray.shutdown()


class RayServant(Servant):
    """A worker in an actor's process."""

    def __init__(self, outfit: Outfit, cache: str) -> None:
        """Take the run's cache where the machine sees it, so that moments are estimated once."""
        if Path(cache).is_dir():
            os.environ["PITFALLS_CACHE"] = cache
        super().__init__(outfit)


def imported_ray() -> Any:
    """The package `ray`.

    Raises:
        PitfallsError: it is not installed.
    """
    try:
        import ray
    except ImportError:
        raise needs_extra("--workers ray", "Ray", extra="ray") from None
    return ray


def check_cluster(address: str | None) -> None:
    """Refuse a cluster that is not there; Ray itself tries for minutes.

    Args:
        address: `HOST:PORT`, `ray://HOST:PORT`, `auto`, or None for the one in `RAY_ADDRESS`.

    Raises:
        PitfallsError: nobody answers there, or it is no address.
    """
    address = address or os.environ.get("RAY_ADDRESS")
    if address in (None, "", "auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        shown = shortened(repr(address))
        raise PitfallsError(f"Ray cluster {shown}: expected HOST:PORT, ray://HOST:PORT or auto")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str | None, error: Exception) -> PitfallsError:
    where = f"the Ray cluster at {address}" if address else "Ray"
    return PitfallsError(
        f"{where} cannot be reached: {reason_of(error)}; start it with `ray start --head`, or give "
        "its address as --workers ray:ADDRESS"
    )


def _connect(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    if address is not None or os.environ.get("RAY_ADDRESS"):
        quiet.pop("include_dashboard")  # a cluster that runs has one or not
    try:
        ray.init(address=address, **quiet)
    except Exception as error:  # of a dozen kinds
        raise _unreachable(address, error) from error


def places(nodes: list[dict[str, Any]], needs: dict[str, float]) -> int:
    """How many workers fit on the machines that are there."""
    return sum(
        min(int(node["Resources"].get(each, 0) // much) for each, much in needs.items() if much)
        for node in nodes
        if node["Alive"]
    )
