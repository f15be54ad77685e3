"""Rooms and vehicles: the later of two bookings is marked or refused, and everybody sees it."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from davserver.dav.names import CALDAV, DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Reply, Server
from tests.pim.bookings import MARK, RESOURCES, RIGHTS, booking, changes, marked, marks, token_of
from tests.pim.samples import CRLF, busy, calendar, event, mkcalendar, task

TEN, ELEVEN, NOON, ONE = "0105T100000Z", "0105T110000Z", "0105T120000Z", "0105T130000Z"
HALF_PAST = "0105T103000Z"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def association(start_server: MakeServer) -> Server:
    return start_server(groups=RESOURCES, access=RIGHTS)


@pytest.fixture
def alice(association: Server) -> Dav:
    return association.client("alice")


@pytest.fixture
def bob(association: Server) -> Dav:
    return association.client("bob")


def fresh(association: Server, resource: str) -> str:
    """A calendar of a resource's in which nothing is booked."""
    path = f"/dav/{resource}/calendar{next(_numbers)}/"
    assert association.client("dora").mkcalendar(path).status == 201
    return path


@pytest.fixture
def van(association: Server) -> str:
    return fresh(association, "van")


@pytest.fixture
def hall(association: Server) -> str:
    return fresh(association, "hall")


def test_every_room_and_vehicle_has_a_calendar_before_anybody_signs_in(make_server: MakeServer) -> None:
    server = make_server(groups=RESOURCES, access=RIGHTS).start()
    rows = server.client("alice").propfind(
        "/dav/alice/", DAV.displayname, CALDAV.supported_calendar_component_set, depth="1"
    )
    van = rows.multistatus()["/dav/alice/van~calendar/"]
    assert van.text(DAV.displayname) == "Van"
    kinds = [element.get("name") for element in van.props[CALDAV.supported_calendar_component_set]]
    assert kinds == ["VEVENT"]
    assert (server.data / "collections/collection-root/projector/calendar/.Radicale.props").exists()


def test_a_room_that_is_added_while_the_server_runs_has_its_calendar_at_the_next_request(server: Server) -> None:
    alice = server.client("alice")
    alice.options("/dav/")
    room = '\n[resource.room]\n\n[resource.store]\ndisplay_name = "Store"\n'
    access = '[[rule]]\npath = "/dav"\nwho = ["all-users"]\nmay = ["read"]\n'
    server.write_accounts(groups=RESOURCES + room, access=access)
    names = {path: row.text(DAV.displayname) for path, row in _home(alice).items()}
    assert names["/dav/alice/room~calendar/"] == "room"
    assert names["/dav/alice/store~calendar/"] == "Store"


def _home(client: Dav) -> dict[str, object]:
    return dict(client.propfind("/dav/alice/", DAV.displayname, depth="1").multistatus())


def test_a_calendar_of_a_room_that_the_administrator_removed_does_not_come_back(make_server: MakeServer) -> None:
    access = '[[rule]]\npath = "/"\nwho = ["alice"]\nmay = ["admin"]\n'
    server = make_server(groups=RESOURCES, access=access).start()
    assert server.client("alice").delete("/dav/van/calendar/").status == 204
    server.restart()
    assert server.client("alice").propfind("/dav/van/calendar/", DAV.displayname).status == 404


@pytest.mark.rfc("4791", "5.3.4")
def test_the_later_of_two_bookings_is_stored_with_the_mark_and_its_etag_is_not_told(
    alice: Dav, bob: Dav, van: str
) -> None:
    first, second = booking("a", TEN, NOON), booking("b", ELEVEN, ONE)
    etag = alice.put(van + "a.ics", first).etag
    reply = bob.put(van + "b.ics", second)
    assert (reply.status, "etag" in reply.headers) == (201, False)
    assert alice.get(van + "b.ics").text == marked(second)
    assert (alice.get(van + "a.ics").text, alice.get(van + "a.ics").etag) == (first, etag)


