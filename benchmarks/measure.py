"""Rounds over all servers by turns, so that what else the machine does meets them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.client import Refused
from benchmarks.data import KINDS
from benchmarks.servers import Process, Server
from benchmarks.workloads import Collection, Sample, Workload


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Attributes:
        sizes: items in a collection, by name of the server.
        slot_s: how long one measurement of one server repeats its request.
        timeout_s: a request that takes longer takes the workload off that server.
        budget_s: when it is over, no further measurement begins.
    """

    workloads: Sequence[Workload]
    sizes: Mapping[str, Sequence[int]]
    seed: int
    rounds: int
    slot_s: float
    timeout_s: float
    budget_s: float


@dataclass(slots=True)
class Cell:
    """What is known of one workload at one size on one server."""

    samples: list[Sample] = field(default_factory=list)
    error: str | None = None

    def summary(self, workload: Workload) -> dict[str, object]:
        """As it stands in the JSON; ``value`` is the median of the rounds, in requests a second or milliseconds."""
        if not self.samples:
            return {"error": self.error or "not measured"}
        values = [_value(sample, workload) for sample in self.samples]
        every = sorted(latency for sample in self.samples for latency in sample.latencies_s)
        told: dict[str, object] = {
            "value": round(statistics.median(values), 4),
            "rounds": [round(value, 4) for value in values],
            "requests": len(every),
            "p50_ms": round(1000 * statistics.median(every), 4),
            "p99_ms": round(1000 * every[min(len(every) - 1, len(every) * 99 // 100)], 4),
        }
        first = self.samples[0]
        if first.first_s is not None:
            told["first_ms"] = round(1000 * first.first_s, 4)
        if first.found is not None:
            told["found"] = first.found
        if self.error:
            told["error"] = self.error
        return told


def _value(sample: Sample, workload: Workload) -> float:
    if workload.rate:
        return len(sample.latencies_s) / sample.wall_s
    return 1000 * statistics.median(sample.latencies_s)


@dataclass(slots=True)
class Outcome:
    """
    All that a run found.

    Attributes:
        cells: by workload, size and server, the names as in the plan.
        starts_s: seconds to the first answer: over a filled folder for the first time, and again after all of it.
        memory_mb: resident memory at the first answer, after all of it, and the highest.
    """

    cells: dict[str, dict[int, dict[str, Cell]]]
    starts_s: dict[str, dict[str, float]]
    memory_mb: dict[str, dict[str, float]]


def fill(servers: Sequence[Server], plan: Plan, tell: Callable[[str], None]) -> None:
    """Write every collection that the plan needs."""
    kinds = {workload.kind.name for workload in plan.workloads}
    for server in servers:
        for kind in (KINDS[name] for name in KINDS if name in kinds):
            for size in _sizes_of(plan, server, kind.largest):
                tell(f"{server.name}: writing {size} {kind.name}")
                server.fill(kind, size, plan.seed)


def measure(processes: Sequence[Process], plan: Plan, tell: Callable[[str], None]) -> Outcome:
    """Measure running, filled servers as planned."""
    outcome = Outcome({}, {}, {})
    for process in processes:
        outcome.starts_s[process.server.name] = {"first": round(process.started_s, 3)}
        outcome.memory_mb[process.server.name] = {"started": process.memory_mb()["now"]}
    collections: dict[tuple[str, str, int], Collection] = {}
    until = time.monotonic() + plan.budget_s
    for workload in plan.workloads:
        for size in _sizes_in_all(plan, workload, processes):
            taking_part = [process for process in processes if size in plan.sizes[process.server.name]]
            cells = {process.server.name: Cell() for process in taking_part}
            outcome.cells.setdefault(workload.name, {})[size] = cells
            for number in range(1 if workload.once else plan.rounds):
                turn = number % len(taking_part)
                for process in taking_part[turn:] + taking_part[:turn]:
                    server, cell = process.server, cells[process.server.name]
                    collection = collections.setdefault(
                        (server.name, workload.kind.name, size),
                        Collection(server, workload.kind, size, plan.seed, plan.slot_s, plan.timeout_s),
                    )
                    if time.monotonic() > until:
                        cell.error = "the time for the whole run was over"
                    elif cell.error is None:
                        _sample(workload, collection, cell, process)
            tell(f"{workload.name} {size}: " + ", ".join(_in_short(name, cells[name], workload) for name in cells))
    for process in processes:
        memory = process.memory_mb()
        outcome.memory_mb[process.server.name] |= {"after": memory["now"], "highest": memory["highest"]}
    return outcome


def _sample(workload: Workload, collection: Collection, cell: Cell, process: Process) -> None:
    try:
        with collection.client() as client:
            cell.samples.append(workload.run(collection, client))
    except TimeoutError:
        cell.error = f"a request took more than {collection.timeout_s:g} s"
        process.restart()
    except (OSError, Refused) as failure:
        cell.error = str(failure) or type(failure).__name__


def _sizes_in_all(plan: Plan, workload: Workload, processes: Sequence[Process]) -> list[int]:
    largest = workload.kind.largest
    return sorted({size for process in processes for size in _sizes_of(plan, process.server, largest)})


def _sizes_of(plan: Plan, server: Server, largest: int) -> list[int]:
    """The sizes up to the largest of a kind; the smallest one in any case."""
    sizes = sorted(plan.sizes[server.name])
    return [size for size in sizes if size <= largest] or sizes[:1]


def _in_short(name: str, cell: Cell, workload: Workload) -> str:
    value = cell.summary(workload).get("value")
    return f"{name} - ({cell.error})" if value is None else f"{name} {value:g}{'/s' if workload.rate else ' ms'}"
