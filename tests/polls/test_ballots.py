"""Ballots: a poll in the calendars and task lists of those who vote."""

from __future__ import annotations

import re
import shutil

import pytest

from davserver.dav.names import APPLE, CALDAV, DAV
from tests.harness import Dav
from tests.objects.conftest import said
from tests.pim.samples import sync
from tests.polls.conftest import OPTIONS, Poll

PRIVILEGES = "{DAV:}current-user-privilege-set"


def url_of(client: Dav, tasks: bool = False) -> str:
    return f"/dav/{client.user}/{'poll-tasks' if tasks else 'polls'}/"


def ballot(client: Dav, poll: Poll, option: str, *, tasks: bool = False) -> str:
    return f"{url_of(client, tasks)}{poll.id}-{option}.ics"


def answered(text: str, partstat: str) -> str:
    """A ballot as DAVx5 stores it when somebody taps on "Going?"."""
    return re.sub("PARTSTAT=[A-Z-]+", f"PARTSTAT={partstat}", text.replace("\r\n ", ""))


def with_status(text: str, status: str) -> str:
    return re.sub("(?m)^STATUS:[A-Z-]+", f"STATUS:{status}", text)


def token_of(client: Dav, url: str) -> str:
    return client.report(url, sync()).xml.findtext(DAV.sync_token) or ""


def test_each_voter_has_a_ballot_for_each_option(poll: Poll, bob: Dav, dora: Dav) -> None:
    poll.define('closes = 2027-01-01T20:00:00Z\ndescription = "Where and when?"')
    listed = bob.propfind("/dav/bob/", depth="1").multistatus()
    assert {url_of(bob), url_of(bob, True)} <= set(listed)
    text = bob.get(ballot(bob, poll, "a")).text
    assert said(text, "UID") == f"{poll.id}-a"
    assert said(text, "SUMMARY") == "Assembly?"
    assert "DTSTART;TZID=Europe/Paris:20270112T180000\r\nDTEND;TZID=Europe/Paris:20270112T200000" in text
    assert "BEGIN:VTIMEZONE" in text
    assert (said(text, "STATUS"), said(text, "TRANSP")) == ("TENTATIVE", "TRANSPARENT")
    assert said(text, "CATEGORIES") == "Poll: Assembly"
    assert "until Fri 1 Jan 2027\\, 20:00 (UTC)" in said(text, "DESCRIPTION")
    unfolded = text.replace("\r\n ", "")
    assert "ORGANIZER;CN=Association;SCHEDULE-AGENT=NONE:mailto:noreply@" in unfolded
    assert "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-AGENT=NONE:mailto:bob@example.org" in unfolded
    day = bob.get(ballot(bob, poll, "b")).text
    assert "DTSTART;VALUE=DATE:20270113\r\nDTEND;VALUE=DATE:20270114" in day
    utc = bob.get(ballot(bob, poll, "c")).text
    assert "DTSTART:20270201T100000Z" in utc
    assert said(utc, "SUMMARY") == "Assembly? Later"
    assert bob.get(ballot(dora, poll, "a")).status == 404
    assert dora.get(ballot(dora, poll, "a")).status == 404
    assert dora.get(ballot(bob, poll, "a")).status == 404


@pytest.mark.parametrize(("partstat", "answer"), [("ACCEPTED", "yes"), ("DECLINED", "no"), ("TENTATIVE", "maybe")])
def test_a_tap_on_going_is_a_vote(poll: Poll, bob: Dav, partstat: str, answer: str) -> None:
    href = ballot(bob, poll, "a")
    served = bob.get(href)
    assert bob.put(href, answered(served.text, partstat), {"If-Match": served.etag}).status == 204
    assert (poll.disk / "votes/bob.toml").read_text() == f'a = "{answer}"\n'
    text = bob.get(href).text
    assert f"PARTSTAT={partstat}" in text.replace("\r\n ", "")
    assert said(text, "STATUS") == {"yes": "CONFIRMED", "no": "CANCELLED", "maybe": "TENTATIVE"}[answer]
    again = bob.get(href)
    assert bob.put(href, answered(again.text, "NEEDS-ACTION"), {"If-Match": again.etag}).status == 204
    assert (poll.disk / "votes/bob.toml").read_text() == ""