def test_a_mark_changes_nothing_else_of_an_event(alice: Dav, van: str) -> None:
    odd = calendar(
        'X-WR-CALNAME;X-A="b;c":Van', "BEGIN:VEVENT", "UID:b", "DTSTAMP:20260101T000000Z",
        "STATUS;X-P=1:CONFIR", " MED", "SUMMARY:A \\, long", "\t line", f"DTSTART:2040{TEN}", f"DTEND:2040{NOON}",
        "CATEGORIES:work,trip\\, far", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM", "END:VEVENT",
    )  # fmt: skip
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    assert alice.put(van + "b.ics", odd).status == 201
    wanted = odd.replace("STATUS;X-P=1:CONFIR\r\n MED", "STATUS:TENTATIVE")
    wanted = wanted.replace("BEGIN:VALARM", "CATEGORIES:double booking\r\nBEGIN:VALARM")
    assert alice.get(van + "b.ics").text == wanted
    assert alice.delete(van + "a.ics").status == 204
    assert alice.get(van + "b.ics").text == odd


NO_DOUBLE_BOOKINGS = {
    "it begins when the other ends": booking("b", NOON, ONE),
    "it ends when the other begins": booking("b", "0105T090000Z", TEN),
    "it takes no time": booking("b", ELEVEN, ONE, "TRANSP:TRANSPARENT"),
    "it is cancelled": booking("b", ELEVEN, ONE, "STATUS:CANCELLED"),
    "it has no length": event("b", "b", f"DTSTART:2040{ELEVEN}"),
    "it is on another day": booking("b", "0106T100000Z", "0106T120000Z"),
}


@pytest.mark.parametrize("second", NO_DOUBLE_BOOKINGS.values(), ids=NO_DOUBLE_BOOKINGS.keys())
@pytest.mark.parametrize("resource", ["van", "hall"])
def test_what_is_no_double_booking_is_stored_as_it_came(
    association: Server, alice: Dav, resource: str, second: str
) -> None:
    path = fresh(association, resource)
    for order in (("a", "b"), ("b", "a")):
        texts = {"a": booking("a", TEN, NOON), "b": second}
        for name in order:
            reply = alice.put(f"{path}{name}.ics", texts[name])
            assert reply.status == 201
            assert reply.etag
            assert alice.get(f"{path}{name}.ics").text == texts[name]
        for name in order:
            alice.delete(f"{path}{name}.ics")


def test_a_room_that_refuses_answers_409_with_the_reason_and_stores_nothing(
    association: Server, alice: Dav, bob: Dav, hall: str
) -> None:
    assert alice.put(hall + "a.ics", booking("a", TEN, NOON)).status == 201
    assert bob.put(hall + "b.ics", booking("b", ONE, "0105T140000Z")).status == 201
    before = association.tree()
    new = bob.put(hall + "c.ics", booking("c", ELEVEN, ONE))
    moved = bob.put(hall + "b.ics", booking("b", ELEVEN, ONE))
    whole = bob.put(hall, booking("d", "0106T100000Z", "0106T110000Z")[: -len("END:VCALENDAR\r\n")] + _body("e"))
    for reply in (new, moved, whole):
        assert reply.status == 409
        assert reply.headers["content-type"].startswith("text/plain")
        assert "choose another time" in reply.text
    assert association.tree() == before


def _body(uid: str, start: str = ELEVEN, end: str = ONE) -> str:
    return booking(uid, start, end).partition("EN\r\n")[2]


def test_a_booking_may_be_changed_where_it_is_refused_to_others(alice: Dav, hall: str) -> None:
    alice.put(hall + "a.ics", booking("a", TEN, NOON))
    assert alice.put(hall + "a.ics", booking("a", TEN, ELEVEN, "LOCATION:Stage")).status == 204
    assert alice.put(hall + "b.ics", booking("b", ELEVEN, NOON)).status == 201


