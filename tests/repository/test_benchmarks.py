"""The benchmark runs against the real server and tells what its page says it tells; how fast is no test's business."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import files
from benchmarks.client import Client
from benchmarks.data import KINDS, Kind, whole_calendar, write_items
from benchmarks.measure import Cell, Outcome, Plan
from benchmarks.report import result_of, tables
from benchmarks.workloads import WORKLOADS, Sample
from tests.conformance_page import ROOT


def test_a_run_of_all_workloads_tells_each_one_and_prints_its_tables_again(tmp_path: Path) -> None:
    told = tmp_path / "result.json"
    options = ["--sizes", "20", "--rounds", "1", "--slot", "0.02", "--folder", str(tmp_path), "--json", str(told)]
    ran = benchmarks(*options)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(told.read_text(encoding="utf-8"))
    assert list(result["results"]) == list(WORKLOADS)
    for name, workload in result["results"].items():
        cell = workload["sizes"]["20"]["davserver"]
        assert "error" not in cell, (name, cell)
        assert len(cell["rounds"]) == 1
        assert cell["value"] > 0
        assert cell["p99_ms"] >= cell["p50_ms"] > 0
        assert result["growth"][name] == {"20": 1.0}
        assert result["ratios"][name] == {"20": {}}
    found = {name: workload["sizes"]["20"]["davserver"].get("found") for name, workload in result["results"].items()}
    assert (found["propfind_depth1"], found["multiget_100"], found["import_put"]) == (21, 20, 20)
    assert (found["sync_initial"], found["sync_no_change"], found["sync_1_change"]) == (20, 0, 1)
    assert set(result["starts_s"]["davserver"]) == {"first", "again"}
    assert set(result["memory_mb"]["davserver"]) == {"started", "after", "highest"}
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"], "the data is gone afterwards"
    assert benchmarks("--table", str(told)).stdout == ran.stdout


def test_a_request_that_takes_too_long_ends_its_workload_and_the_run_goes_on_with_a_server_started_anew(
    tmp_path: Path,
) -> None:
    told = tmp_path / "result.json"
    ran = benchmarks("--sizes", "1", "--only", "idle_poll,get_one", "--timeout", "0.000001", "--json", str(told))
    assert ran.returncode == 0, ran.stderr
    results = json.loads(told.read_text(encoding="utf-8"))["results"]
    for name in ("idle_poll", "get_one"):
        assert results[name]["sizes"]["1"]["davserver"] == {"error": "a request took more than 1e-06 s"}
    assert "- get_one 1: davserver: a request took more than" in ran.stdout


def test_runs_in_parts_are_printed_as_one_where_the_servers_are_the_same(tmp_path: Path) -> None:
    one, other, whole = (
        result_of(*outcome_of(cells), {"davserver": "1"}, "full")
        for cells in (
            {"sync_initial": [10], "idle_poll": [1000]},
            {"idle_poll": [10]},
            {"idle_poll": [10, 1000], "sync_initial": [10]},
        )
    )
    parts = [tmp_path / "one.json", tmp_path / "other.json"]
    for file, part in zip(parts, (one, other), strict=True):
        file.write_text(json.dumps(part), encoding="utf-8")
    assert benchmarks("--table", *map(str, parts)).stdout == tables(whole)
    parts[1].write_text(json.dumps({**other, "servers": {"davserver": "2"}}), encoding="utf-8")
    refused = benchmarks("--table", *map(str, parts))
    assert (refused.returncode, refused.stdout, "servers differ" in refused.stderr) == (2, "", True)


def outcome_of(sizes: Mapping[str, Iterable[int]]) -> tuple[Outcome, Plan]:
    """Of our server alone: the workloads at these sizes, each measured once and taking 1 ms an item."""
    cells = {
        name: {size: {"davserver": Cell([Sample([size / 1000])])} for size in measured}
        for name, measured in sizes.items()
    }
    plan = Plan([WORKLOADS[name] for name in sizes], {"davserver": [10, 1000]}, 1, 1, 1, 1, 1)
    memory = {"davserver": {"started": 1.0, "after": 2.0, "highest": 3.0}}
    return Outcome(cells, {"davserver": {"first": 1.0}}, memory), plan


def test_what_the_arguments_name_and_is_not_there_is_said_before_anything_is_started(tmp_path: Path) -> None:
    for options, said in (
        (["--only", "idle_poll,nothing"], "nothing is not one of"),
        (["--servers", "radicale", "--peers", str(tmp_path)], "says how to make it"),
        (["--sizes", "0"], "sizes begin at 1"),
    ):
        ran = benchmarks(*options, "--folder", str(tmp_path))
        assert (ran.returncode, said in ran.stderr) == (2, True), ran.stderr
        assert list(tmp_path.iterdir()) == []


def benchmarks(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


# The bytes of the first 40 items with seed 1: figures of two runs may be compared as long as these stay.
DIGESTS = {
    "events": "baf15a0b8093ed63126ef035e7748b16fa9449baa7452df371652a53b056673e",
    "tasks": "003d64b2562b80fe81065fac657c7f2156d3a3caed0026501c4786d1739032d0",
    "contacts": "476c54c26edb4474ddccc110bedf6f4ad2d3dcd3f3934d394841508852a66ce6",
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_same_seed_gives_the_same_bytes_on_every_machine(kind: Kind, tmp_path: Path) -> None:
    write_items(tmp_path, kind, 40, 1)
    written = [(tmp_path / kind.file_name(index)).read_bytes() for index in range(40)]
    assert hashlib.sha256(b"".join(written)).hexdigest() == DIGESTS[kind.name]
    assert [kind.make(index, 1, 0) for index in reversed(range(40))] == written[::-1], "the order plays no part"
    assert len({*written, *(kind.make(index, 2, 0) for index in range(40))}) == 80, "another seed gives others"
    assert kind.make(0, 1, 1) != written[0], "and so does a revision"


def test_items_are_folded_at_75_octets_and_never_within_a_character() -> None:
    for item in (
        *(kind.make(index, 1, 0) for kind in KINDS.values() for index in range(200)),
        whole_calendar(range(200), 1),
    ):
        lines = item.decode().split("\r\n")
        assert max(len(line.encode()) for line in lines) <= 75
        assert lines[-1] == ""


def test_ratios_and_growth_say_how_many_times_as_fast_and_how_many_times_the_cost() -> None:
    rate, time = WORKLOADS["idle_poll"], WORKLOADS["query_week"]
    cells = {
        rate.name: {
            10: {"davserver": Cell([Sample([0.001])]), "radicale": Cell([Sample([0.004])])},
            100: {"davserver": Cell([Sample([0.002])]), "radicale": Cell(error="too slow")},
        },
        time.name: {
            10: {"davserver": Cell([Sample([0.01]), Sample([0.03]), Sample([0.02])]), "radicale": Cell([Sample([0.1])])}
        },
    }
    names = ("davserver", "radicale")
    plan = Plan([rate, time], dict.fromkeys(names, (10, 100)), 1, 1, 1, 1, 1)
    memory = {name: {"started": 1.0, "after": 2.0, "highest": 3.0} for name in names}
    outcome = Outcome(cells, {name: {"first": 1.0} for name in names}, memory)
    result = result_of(outcome, plan, dict.fromkeys(names, "1"), "full")
    assert result["ratios"] == {
        "idle_poll": {"10": {"radicale": 4.0}, "100": {}},
        "query_week": {"10": {"radicale": 5.0}},
    }
    assert result["growth"] == {"idle_poll": {"10": 1.0, "100": 2.0}, "query_week": {"10": 1.0}}
    printed = tables(result)
    assert "| idle_poll | req/s | 10 | 1000 | 250 (× 4) |" in printed
    assert "| idle_poll | req/s | 100 | 500 | – |" in printed
    assert "- idle_poll 100: radicale: too slow" in printed


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", b"whole"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nwho\r\n2\r\nle\r\n0\r\nA: b\r\n\r\n",
            b"whole",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nwhole", b"whole"),
    ],
    ids=["length", "chunks", "none", "until closed"],
)
def test_the_client_reads_an_answer_however_it_is_framed(answer: bytes, body: bytes) -> None:
    with answering(answer, answer) as port, Client(port, None, 10) as client:
        assert [client.request("GET", "/").body for _ in range(2)] == [body, body]


def test_an_answer_cut_short_is_an_error_and_not_a_short_answer() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nwhole"
    with answering(cut) as port, Client(port, None, 10) as client, pytest.raises(ConnectionError):
        client.request("GET", "/")


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """The port of somebody who gives each answer on a connection of its own and closes it."""

    def answer() -> None:
        for data in answers:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


def test_the_drive_is_measured_beside_wsgidav_in_every_workload(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.files", "--rounds", "1", "--slot", "0.02", "--share", "100"]
    ran = subprocess.run([*command, "--folder", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = [line.strip("| ").split(" | ") for line in ran.stdout.splitlines()]
    assert [row[0] for row in rows[2:]] == [*files.WORKLOADS, "memory, at its highest"]
    for row in rows[2:-1]:
        assert float(row[2]) > 0
        assert float(row[3].partition(" ")[0]) > 0
    assert list(tmp_path.iterdir()) == []


def test_the_boards_are_measured_beside_task_lists() -> None:
    command = [sys.executable, "-m", "benchmarks.boards", "--rounds", "1", "--cards", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    names = [line.split("|")[1].strip() for line in done.stdout.splitlines()[2:]]
    assert names[:2] == ["PROPFIND Depth 1, ETags", "sync, one task stored"]
    assert len(names) == 5