@pytest.mark.parametrize(("status", "answer"), [("CONFIRMED", "yes"), ("CANCELLED", "no")])
def test_a_program_without_buttons_votes_by_status(poll: Poll, bob: Dav, status: str, answer: str) -> None:
    href = ballot(bob, poll, "b")
    served = bob.get(href)
    assert bob.put(href, with_status(served.text, status), {"If-Match": served.etag}).status == 204
    assert (poll.disk / "votes/bob.toml").read_text() == f'b = "{answer}"\n'


@pytest.mark.parametrize(("status", "answer"), [("COMPLETED", "yes"), ("CANCELLED", "no"), ("IN-PROCESS", "maybe")])
def test_who_prefers_tasks_votes_there(poll: Poll, bob: Dav, status: str, answer: str) -> None:
    href = ballot(bob, poll, "a", tasks=True)
    served = bob.get(href)
    assert said(served.text, "SUMMARY") == "Assembly? Tue 12 Jan 2027\\, 18:00 – 20:00 (Europe/Paris)"
    assert said(served.text, "STATUS") == "NEEDS-ACTION"
    assert bob.put(href, with_status(served.text, status), {"If-Match": served.etag}).status == 204
    assert (poll.disk / "votes/bob.toml").read_text() == f'a = "{answer}"\n'
    event = bob.get(ballot(bob, poll, "a")).text
    assert said(event, "STATUS") == {"yes": "CONFIRMED", "no": "CANCELLED", "maybe": "TENTATIVE"}[answer]


def test_a_poll_about_texts_has_tasks_and_no_events(poll: Poll, bob: Dav) -> None:
    options = '[[option]]\nid = "x"\nlabel = "Pizza"\n[[option]]\nid = "y"\nlabel = "Pasta"\n'
    text = poll.alice.get(f"{poll.path}/poll.toml").text.split("\n\n")[0].replace('"date"', '"text"')
    assert poll.alice.put(f"{poll.path}/poll.toml", f"{text}\n{options}").status == 204
    assert said(bob.get(ballot(bob, poll, "x", tasks=True)).text, "SUMMARY") == "Assembly? Pizza"
    assert bob.get(ballot(bob, poll, "x")).status == 404


def test_deleting_a_ballot_says_no_and_it_does_not_come_again(poll: Poll, bob: Dav) -> None:
    href, url = ballot(bob, poll, "a"), url_of(bob)
    token = token_of(bob, url)
    assert bob.delete(href, {"If-Match": bob.get(href).etag}).status == 204
    assert bob.get(href).status == 404
    assert (poll.disk / "votes/bob.toml").read_text() == 'a = "no"\n'
    assert {row: each.status for row, each in bob.report(url, sync(token)).multistatus().items()} == {href: 404}
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\n').status == 204
    assert bob.get(href).status == 404
    poll.server.restart()
    assert bob.get(href).status == 404


def test_what_is_not_a_vote_is_ignored_but_for_alarms(poll: Poll, bob: Dav) -> None:
    href = ballot(bob, poll, "a")
    served = bob.get(href)
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:x\r\nEND:VALARM\r\n"
    body = served.text.replace("SUMMARY:Assembly?", "SUMMARY:forged").replace("END:VEVENT", f"{alarm}END:VEVENT")
    reply = bob.put(href, body, {"If-Match": served.etag})
    assert reply.status == 204
    assert "etag" not in reply.headers
    text = bob.get(href).text
    assert said(text, "SUMMARY") == "Assembly?"
    assert alarm in text
    assert not (poll.disk / "votes/bob.toml").exists()
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\n').status == 201
    poll.server.stop()
    (poll.server.data / "index.sqlite").unlink()
    poll.server.start()
    assert alarm in bob.get(href).text
    assert said(bob.get(href).text, "STATUS") == "CONFIRMED"


def test_storing_what_was_read_changes_nothing(poll: Poll, bob: Dav) -> None:
    href, url = ballot(bob, poll, "a"), url_of(bob)
    served, token, before = bob.get(href), token_of(bob, url), poll.tree()
    reply = bob.put(href, served.text, {"If-Match": served.etag})
    assert reply.status == 204
    assert reply.headers.get("etag") == served.etag
    assert bob.report(url, sync(token)).multistatus() == {}
    assert poll.tree() == before