@pytest.mark.parametrize(
    "end",
    [
        lambda alice, van: alice.delete(van + "a.ics"),
        lambda alice, van: alice.put(van + "a.ics", booking("a", "0107T100000Z", "0107T120000Z")),
        lambda alice, van: alice.put(van + "a.ics", booking("a", TEN, NOON, "STATUS:CANCELLED")),
        lambda alice, van: alice.put(van + "a.ics", booking("a", TEN, NOON, "TRANSP:TRANSPARENT")),
        lambda alice, van: alice.move(van + "a.ics", "/dav/alice/calendar/moved.ics", overwrite=True),
    ],
    ids=["deleted", "moved in time", "cancelled", "made transparent", "moved away"],
)
def test_the_mark_goes_when_the_other_booking_does_and_a_client_that_synchronises_is_told(
    alice: Dav, bob: Dav, van: str, end: object
) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    second = booking("b", ELEVEN, ONE, "STATUS:CONFIRMED")
    bob.put(van + "b.ics", second)
    assert marks(bob.get(van + "b.ics").text) == {""}
    token, etag = token_of(bob, van), bob.get(van + "b.ics").etag
    assert end(alice, van).status in (201, 204)  # type: ignore[operator]
    assert bob.get(van + "b.ics").text == second
    assert bob.get(van + "b.ics").etag != etag
    assert changes(bob, van, token) == {"a.ics", "b.ics"}
    alice.delete("/dav/alice/calendar/moved.ics")


def test_the_mark_goes_when_the_marked_booking_is_moved_by_a_client_that_sends_it_back(
    alice: Dav, bob: Dav, van: str
) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    bob.put(van + "b.ics", booking("b", ELEVEN, ONE))
    sent = bob.get(van + "b.ics").text.replace(ELEVEN, NOON)
    reply = bob.put(van + "b.ics", sent)
    assert (reply.status, "etag" in reply.headers) == (204, False)
    assert bob.get(van + "b.ics").text == booking("b", NOON, ONE)


