"""``python -m benchmarks``: fill, start, measure, tell."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import Outcome, Plan, fill, measure
from benchmarks.report import merged, result_of, tables
from benchmarks.servers import ROOT, Process, Server, ours, radicale, versions, xandikos
from benchmarks.workloads import WORKLOADS

PEERS = ("radicale", "xandikos")
_EPILOG = """\
The peers are started from an environment of their own, which is made once:
  python3 -m venv .venv-peers && .venv-peers/bin/pip install -r benchmarks/requirements.txt

examples:
  python -m benchmarks                                        ours alone, 1,000 items
  python -m benchmarks --servers davserver,radicale,xandikos --sizes 1000,10000,50000 --json result.json
  python -m benchmarks --only idle_poll,sync_1_change --sizes 1000,50000
  python -m benchmarks --table result.json                    print an earlier result again, or several as one
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run it and answer the exit code: 0 done, 1 a server did not start, 2 the arguments make no sense."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.table:
        parts = [json.loads(file.read_text(encoding="utf-8")) for file in arguments.table]
        try:
            print(tables(merged(parts)), end="")
        except ValueError as failure:
            parser.error(str(failure))
        return 0
    python = arguments.peers / "bin" / "python"
    if set(arguments.servers) & set(PEERS) and not python.exists():
        parser.error(f"{python} is not there; `python -m benchmarks --help` says how to make it")
    names = [name for name in WORKLOADS if name in (arguments.only or WORKLOADS) and name not in arguments.skip]
    plan = Plan(
        [WORKLOADS[name] for name in names],
        {name: _sizes(arguments, name) for name in arguments.servers},
        arguments.seed,
        arguments.rounds,
        arguments.slot,
        arguments.timeout,
        arguments.budget,
    )
    found = versions(python) if set(arguments.servers) & set(PEERS) else {}
    named = {name: found.get(name, "") or _commit() for name in arguments.servers}
    try:
        with tempfile.TemporaryDirectory(prefix="davserver-bench-", dir=arguments.folder) as folder:
            outcome = _run(plan, _servers(arguments, Path(folder), python))
    except RuntimeError as failure:
        _tell(str(failure))
        return 1
    result = result_of(outcome, plan, named, arguments.durability)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(tables(result), end="")
    return 0


def _run(plan: Plan, servers: Sequence[Server]) -> Outcome:
    fill(servers, plan, _tell)
    with ExitStack() as running:
        outcome = measure([running.enter_context(Process(server)) for server in servers], plan, _tell)
    for server in servers:
        with Process(server) as process:
            outcome.starts_s[server.name]["again"] = round(process.started_s, 3)
    return outcome


def _servers(arguments: argparse.Namespace, folder: Path, python: Path) -> list[Server]:
    makers = {
        "davserver": lambda: ours(folder / "davserver", arguments.durability),
        "radicale": lambda: radicale(folder / "radicale", python),
        "xandikos": lambda: xandikos(folder / "xandikos", python),
    }
    return [makers[name]() for name in arguments.servers]


def _sizes(arguments: argparse.Namespace, name: str) -> list[int]:
    """Peers get the sizes that they can be measured at in reasonable time; the smallest one always."""
    sizes: list[int] = sorted(arguments.sizes)
    if name == "davserver":
        return sizes
    return [size for size in sizes if size <= arguments.peers_largest] or sizes[:1]


def _commit() -> str:
    """The commit that is measured, with a ``+`` where files differ from it."""
    git = ("git", "-C", str(ROOT), "describe", "--always", "--dirty=+")
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure calendars and address books over HTTP, all servers by turns.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--servers", type=_names(("davserver", *PEERS)), default=["davserver"], help="of davserver,radicale,xandikos")
    add("--sizes", type=_numbers, default=[1000], help="items in a collection (default: 1000)")
    add("--peers-largest", metavar="N", type=int, default=10_000, help="peers get no larger one (default: 10000)")
    add("--rounds", type=int, default=3, help="the median of so many is told (default: 3)")
    add("--slot", metavar="S", type=float, default=1.0, help="seconds of one measurement (default: 1)")
    add("--timeout", metavar="S", type=float, default=60, help="a slower request ends its workload (default: 60)")
    add("--budget", metavar="S", type=float, default=3600, help="seconds for all of them (default: 3600)")
    add("--only", metavar="NAMES", type=_names(WORKLOADS), help="workloads, of: " + " ".join(WORKLOADS))
    add("--skip", metavar="NAMES", type=_names(WORKLOADS), default=[])
    add("--durability", choices=("full", "process"), default="full", help="of our own server (default: full)")
    add("--seed", type=int, default=1, help="of the data (default: 1)")
    add("--folder", metavar="DIR", type=Path, help="where the data lies meanwhile (default: the system's)")
    add("--peers", metavar="VENV", type=Path, default=ROOT / ".venv-peers", help="default: .venv-peers")
    add("--json", metavar="FILE", type=Path, help="write the result there")
    add("--table", metavar="FILE", type=Path, nargs="+", help="print earlier results as one and do nothing else")
    return parser


def _numbers(text: str) -> list[int]:
    numbers = [int(part) for part in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError("sizes begin at 1")
    return numbers


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    """Reads a list with commas, each one of the known ones."""

    def read(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is not one of {', '.join(known)}")
        return names

    return read


if __name__ == "__main__":
    sys.exit(main())
