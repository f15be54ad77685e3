"""The result as JSON, and as tables that can be pasted into a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.measure import Outcome, Plan
from benchmarks.workloads import WORKLOADS

Result = Mapping[str, Any]  # as in the JSON; `result_of` says what stands in it


def result_of(outcome: Outcome, plan: Plan, versions: Mapping[str, str], durability: str) -> dict[str, Any]:
    """
    All of a run as JSON values.

    ``results`` has, by workload, size and server, ``value`` (median of the rounds; ``unit`` says of what), ``rounds``,
    ``requests``, ``p50_ms``, ``p99_ms`` and where it makes sense ``first_ms`` and ``found``; or ``error``.
    ``ratios`` has, by workload and size, how many times as fast as each peer we are; ``growth`` our cost at each size
    against the smallest one.
    """
    results = {
        name: {
            "unit": "req/s" if WORKLOADS[name].rate else "ms",
            "sizes": {
                str(size): {server: cell.summary(WORKLOADS[name]) for server, cell in cells.items()}
                for size, cells in sizes.items()
            },
        }
        for name, sizes in outcome.cells.items()
    }
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "system": platform.system(), "python": platform.python_version()},
        "servers": dict(versions),
        "durability": durability,
        "seed": plan.seed,
        "rounds": plan.rounds,
        "sizes": {name: list(sizes) for name, sizes in plan.sizes.items()},
        **_with_comparisons(results),
        "starts_s": outcome.starts_s,
        "memory_mb": outcome.memory_mb,
    }


def _ratios(result: Result) -> dict[str, dict[str, float]]:
    told: dict[str, dict[str, float]] = {}
    for size, cells in result["sizes"].items():
        own = cells.get("davserver", {}).get("value")
        others = {name: cell["value"] for name, cell in cells.items() if name != "davserver" and "value" in cell}
        if own:
            told[size] = {name: round(_times_as_fast(own, other, result["unit"]), 2) for name, other in others.items()}
    return told


def _growth(result: Result) -> dict[str, float]:
    values = {size: cells.get("davserver", {}).get("value") for size, cells in result["sizes"].items()}
    known = {size: value for size, value in values.items() if value}
    first = next(iter(known.values()), 0.0)
    return {size: round(1 / _times_as_fast(value, first, result["unit"]), 2) for size, value in known.items()}


def _times_as_fast(own: float, other: float, unit: str) -> float:
    return own / other if unit == "req/s" else other / own


def merged(parts: Sequence[Result]) -> dict[str, Any]:
    """
    Runs of the same servers that were measured in parts, as if in one; starts and memory are those of the first.

    Raises:
        ValueError: they are not of the same servers in the same versions.
    """
    results: dict[str, Any] = {}
    for part in parts:
        if part["servers"] != parts[0]["servers"]:
            raise ValueError(f"servers differ: {parts[0]['servers']} and {part['servers']}")
        for name, told in part["results"].items():
            results.setdefault(name, {**told, "sizes": {}})["sizes"].update(told["sizes"])
    for told in results.values():
        told["sizes"] = {size: told["sizes"][size] for size in sorted(told["sizes"], key=int)}
    return {**parts[0], **_with_comparisons({name: results[name] for name in WORKLOADS if name in results})}


def _with_comparisons(results: Result) -> dict[str, Any]:
    return {
        "results": results,
        "ratios": {name: _ratios(result) for name, result in results.items()},
        "growth": {name: _growth(result) for name, result in results.items()},
    }


def tables(result: Result) -> str:
    """Markdown: values with our ratios, growth, starts and memory, and what did not run or was answered differently."""
    names = list(result["servers"])
    parts = [_values(result, names)]
    if any(len(sizes) > 1 for sizes in result["growth"].values()):
        parts.append(_growths(result))
    parts.append(_costs(result, names))
    remarks = _remarks(result)
    if remarks:
        parts.append("Answers that differ, and what was not measured:\n\n" + "\n".join(f"- {line}" for line in remarks))
    return "\n\n".join(parts) + "\n"


def _values(result: Result, names: Sequence[str]) -> str:
    rows = []
    for workload, told in result["results"].items():
        for size, cells in told["sizes"].items():
            ratios = result["ratios"][workload].get(size, {})
            unit = "p50 / p99 ms" if workload == "mixed_poll_p50" else told["unit"]
            shown = [_shown(cells.get(name), unit, ratios.get(name)) for name in names]
            rows.append([workload, unit, size, *shown])
    return _table(["workload", "unit", "items", *names], rows)


def _shown(cell: Mapping[str, Any] | None, unit: str, ratio: float | None) -> str:
    if cell is None or "value" not in cell:
        return "–"
    text = f"{_figure(cell['p50_ms'])} / {_figure(cell['p99_ms'])}" if "/ p99" in unit else _figure(cell["value"])
    return text if ratio is None else f"{text} (× {_figure(ratio)})"


def _growths(result: Result) -> str:
    sizes = sorted({size for growth in result["growth"].values() for size in growth}, key=int)
    rows = [
        [workload, *(_figure(growth[size]) if size in growth else "" for size in sizes)]
        for workload, growth in result["growth"].items()
        if len(growth) > 1
    ]
    return _table(["cost against the smallest size", *sizes], rows)


def _costs(result: Result, names: Sequence[str]) -> str:
    rows = [["start over a filled folder, s", *(_figure(result["starts_s"][name]["first"]) for name in names)]]
    if all("again" in result["starts_s"][name] for name in names):
        rows.append(["start after all of it, s", *(_figure(result["starts_s"][name]["again"]) for name in names)])
    for key, title in (
        ("started", "memory at the first answer, MB"),
        ("after", "after all of it"),
        ("highest", "most"),
    ):
        rows.append([title, *(_figure(result["memory_mb"][name][key]) for name in names)])
    return _table(["cost", *names], rows)


def _remarks(result: Result) -> list[str]:
    lines = []
    for workload, told in result["results"].items():
        for size, cells in told["sizes"].items():
            found = {name: cell["found"] for name, cell in cells.items() if "found" in cell}
            if len(set(found.values())) > 1:
                lines.append(f"{workload} {size}: " + ", ".join(f"{name} {number}" for name, number in found.items()))
            lines += [f"{workload} {size}: {name}: {cell['error']}" for name, cell in cells.items() if "error" in cell]
    return lines


def _figure(value: float) -> str:
    """Three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