def test_a_mark_that_is_sent_back_is_not_set_twice(alice: Dav, bob: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    bob.put(van + "b.ics", booking("b", ELEVEN, ONE))
    there = bob.get(van + "b.ics").text
    merged = there.replace("SUMMARY", "CATEGORIES:trip,Double Booking,far\r\nSUMMARY").replace(
        "CATEGORIES:double booking\r\n", ""
    )
    for text in (there, there.replace("Booked", "Taken"), merged):
        reply = bob.put(van + "b.ics", text)
        assert reply.etag == bob.get(van + "b.ics").etag
        assert bob.get(van + "b.ics").text == text
    alice.delete(van + "a.ics")
    plain = booking("b", ELEVEN, ONE).replace("SUMMARY", "CATEGORIES:trip,far\r\nSUMMARY")
    assert bob.get(van + "b.ics").text == plain


def test_what_a_client_says_of_its_status_meanwhile_is_what_comes_back(alice: Dav, bob: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    bob.put(van + "b.ics", booking("b", ELEVEN, ONE))
    sent = bob.get(van + "b.ics").text.replace("STATUS:TENTATIVE", "STATUS:CONFIRMED")
    assert "etag" not in bob.put(van + "b.ics", sent).headers
    assert marks(bob.get(van + "b.ics").text) == {""}
    alice.delete(van + "a.ics")
    assert bob.get(van + "b.ics").text == booking("b", ELEVEN, ONE, "STATUS:CONFIRMED")


def test_a_client_that_keeps_no_categories_gets_its_status_back_all_the_same(alice: Dav, bob: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    bob.put(van + "b.ics", booking("b", ELEVEN, ONE))
    poor = bob.get(van + "b.ics").text.replace("CATEGORIES:double booking\r\n", "")
    bob.put(van + "b.ics", poor.replace("Booked", "Taken"))
    assert marks(bob.get(van + "b.ics").text) == {""}
    bob.put(van + "b.ics", poor.replace(ELEVEN, NOON))
    assert bob.get(van + "b.ics").text == booking("b", NOON, ONE)


@pytest.mark.parametrize(("language", "word"), [("fr", "double réservation"), ("de", "Doppelbelegung")])
def test_the_category_is_in_the_configured_language_and_known_after_that_was_changed(
    make_server: MakeServer, language: str, word: str
) -> None:
    server = make_server(groups=RESOURCES, access=RIGHTS)
    written = server.config.read_text()
    server.config.write_text(f'language = "{language}"\n' + written)
    alice = server.start().client("alice")
    van = "/dav/van/calendar/"
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    alice.put(van + "b.ics", booking("b", ELEVEN, ONE))
    assert f"STATUS:TENTATIVE\r\nCATEGORIES:{word}\r\n" in alice.get(van + "b.ics").text
    server.config.write_text(written)
    server.restart()
    alice.delete(van + "a.ics")
    assert alice.get(van + "b.ics").text == booking("b", ELEVEN, ONE)


def test_who_came_first_keeps_the_time_through_changes_of_something_else(alice: Dav, bob: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    bob.put(van + "b.ics", booking("b", ELEVEN, ONE))
    assert alice.put(van + "a.ics", booking("a", TEN, NOON, "LOCATION:Depot")).etag
    assert alice.put(van + "a.ics", booking("a", HALF_PAST, NOON)).etag
    assert (marks(alice.get(van + "a.ics").text), marks(alice.get(van + "b.ics").text)) == (set(), {""})


def test_who_moves_a_booking_onto_another_one_is_second(alice: Dav, bob: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, ELEVEN))
    bob.put(van + "b.ics", booking("b", ELEVEN, NOON))
    assert "etag" not in alice.put(van + "a.ics", booking("a", TEN, NOON)).headers
    assert (marks(alice.get(van + "a.ics").text), marks(alice.get(van + "b.ics").text)) == ({""}, set())


def test_of_those_who_wait_the_first_has_the_time_when_it_is_free_again(alice: Dav, bob: Dav, van: str) -> None:
    for name in ("a", "b", "c"):
        alice.put(f"{van}{name}.ics", booking(name, TEN, NOON))
    assert [marks(bob.get(f"{van}{name}.ics").text) for name in "abc"] == [set(), {""}, {""}]
    alice.delete(van + "a.ics")
    assert [marks(bob.get(f"{van}{name}.ics").text) for name in "bc"] == [set(), {""}]


@pytest.mark.rfc("5545", "3.8.4.4")
def test_of_a_series_those_events_are_marked_of_which_an_instance_overlaps(alice: Dav, van: str) -> None:
    series = calendar(
        "BEGIN:VEVENT", "UID:s", "DTSTAMP:20260101T000000Z", f"DTSTART:2040{TEN}", "DURATION:PT1H",
        "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20400107T100000Z", "END:VEVENT",
        "BEGIN:VEVENT", "UID:s", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID:20400106T100000Z",
        "DTSTART:20400106T150000Z", "DURATION:PT1H", "END:VEVENT",
        "BEGIN:VEVENT", "UID:s", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID:20400108T100000Z",
        "DTSTART:20400108T100000Z", "DURATION:PT1H", "STATUS:CANCELLED", "END:VEVENT",
    )  # fmt: skip
    free = ["0106T100000Z", "0107T100000Z", "0108T100000Z"]  # moved, left out, cancelled
    for number, start in enumerate(free):
        reply = alice.put(f"{van}{number}.ics", booking(str(number), start, start.replace("T10", "T11")))
        assert reply.etag
    alice.put(van + "o.ics", booking("o", "0106T153000Z", "0106T163000Z"))
    alice.put(van + "s.ics", series)
    assert marks(alice.get(van + "s.ics").text) == {"20400106T100000Z"}
    alice.put(van + "m.ics", booking("m", "0109T103000Z", "0109T113000Z"))
    assert marks(alice.get(van + "m.ics").text) == {""}
    alice.delete(van + "o.ics")
    assert alice.get(van + "s.ics").text == series


def test_a_series_without_end_is_looked_at_for_two_years_when_it_is_booked(alice: Dav, van: str) -> None:
    weekly = booking("w", TEN, ELEVEN, "RRULE:FREQ=WEEKLY")
    near, far = "20411226T103000Z", "20450105T103000Z"  # both a Thursday, as is 2040-01-05
    for uid, start in (("near", near), ("far", far)):
        alice.put(f"{van}{uid}.ics", event(uid, uid, start=start))
    alice.put(van + "w.ics", weekly)
    assert marks(alice.get(van + "w.ics").text) == {""}
    alice.delete(van + "near.ics")
    assert alice.get(van + "w.ics").text == weekly
    alice.put(van + "far2.ics", event("far2", "far2", start=far))
    assert marks(alice.get(van + "far2.ics").text) == {""}
    alice.delete(van + "far.ics")
    assert marks(alice.get(van + "far2.ics").text) == {""}  # the series, which came before it
    alice.delete(van + "w.ics")
    assert marks(alice.get(van + "far2.ics").text) == set()


@pytest.mark.parametrize(
    ("second", "is_double"),
    [
        (booking("b", "0630T210000Z", "0630T220000Z"), False),  # up to midnight in Paris
        (booking("b", "0630T210000Z", "0630T223000Z"), True),
        (booking("b", "0701T213000Z", "0701T230000Z"), True),
        (booking("b", "0701T220000Z", "0701T230000Z"), False),
        (booking("b", "0701T233000", "0702T003000"), True),  # floating
        (booking("b", "0702T000000", "0702T003000"), False),
        (event("b", "b", "DTSTART;VALUE=DATE:20400702"), False),
        (event("b", "b", "DTSTART;VALUE=DATE:20400630", "DTEND;VALUE=DATE:20400702"), True),
    ],
)
def test_days_and_times_without_a_zone_are_meant_in_the_zone_of_the_resource(
    alice: Dav, van: str, second: str, is_double: bool
) -> None:
    alice.put(van + "a.ics", event("a", "a", "DTSTART;VALUE=DATE:20400701"))
    alice.put(van + "b.ics", second)
    assert bool(marks(alice.get(van + "b.ics").text)) is is_double
    alice.delete(van + "a.ics")
    alice.put(van + "a.ics", event("a", "a", "DTSTART;VALUE=DATE:20400701"))
    assert bool(marks(alice.get(van + "a.ics").text)) is is_double


@pytest.mark.rfc("4791", "5.2.2")
def test_without_a_zone_of_the_resource_that_of_the_calendar_counts(association: Server, alice: Dav) -> None:
    rule = ("BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:-0500", "TZOFFSETTO:-0500", "END:STANDARD")
    zone = calendar("BEGIN:VTIMEZONE", "TZID:America/New_York", *rule, "END:VTIMEZONE")
    path = f"/dav/hall/calendar{next(_numbers)}/"
    made = association.client("dora").mkcalendar(path, mkcalendar(f"<C:calendar-timezone>{zone}</C:calendar-timezone>"))
    assert made.status == 201
    alice.put(path + "a.ics", event("a", "a", "DTSTART;VALUE=DATE:20400701"))
    assert alice.put(path + "b.ics", booking("b", "0701T030000Z", "0701T040000Z")).status == 201
    assert alice.put(path + "c.ics", booking("c", "0702T033000Z", "0702T043000Z")).status == 409


@pytest.mark.parametrize("path", ["/dav/alice/calendar/", "/dav/sport/training/"])
def test_in_the_calendars_of_members_and_groups_everything_may_overlap(alice: Dav, path: str) -> None:
    alice.mkcalendar(path)
    for uid in ("a", "b"):
        assert alice.put(f"{path}{uid}.ics", booking(uid, TEN, NOON)).etag
        assert alice.get(f"{path}{uid}.ics").text == booking(uid, TEN, NOON)


def test_tasks_and_events_do_not_take_each_other_s_time(alice: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    wash = task("t", "Wash it", f"DTSTART:2040{TEN}", f"DUE:2040{NOON}")
    assert alice.put(van + "t.ics", wash).etag
    assert alice.put(van + "b.ics", booking("b", NOON, ONE)).etag


@pytest.mark.parametrize(("resource", "answers"), [("van", [201, 201]), ("hall", [201, 409])])
def test_of_two_who_book_at_the_same_moment_one_has_it(association: Server, resource: str, answers: list[int]) -> None:
    def book(path: str, name: str) -> Reply:
        return association.client(name).put(f"{path}{name}.ics", booking(name, TEN, NOON))

    with ThreadPoolExecutor(2) as pool:
        for _ in range(15):
            path = fresh(association, resource)
            replies = list(pool.map(lambda name, at=path: book(at, name), ("alice", "bob")))  # type: ignore[misc]
            assert sorted(reply.status for reply in replies) == answers
            texts = [association.client("carol").get(f"{path}{name}.ics") for name in ("alice", "bob")]
            found = [marks(reply.text) for reply in texts if reply.status == 200]
            assert sorted(found, key=len) == ([set(), {""}] if resource == "van" else [set()])
            assert sum("etag" in reply.headers for reply in replies) == 1


@pytest.mark.parametrize("how", ["copy", "move", "import"])
@pytest.mark.parametrize("resource", ["van", "hall"])
def test_every_way_in_is_judged(association: Server, alice: Dav, resource: str, how: str) -> None:
    path = fresh(association, resource)
    alice.put(path + "a.ics", booking("a", TEN, NOON))
    own = f"/dav/alice/own{next(_numbers)}/"
    alice.mkcalendar(own)
    text = booking("b", ELEVEN, ONE)
    alice.put(own + "b.ics", text)
    before = association.tree()
    reply = alice.put(path, text) if how == "import" else getattr(alice, how)(own + "b.ics", path + "b.ics")
    if resource == "hall":
        assert reply.status == 409
        assert association.tree() == before
    else:
        assert reply.status in (200, 201)
        assert alice.get(path + "b.ics").text == marked(text)
        alice.delete(path + "a.ics")
        assert alice.get(path + "b.ics").text == text


def test_a_file_of_many_bookings_is_judged_in_its_order(alice: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    parts = [
        _body("b", ELEVEN, ONE),
        _body("c", NOON, ONE),
        _body("d", ONE, "0105T140000Z"),
        _body("a", ONE, "0105T150000Z"),
    ]
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n"
    text += "".join(part.replace("END:VCALENDAR\r\n", "") for part in parts) + "END:VCALENDAR\r\n"
    assert alice.put(van, text).status == 200
    found = {name: marks(alice.get(f"{van}{name}.ics").text) for name in "abcd"}
    assert found == {"a": {""}, "b": set(), "c": {""}, "d": set()}


def test_a_booking_that_is_renamed_keeps_its_place(alice: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    alice.put(van + "b.ics", booking("b", ELEVEN, ONE))
    for name in ("a", "b"):
        assert alice.move(f"{van}{name}.ics", f"{van}{name}2.ics").status == 201
    assert alice.get(van + "a2.ics").text == booking("a", TEN, NOON)
    assert alice.get(van + "b2.ics").text == marked(booking("b", ELEVEN, ONE))
    assert alice.put(van + "a2.ics", booking("a", TEN, NOON, "LOCATION:Depot")).etag
    alice.delete(van + "a2.ics")
    assert alice.get(van + "b2.ics").text == booking("b", ELEVEN, ONE)


@pytest.mark.parametrize("how", ["copy", "move"])
def test_a_marked_booking_that_is_taken_elsewhere_is_judged_there(
    association: Server, alice: Dav, van: str, hall: str, how: str
) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    own = f"/dav/alice/own{next(_numbers)}/"
    alice.mkcalendar(own)
    for target in (hall, own):
        text = booking("b", ELEVEN, ONE, "STATUS:CONFIRMED")
        alice.put(van + "b.ics", text)
        assert marks(alice.get(van + "b.ics").text) == {""}
        assert getattr(alice, how)(van + "b.ics", target + "taken.ics").status == 201
        assert alice.get(target + "taken.ics").text == text
        assert alice.delete(target + "taken.ics").status == 204


def test_the_order_of_bookings_outlives_the_index(make_server: MakeServer) -> None:
    server = make_server(groups=RESOURCES, access=RIGHTS).start()
    alice, van = server.client("alice"), "/dav/van/calendar/"
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    alice.put(van + "b.ics", booking("b", ELEVEN, ONE))
    alice.put(van + "a.ics", booking("a", TEN, NOON, "LOCATION:Depot"))
    server.stop()
    for file in server.data.glob("index.sqlite*"):
        file.unlink()
    server.start()
    assert alice.put(van + "a.ics", booking("a", TEN, NOON)).etag
    assert alice.get(van + "b.ics").text == marked(booking("b", ELEVEN, ONE))
    alice.delete(van + "a.ics")
    assert alice.get(van + "b.ics").text == booking("b", ELEVEN, ONE)


def test_what_was_marked_and_unmarked_is_there_after_the_server_was_killed(make_server: MakeServer) -> None:
    server = make_server(groups=RESOURCES, access=RIGHTS).start()
    alice, van = server.client("alice"), "/dav/van/calendar/"
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    alice.put(van + "b.ics", booking("b", ELEVEN, ONE))
    server.kill()
    server.start()
    assert alice.get(van + "b.ics").text == marked(booking("b", ELEVEN, ONE))
    alice.delete(van + "a.ics")
    server.kill()
    server.start()
    assert alice.get(van + "a.ics").status == 404
    assert alice.get(van + "b.ics").text == booking("b", ELEVEN, ONE)


def test_a_file_that_was_broken_by_hand_is_in_nobody_s_way(make_server: MakeServer) -> None:
    server = make_server(groups=RESOURCES, access=RIGHTS).start()
    alice, van = server.client("alice"), "/dav/van/calendar/"
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    alice.put(van + "b.ics", booking("b", ELEVEN, ONE))
    file = server.data / "collections/collection-root/van/calendar/b.ics"
    file.write_text("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:b\r\n")
    assert alice.put(van + "c.ics", booking("c", NOON, ONE)).status == 201
    assert alice.delete(van + "a.ics").status == 204
    assert alice.put(van + "b.ics", booking("b", "0106T100000Z", "0106T110000Z")).status == 204


def test_a_member_changes_the_own_bookings_and_nobody_else_s(
    association: Server, alice: Dav, bob: Dav, van: str
) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    bob.put(van + "b.ics", booking("b", "0106T100000Z", "0106T110000Z"))
    bob.put("/dav/bob/calendar/own.ics", booking("own", "0108T100000Z", "0108T110000Z"))
    before = association.tree()
    refused = [
        bob.put(van + "a.ics", booking("a", ONE, "0105T140000Z")),
        bob.put(van, booking("a", ONE, "0105T140000Z")),
        bob.delete(van + "a.ics"),
        bob.move(van + "a.ics", van + "c.ics"),
        bob.move(van + "a.ics", "/dav/bob/calendar/stolen.ics"),
        bob.move("/dav/bob/calendar/own.ics", van + "a.ics"),
        bob.copy("/dav/bob/calendar/own.ics", van + "a.ics"),
        bob.delete(van),
    ]
    for reply in refused:
        assert (reply.status, reply.condition) == (403, DAV.need_privileges)
    assert association.tree() == before
    assert bob.put(van + "b.ics", booking("b", "0107T100000Z", "0107T110000Z")).status == 204
    assert bob.put(van, booking("b", "0107T120000Z", "0107T130000Z")).status == 200
    assert bob.move(van + "b.ics", van + "c.ics").status == 201
    assert bob.delete(van + "c.ics").status == 204
    assert bob.delete("/dav/bob/calendar/own.ics").status == 204


def test_the_mark_of_a_booking_leaves_it_its_maker_s(association: Server, alice: Dav, bob: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    bob.put(van + "b.ics", booking("b", ELEVEN, ONE))
    alice.delete(van + "a.ics")
    before = association.tree()
    assert alice.put(van + "b.ics", booking("b", ELEVEN, ONE, "LOCATION:x")).condition == DAV.need_privileges
    assert alice.delete(van + "b.ics").condition == DAV.need_privileges
    assert association.tree() == before
    assert bob.put(van + "b.ics", booking("b", ELEVEN, ONE, "LOCATION:x")).status == 204


@pytest.mark.rfc("4791", "7.10")
@pytest.mark.rfc("5545", "3.2.9")
def test_who_may_know_when_it_is_free_learns_when_it_is_booked_and_what_is_doubtful_of_it(
    association: Server, alice: Dav, bob: Dav
) -> None:
    path = "/dav/projector/calendar/"
    bob.put(path + "a.ics", booking("a", TEN, ELEVEN))
    bob.put(path + "b.ics", booking("b", HALF_PAST, NOON))
    bob.put(path + "c.ics", booking("c", ONE, "0105T140000Z", "TRANSP:TRANSPARENT"))
    reply = alice.report(path, busy("20400101T000000Z", "20410101T000000Z"))
    assert reply.status == 200
    found = [line for line in reply.text.split(CRLF) if line.startswith("FREEBUSY")]
    assert found == [
        f"FREEBUSY;FBTYPE=BUSY:2040{TEN}/2040{ELEVEN}",
        f"FREEBUSY;FBTYPE=BUSY-TENTATIVE:2040{HALF_PAST}/2040{NOON}",
    ]
    assert "Booked by" not in reply.text
    before = association.tree()
    assert alice.get(path + "a.ics").status == 404
    assert alice.put(path + "d.ics", booking("d", ONE, "0105T140000Z")).status == 403
    assert alice.put(path + "a.ics", booking("a", ONE, "0105T140000Z")).status in (403, 404)
    assert "projector~calendar" not in alice.propfind("/dav/alice/", DAV.displayname, depth="1").text
    assert association.tree() == before


def test_a_booking_of_hours_that_nobody_can_follow_is_stored(alice: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    for number, rule in enumerate(("FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY")):
        text = booking(f"r{number}", TEN, HALF_PAST, f"RRULE:{rule}")
        assert alice.put(f"{van}r{number}.ics", text).status == 201
        assert marks(alice.get(f"{van}r{number}.ics").text) == {""}
    assert MARK in alice.get(van + "r0.ics").text


DAVX5_LINES = [
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:DAVx5/4.4.3-ose ical4j/3.2.19 (com.android.calendar)", "BEGIN:VEVENT",
    "DTSTAMP:20260101T080000Z", "UID:5c5b2f6e-0c1f-4d6c-9b1b-2f6a3c1d9e10", "SUMMARY:Airport",
    "DTSTART;TZID=Europe/Paris:20400105T113000", "DTEND;TZID=Europe/Paris:20400105T140000", "LOCATION:Terminal 2",
    "STATUS:CONFIRMED", "CLASS:PUBLIC", "BEGIN:VALARM", "TRIGGER:-PT30M", "ACTION:DISPLAY", "DESCRIPTION:Airport",
    "END:VALARM", "END:VEVENT", "BEGIN:VTIMEZONE", "TZID:Europe/Paris", "BEGIN:STANDARD", "TZNAME:CET",
    "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "DTSTART:19961027T030000", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD", "BEGIN:DAYLIGHT", "TZNAME:CEST", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
    "DTSTART:19810329T020000", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT", "END:VTIMEZONE",
    "END:VCALENDAR", "",
]  # fmt: skip


def test_davx5_books_a_van_that_is_taken(alice: Dav, bob: Dav, van: str) -> None:
    alice.put(van + "a.ics", booking("a", TEN, NOON))
    shown, sent = f"/dav/bob/van~{van.split('/')[3]}/", CRLF.join(DAVX5_LINES)
    reply = bob.put(shown + "b.ics", sent, {"If-None-Match": "*"})
    assert (reply.status, "etag" in reply.headers) == (201, False)
    there = bob.get(shown + "b.ics")
    fetched = sent.replace("STATUS:CONFIRMED", "STATUS:TENTATIVE").replace(
        "BEGIN:VALARM", "CATEGORIES:double booking\r\nBEGIN:VALARM"
    )
    assert there.text == fetched
    edited = sent.replace("STATUS:CONFIRMED", "CATEGORIES:double booking\r\nSTATUS:TENTATIVE").replace("2\r\n", "1\r\n")
    reply = bob.put(shown + "b.ics", edited, {"If-Match": there.etag})
    assert (reply.status, reply.etag) == (204, bob.get(shown + "b.ics").etag)
    assert bob.get(shown + "b.ics").text == edited
    assert alice.delete(van + "a.ics").status == 204
    assert bob.get(shown + "b.ics").text == sent.replace("2\r\n", "1\r\n")


@pytest.mark.rfc("4791", "7.3")
def test_free_busy_means_the_same_hours_as_the_bookings(alice: Dav, van: str) -> None:
    floating = booking("floating", "0105T100000", "0105T110000")
    assert alice.put(f"{van}floating.ics", floating).status == 201
    told = alice.report(van, busy("20400105T000000Z", "20400106T000000Z")).text
    assert "20400105T090000Z/20400105T100000Z" in told  # ten in Paris