def test_new_objects_are_refused_and_not_announced(poll: Poll, bob: Dav) -> None:
    url, before = url_of(bob), poll.tree()
    row = bob.propfind(url, PRIVILEGES, depth="0").multistatus()[url]
    granted = {element.tag for element in row.props[PRIVILEGES].iter()}
    assert {"{DAV:}read", "{DAV:}write-content", "{DAV:}unbind"} <= granted
    assert granted.isdisjoint({"{DAV:}bind", "{DAV:}write", "{DAV:}all"})
    text = bob.get(ballot(bob, poll, "a")).text.replace(f"{poll.id}-a", "own")
    reply = bob.put(f"{url}own.ics", text, {"If-None-Match": "*"})
    assert (reply.status, reply.condition) == (403, "{DAV:}need-privileges")
    assert poll.tree() == before


def test_a_vote_that_waits_on_a_phone_is_not_refused_because_others_vote(poll: Poll, bob: Dav, carol: Dav) -> None:
    href = ballot(bob, poll, "a")
    served, other = bob.get(href), bob.get(ballot(bob, poll, "b"))
    token = token_of(bob, url_of(bob))
    url = poll.publish()
    for number in range(20):
        body = f"name=g{number}&code=x&opt.a=yes&opt.b=no"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if number % 10 == 0:
            poll.server.restart()  # one address has ten a minute
        assert poll.visitor.request("POST", f"{url}votes/", body, headers).status == 303
    assert carol.put(f"{poll.votes}/carol.toml", 'a = "no"\n').status == 201
    assert bob.report(url_of(bob), sync(token)).multistatus() == {}
    assert bob.put(href, answered(served.text, "ACCEPTED"), {"If-Match": served.etag}).status == 204
    second = ballot(bob, poll, "b")  # and the own vote for one option does not touch the others
    assert bob.put(second, answered(other.text, "DECLINED"), {"If-Match": other.etag}).status == 204
    assert (poll.disk / "votes/bob.toml").read_text() == 'a = "yes"\nb = "no"\n'


def test_a_stale_ballot_loses_against_the_file(poll: Poll, bob: Dav) -> None:
    href = ballot(bob, poll, "a")
    served = bob.get(href)
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "no"\n').status == 201
    before = poll.tree()
    assert bob.put(href, answered(served.text, "ACCEPTED"), {"If-Match": served.etag}).status == 412
    assert poll.tree() == before


