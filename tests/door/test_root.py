"""``/`` and ``/.well-known/``: what clients find that know the host's name only."""

from __future__ import annotations

import pytest

from davserver.dav.names import DAV
from tests.conftest import MakeServer
from tests.harness import Dav, Server

CLASSES = "1, 2, 3, access-control, calendar-access, addressbook, extended-mkcol, calendar-availability"
DEEP = "<a>" * 100 + "</a>" * 100
EVERY_METHOD = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCOL", "MKCALENDAR")


@pytest.fixture(scope="module")
def shared(start_server: MakeServer) -> Server:
    return start_server()


@pytest.fixture
def anonymous(shared: Server) -> Dav:
    return shared.client()


@pytest.fixture
def alice(shared: Server) -> Dav:
    return shared.client("alice")


@pytest.mark.rfc("4918", "10.1")
@pytest.mark.parametrize("target", ["/", "*"])
def test_options_announces_every_class_without_credentials(anonymous: Dav, target: str) -> None:
    reply = anonymous.request("OPTIONS", target=target)
    assert reply.status == 200
    assert reply.headers["dav"] == CLASSES
    assert reply.headers["ms-author-via"] == "DAV"
    assert "PROPFIND" in reply.headers["allow"]


@pytest.mark.rfc("5397", "3")
def test_propfind_names_the_principal_and_unknown_properties_are_404(alice: Dav) -> None:
    row = alice.propfind("/", DAV.current_user_principal, DAV.principal_collection_set, DAV.resourcetype, "{x:}y")
    found = row.multistatus()["/"]
    assert found.props[DAV.current_user_principal].findtext(DAV.href) == "/dav/alice/"
    assert found.props[DAV.principal_collection_set].findtext(DAV.href) == "/dav/"
    assert found.props[DAV.resourcetype].find(DAV.collection) is not None
    assert found.statuses["{x:}y"] == 404


@pytest.mark.rfc("4918", "9.1")
def test_depth_1_lists_the_two_trees(alice: Dav) -> None:
    assert list(alice.propfind("/", DAV.resourcetype, depth="1").multistatus()) == ["/", "/files/", "/dav/"]
    assert list(alice.propfind("/", depth="1").multistatus()) == ["/", "/files/", "/dav/"]


@pytest.mark.rfc("4918", "9.1")
@pytest.mark.parametrize("depth", [None, "infinity"])
def test_an_infinite_depth_is_refused(alice: Dav, depth: str | None) -> None:
    reply = alice.propfind("/", DAV.resourcetype, depth=depth)
    assert (reply.status, reply.condition) == (403, DAV.propfind_finite_depth)


def test_propname_lists_names_without_values(alice: Dav) -> None:
    body = '<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>'
    row = alice.propfind("/", body=body).multistatus()["/"]
    assert DAV.current_user_principal in row.props
    assert all(len(element) == 0 and not element.text for element in row.props.values())


@pytest.mark.parametrize(
    "body",
    [
        "<",
        "<a/>",
        '<D:propfind xmlns:D="DAV:"/>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        "<a>" * 100 + "</a>" * 100,
    ],
)
def test_a_body_that_is_no_propfind_is_refused_and_the_server_goes_on(alice: Dav, body: str) -> None:
    assert alice.propfind("/", body=body).status in (400, 413)
    assert alice.propfind("/").status == 207


def test_stray_text_and_other_quotes_in_a_propfind_do_not_matter(alice: Dav) -> None:
    body = "<d:propfind xmlns:d='DAV:'><d:prop><d:displayname/></d:prop>M</d:propfind>"  # as owncloudcmd sends it
    assert alice.propfind("/", body=body).multistatus()["/"].text(DAV.displayname) == "/"


def test_thunderbirds_probe_creates_nothing(shared: Server, anonymous: Dav) -> None:
    before = shared.tree()
    reply = anonymous.put("/", b"", {"If-Match": "nothing"})
    assert reply.status == 405
    assert "PROPFIND" in reply.headers["allow"]
    assert anonymous.put("/probe.ics", b"x").status == 404
    assert shared.tree() == before


def test_get_and_head_of_the_root_say_where_to_go(anonymous: Dav) -> None:
    assert "/files/" in anonymous.get("/").text
    assert anonymous.head("/").status == 200


@pytest.mark.rfc("6764", "5")
@pytest.mark.parametrize("service", ["caldav", "carddav"])
@pytest.mark.parametrize("method", EVERY_METHOD)
def test_well_known_leads_every_method_to_the_collections(anonymous: Dav, service: str, method: str) -> None:
    reply = anonymous.request(method, f"/.well-known/{service}", b"body" if method == "PUT" else None)
    assert (reply.status, reply.headers["location"]) == (301, "/dav/")


@pytest.mark.parametrize("path", ["/principals/", "/.well-known/other", "/favicon.ico", "/calendar/dav/alice/user/"])
def test_other_places_that_clients_try_are_404(alice: Dav, path: str) -> None:
    assert alice.propfind(path).status == 404


@pytest.mark.parametrize(
    ("target", "status"), [("/a/../b", 400), ("/a%2Fb", 400), ("/%00", 400), ("/%ff", 400), ("/" + "a" * 9000, 414)]
)
def test_a_target_that_is_no_path_is_refused_with_a_sentence(anonymous: Dav, target: str, status: int) -> None:
    reply = anonymous.request("GET", target=target)
    assert reply.status == status
    assert len(reply.text) > 20


def test_no_answer_may_be_sniffed(anonymous: Dav) -> None:
    for path in ("/", "/nowhere", "/files/", "/.well-known/caldav"):
        assert anonymous.get(path).headers["x-content-type-options"] == "nosniff"
