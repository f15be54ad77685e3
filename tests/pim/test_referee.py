"""
Queries and free-busy against two judges: Radicale's own code, and the tables of RFC 4791 §9.9 read off the values.

What Hypothesis makes is stored in the real server, asked over HTTP and judged by both on the same bytes. The server has
to answer as the tables say, and as Radicale says but for the cases of ``referee/errors.py``. The examples are the same
in every run; with ``REFEREE_EXAMPLES=2000`` in the environment that many others are tried.
"""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from davserver.dav.names import CALDAV
from tests.harness import Dav, Server
from tests.pim.referee import cards, tables
from tests.pim.referee.errors import WRONG, Wrong
from tests.pim.referee.guest import Shelf
from tests.pim.referee.made import (
    UTC_FORM,
    AskedComp,
    Between,
    Made,
    objects,
    queries,
    ranges,
)
from tests.pim.samples import busy, card_query, mkcol, multiget, query

many = settings(
    phases=[Phase.explicit, Phase.generate],  # a failure names its object and question; making it smaller takes long
    max_examples=int(os.environ.get("REFEREE_EXAMPLES", "25")),
    derandomize="REFEREE_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def asker(shared: Server) -> Dav:
    return shared.client("alice")


def stored(asker: Dav, made: list[Made]) -> str:
    """The path of a fresh calendar with these objects, named by their places."""
    path = f"/dav/alice/made{next(_numbers)}/"
    assert asker.mkcalendar(path).status == 201
    for number, one in enumerate(made):
        reply = asker.put(f"{path}{number}.ics", one.text(f"u{number}"))
        assert reply.status == 201, (reply.body, one)
    return path


def found_by(asker: Dav, path: str, asked: AskedComp) -> set[int]:
    """The places of the objects that a query finds."""
    rows = asker.report(path, query(asked.xml), depth="1").multistatus()
    return {int(href.removeprefix(path).removesuffix(".ics")) for href in rows}


@pytest.mark.rfc("4791", "9.7")
@pytest.mark.rfc("4791", "9.9")
@many
@given(
    made=st.lists(objects(), min_size=4, max_size=8, unique=True),
    asked=st.lists(queries(), min_size=4, max_size=8, unique=True),
)
def test_a_query_finds_what_the_tables_say_and_radicale_finds(
    asker: Dav, made: list[Made], asked: list[AskedComp]
) -> None:
    path = stored(asker, made)
    shelves = [Shelf(one.text(f"u{number}"), "VCALENDAR") for number, one in enumerate(made)]
    for question in asked:
        found = found_by(asker, path, question)
        for number, one in enumerate(made):
            wanted = tables.matches(one, question)
            case = f"{question.xml}\n{one.text('u')}"
            assert (number in found) is wanted, f"the tables say {wanted} to {case}"
            if not any(wrong.applies(one, question) for wrong in WRONG):
                assert shelves[number].answer(query(question.xml)) is wanted, (
                    f"Radicale does not say {wanted} to {case}"
                )


@pytest.mark.parametrize(
    "wrong", [pytest.param(wrong, marks=pytest.mark.rfc(wrong.rfc, wrong.section), id=wrong.name) for wrong in WRONG]
)
def test_where_radicale_errs_the_answer_is_the_rfcs(asker: Dav, wrong: Wrong) -> None:
    path = stored(asker, [wrong.made])
    assert found_by(asker, path, wrong.asked) == ({0} if wrong.wanted else set())
    assert tables.matches(wrong.made, wrong.asked) is wrong.wanted
    assert Shelf(wrong.made.text("u"), "VCALENDAR").answer(query(wrong.asked.xml)) is not wrong.wanted, wrong.why
    assert wrong.applies(wrong.made, wrong.asked)


@pytest.mark.rfc("4791", "7.10")
@many
@given(made=st.lists(objects(), min_size=3, max_size=8, unique=True), asked=st.lists(ranges(), min_size=3, max_size=6))
def test_free_busy_tells_the_merged_and_clipped_time_of_the_events(
    asker: Dav, made: list[Made], asked: list[Between]
) -> None:
    path = stored(asker, made)
    for between in asked:
        if between.start is None or between.end is None:
            continue
        reply = asker.report(path, busy(between.start.strftime(UTC_FORM), between.end.strftime(UTC_FORM)))
        lines = [line for line in reply.text.split("\r\n") if line.startswith("FREEBUSY")]
        wanted = [
            f"FREEBUSY;FBTYPE={kind}:{start.strftime(UTC_FORM)}/{end.strftime(UTC_FORM)}"
            for kind, start, end in tables.busy(made, between)
        ]
        assert lines == wanted, [one.text("u") for one in made]


@pytest.mark.rfc("4791", "9.6.5")
@many
@given(made=st.lists(objects(), min_size=3, max_size=8, unique=True), asked=st.lists(ranges(), min_size=2, max_size=4))
def test_an_expansion_has_the_instances_in_the_range_or_is_the_object_as_it_is(
    asker: Dav, made: list[Made], asked: list[Between]
) -> None:
    path = stored(asker, made)
    hrefs = [f"{path}{number}.ics" for number in range(len(made))]
    for between in asked:
        if between.start is None or between.end is None:
            continue
        limits = f'start="{between.start.strftime(UTC_FORM)}" end="{between.end.strftime(UTC_FORM)}"'
        data = f"<C:calendar-data><C:expand {limits}/></C:calendar-data>"
        rows = asker.report(path, multiget(*hrefs, data=data)).multistatus()
        for number, one in enumerate(made):
            text = rows[hrefs[number]].text(CALDAV.calendar_data) or ""
            if text != one.text(f"u{number}") and one.parts[0].start and one.parts[0].rule:
                assert starts_in(text) == tables.starts_within(one, between), f"{limits}\n{one.text('u')}\n{text}"


def starts_in(text: str) -> list[str]:
    """The values of DTSTART, rising; what floats is told as if it were UTC."""
    values = [line.rpartition(":")[2] for line in text.split("\r\n") if line.startswith("DTSTART")]
    return sorted(value if len(value) in (8, 16) else f"{value}Z" for value in values)


def stored_cards(asker: Dav, made: list[cards.Card]) -> str:
    """The path of a fresh address book with these cards, named by their places."""
    path = f"/dav/alice/people{next(_numbers)}/"
    assert asker.mkcol(path, mkcol("CR:addressbook")).status == 201
    for number, one in enumerate(made):
        reply = asker.put(f"{path}{number}.vcf", one.text(f"u{number}"))
        assert reply.status == 201, (reply.body, one)
    return path


def cards_found_by(asker: Dav, path: str, asked: cards.AskedCard) -> set[int]:
    """The places of the cards that a query finds."""
    rows = asker.report(path, card_query(asked.xml, asked.test), depth="1").multistatus()
    return {int(href.removeprefix(path).removesuffix(".vcf")) for href in rows}


@pytest.mark.rfc("6352", "10.5")
@many
@given(
    made=st.lists(cards.cards(), min_size=4, max_size=8, unique=True),
    asked=st.lists(cards.filters, min_size=4, max_size=8, unique=True),
)
def test_a_card_query_finds_what_the_rfc_says_and_radicale_finds(
    asker: Dav, made: list[cards.Card], asked: list[cards.AskedCard]
) -> None:
    path = stored_cards(asker, made)
    shelves = [Shelf(one.text(f"u{number}"), "VADDRESSBOOK") for number, one in enumerate(made)]
    for question in asked:
        found = cards_found_by(asker, path, question)
        body = card_query(question.xml, question.test)
        for number, one in enumerate(made):
            wanted = cards.matches(one, question)
            case = f"{body}\n{one.text('u')}"
            assert (number in found) is wanted, f"the RFC says {wanted} to {case}"
            if not any(wrong.applies(one, question) for wrong in cards.WRONG):
                assert shelves[number].answer(body) is wanted, f"Radicale does not say {wanted} to {case}"


@pytest.mark.parametrize(
    "wrong",
    [pytest.param(wrong, marks=pytest.mark.rfc(wrong.rfc, wrong.section), id=wrong.name) for wrong in cards.WRONG],
)
def test_where_radicale_errs_about_cards_the_answer_is_the_rfcs(asker: Dav, wrong: cards.Wrong) -> None:
    path = stored_cards(asker, [wrong.made])
    assert cards_found_by(asker, path, wrong.asked) == ({0} if wrong.wanted else set())
    assert cards.matches(wrong.made, wrong.asked) is wrong.wanted
    body = card_query(wrong.asked.xml, wrong.asked.test)
    assert Shelf(wrong.made.text("u"), "VADDRESSBOOK").answer(body) is not wrong.wanted, wrong.why
    assert wrong.applies(wrong.made, wrong.asked)