def test_a_late_vote_is_refused_and_the_result_stays(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "no"\n').status == 201
    poll.close()
    href = ballot(bob, poll, "a")
    served, results, before = bob.get(href), poll.results(), poll.tree()
    assert bob.put(href, answered(served.text, "ACCEPTED"), {"If-Match": served.etag}).status == 409
    assert bob.delete(ballot(bob, poll, "b")).status == 409
    assert bob.get(ballot(bob, poll, "b")).status == 200
    assert poll.results() == results
    assert poll.tree() == before


def test_a_full_option_is_refused(poll: Poll, bob: Dav, carol: Dav) -> None:
    poll.define("per_option = 1")
    assert carol.put(f"{poll.votes}/carol.toml", 'a = "yes"\n').status == 201
    href = ballot(bob, poll, "a")
    served, before = bob.get(href), poll.tree()
    assert bob.put(href, answered(served.text, "ACCEPTED"), {"If-Match": served.etag}).status == 409
    assert poll.tree() == before


def test_maybe_is_refused_and_not_offered_where_the_poll_does_not_take_it(poll: Poll, bob: Dav) -> None:
    offers = ("Tentative: if need be", "In process: if need be")
    hrefs = (ballot(bob, poll, "a"), ballot(bob, poll, "a", tasks=True))
    for href, offer in zip(hrefs, offers, strict=True):
        assert offer in said(bob.get(href).text, "DESCRIPTION")
    poll.define("maybe = false")
    event, task = (bob.get(href) for href in hrefs)
    before = poll.tree()
    for href, served, body in (
        (hrefs[0], event, answered(event.text, "TENTATIVE")),
        (hrefs[1], task, with_status(task.text, "IN-PROCESS")),
    ):
        assert "if need be" not in said(served.text, "DESCRIPTION")
        reply = bob.put(href, body, {"If-Match": served.etag})
        assert (reply.status, reply.text) == (409, "this poll takes no maybe\n")
        assert bob.get(href).etag == served.etag
    assert poll.tree() == before


def test_the_collections_say_what_phones_ask_of_each(poll: Poll, bob: Dav) -> None:
    color, kinds = APPLE.calendar_color, CALDAV.supported_calendar_component_set
    for url, component, name in ((url_of(bob), "VEVENT", "Polls"), (url_of(bob, True), "VTODO", "Polls (tasks)")):
        row = bob.propfind(url, color, kinds, DAV.displayname, DAV.owner, depth="0").multistatus()[url]
        assert re.fullmatch("#[0-9A-F]{6}", row.text(color) or "")
        assert [each.get("name") for each in row.props[kinds]] == [component]
        assert row.text(DAV.displayname) == name
        assert row.props[DAV.owner][0].text == "/dav/bob/"


def test_who_joins_or_leaves_gains_or_loses_ballots_with_the_next_sync(poll: Poll, bob: Dav) -> None:
    url, href = url_of(bob), ballot(bob, poll, "a")
    other = Poll(poll.server, f"{poll.path}other")  # the collection stays while there is a poll
    assert other.alice.mkcol(other.path).status == 201
    other.define()
    token = token_of(bob, url)
    ctag = "{http://calendarserver.org/ns/}getctag"
    tag = bob.propfind(url, ctag, depth="0").multistatus()[url].text(ctag)
    poll.define('voters = ["board"]')
    assert bob.propfind(url, ctag, depth="0").multistatus()[url].text(ctag) != tag
    gone = {row: each.status for row, each in bob.report(url, sync(token)).multistatus().items()}
    assert gone == {ballot(bob, poll, option): 404 for option in "abc"}
    token = token_of(bob, url)
    poll.define('voters = ["sport"]')
    assert set(bob.report(url, sync(token)).multistatus()) == {ballot(bob, poll, option) for option in "abc"}
    token = token_of(bob, url)
    groups = (
        poll.server.root / "groups.toml" if hasattr(poll.server, "root") else poll.server.data.parent / "groups.toml"
    )
    text = groups.read_text()
    groups.write_text(text.replace('members = ["alice", "bob"]', 'members = ["alice"]'))
    try:
        poll.server.restart()
        assert bob.get(href).status == 404
        assert {row: each.status for row, each in bob.report(url, sync(token)).multistatus().items()} == {
            ballot(bob, poll, option): 404 for option in "abc"
        }
    finally:
        groups.write_text(text)
        poll.server.restart()


def test_an_option_that_is_added_or_changed_is_news_and_no_other(poll: Poll, bob: Dav) -> None:
    url = url_of(bob)
    token = token_of(bob, url)
    poll.define(options=OPTIONS + '[[option]]\nid = "d"\nstart = 2027-05-01\n')
    assert ballot(bob, poll, "d") in bob.report(url, sync(token)).multistatus()
    poll.define(options=OPTIONS)
    token = token_of(bob, url)
    assert ballot(bob, poll, "d") not in bob.propfind(url, depth="1").multistatus()
    assert bob.report(url, sync(token)).multistatus() == {}


def test_two_voters_never_see_each_others_ballots(poll: Poll, bob: Dav, carol: Dav) -> None:
    assert carol.put(f"{poll.votes}/carol.toml", 'a = "yes"\n').status == 201
    assert bob.get(ballot(carol, poll, "a")).status == 404
    for path in (ballot(carol, poll, "a"), url_of(carol), "/dav/carol/"):
        found = bob.propfind(path, depth="1")
        assert found.status == 404 or not any(href.endswith(".ics") for href in found.multistatus())
    assert said(bob.get(ballot(bob, poll, "a")).text, "STATUS") == "TENTATIVE"
    assert "Carol" not in bob.get(ballot(bob, poll, "a")).text


def test_the_collection_is_hidden_by_deleting_it_and_nothing_is_voted(poll: Poll, bob: Dav) -> None:
    before = poll.tree()
    assert bob.delete(url_of(bob)).status == 204
    assert bob.propfind(url_of(bob), depth="0").status == 404
    assert bob.get(ballot(bob, poll, "a", tasks=True)).status == 200
    assert poll.tree() == before
    assert bob.put("/files/Home/collections.toml", "").status in (201, 204)
    assert bob.get(ballot(bob, poll, "a")).status == 200


def test_what_was_decided_stands_in_the_calendar_and_the_ballots_go(poll: Poll, bob: Dav, carol: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\n').status == 201
    url, late = url_of(bob), bob.get(ballot(bob, poll, "a"))
    poll.alice.propfind("/dav/alice/", depth="1")  # the calendar is made when it is used first
    token = token_of(bob, url)
    poll.define('decided = "a"\ncalendar = "calendar"')
    gone = {row: each.status for row, each in bob.report(url, sync(token)).multistatus().items()}
    assert gone == {ballot(bob, poll, option): 404 for option in "abc"}
    href = f"/dav/alice/calendar/{poll.id}-a-decided.ics"
    text = poll.alice.get(href).text
    assert (said(text, "STATUS"), said(text, "SUMMARY")) == ("CONFIRMED", "Assembly")
    assert "yes: 1" in said(text, "DESCRIPTION")
    assert "DTSTART;TZID=Europe/Paris:20270112T180000" in text
    before = poll.tree()
    reply = bob.put(ballot(bob, poll, "a"), answered(late.text, "ACCEPTED"), {"If-None-Match": "*"})
    assert (reply.status, reply.condition) == (403, "{DAV:}need-privileges")
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "no"\n').status == 409
    assert poll.tree() == before
    etag = poll.alice.get(href).etag
    poll.server.restart()
    poll.server.stop()
    (poll.server.data / "index.sqlite").unlink()
    poll.server.start()
    bob.propfind("/dav/bob/", depth="1")
    assert poll.alice.get(href).etag == etag
    poll.define('decided = "b"\ncalendar = "calendar"')
    assert poll.alice.get(href).status == 404
    assert poll.alice.get(f"/dav/alice/calendar/{poll.id}-b-decided.ics").status == 200
    poll.define()
    assert poll.alice.get(f"/dav/alice/calendar/{poll.id}-b-decided.ics").status == 404
    assert bob.get(ballot(bob, poll, "a")).status == 200


def test_the_event_of_what_was_decided_follows_the_poll(poll: Poll, bob: Dav) -> None:
    decided = 'decided = "a"\ncalendar = "calendar"'
    poll.define(decided)
    href = f"/dav/alice/calendar/{poll.id}-a-decided.ics"
    assert "DTSTART;TZID=Europe/Paris:20270112T180000" in poll.alice.get(href).text
    poll.define(decided, OPTIONS.replace("T18:00", "T19:00"))
    assert "DTSTART;TZID=Europe/Paris:20270112T190000" in poll.alice.get(href).text
    assert poll.alice.delete(href).status == 204
    poll.define(decided + "\nper_voter = 2", OPTIONS.replace("T18:00", "T19:00"))
    bob.propfind(url_of(bob), depth="1")
    assert poll.alice.get(href).status == 404  # it tells nothing else, and somebody took it away


def test_a_poll_copied_on_the_disk_leaves_the_event_of_the_first_one_alone(poll: Poll, bob: Dav) -> None:
    poll.define('decided = "a"\ncalendar = "calendar"')
    href, copied = f"/dav/alice/calendar/{poll.id}-a-decided.ics", f"{poll.path} copy"
    etag = poll.alice.get(href).etag
    poll.server.stop()
    shutil.copytree(poll.disk, f"{poll.disk} copy")
    poll.server.start()
    bob.propfind(url_of(bob), depth="1")
    text = poll.alice.get(f"{copied}/poll.toml").text
    assert poll.alice.put(f"{copied}/poll.toml", text.replace('decided = "a"', "")).status == 204
    bob.propfind(url_of(bob), depth="1")
    assert poll.alice.get(href).etag == etag


def test_a_decision_goes_where_its_author_may_write_and_nowhere_else(poll: Poll, carol: Dav) -> None:
    for each in (poll.alice, carol):
        each.propfind(f"/dav/{each.user}/", depth="1")  # what there is at first is made
    before = poll.server.tree()
    for calendar in ("carol/calendar", "nothing", "tasks"):
        text = poll.alice.get(f"{poll.path}/poll.toml").text.replace(
            "\n", f'\ncalendar = "{calendar}"\ndecided = "a"\n', 1
        )
        reply = poll.alice.put(f"{poll.path}/poll.toml", text)
        assert reply.status == 422
        assert f"poll.toml:2: calendar is '{calendar}'; that is no calendar to which alice may write" in reply.text
    assert poll.server.tree() == before
    poll.define('calendar = "nothing"')  # nothing is decided yet


def test_a_lost_index_changes_nothing_that_a_client_sees(poll: Poll, bob: Dav) -> None:
    assert bob.put(f"{poll.votes}/bob.toml", 'a = "yes"\nb = "no"\n').status == 201
    assert bob.delete(ballot(bob, poll, "c")).status == 204

    def seen() -> dict[str, tuple[str, str]]:
        found = bob.propfind(url_of(bob), depth="1").multistatus()
        return {href: (bob.get(href).etag, bob.get(href).text) for href in found if href.endswith(".ics")}

    before = seen()
    assert before
    poll.server.stop()
    (poll.server.data / "index.sqlite").unlink()
    poll.server.start()
    assert seen() == before
