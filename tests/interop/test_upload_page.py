"""The page of the example in the engine of Firefox, as Thunderbird has it: a sandboxed page may send its form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeServer
from tests.harness import ROOT
from tests.interop.marionette import Thunderbird
from tests.interop.programs import program
from tests.links.conftest import urls_in

SEND = """
const window = Services.wm.getMostRecentWindow("mail:3pane");
const {browser} = window.document.getElementById("tabmail").openTab("contentTab", {url: args[0]});
const titles = [];
const next = async () => {
  for (let tries = 0; tries < 1200; tries++) {
    const title = browser.contentTitle;
    if (title && !titles.includes(title)) return titles.push(title);
    await new Promise(resolve => window.setTimeout(resolve, 50));
  }
};
await next();
const fill = () => {
  const file = new content.File(["jpeg"], "Fête.jpg", {type: "image/jpeg"});
  content.document.querySelector("input").mozSetFileArray([file]);
  content.document.querySelector("button").click();
};
const script = "data:text/javascript;charset=utf-8," + encodeURIComponent(`(${fill})()`);
browser.messageManager.loadFrameScript(script, false);
await next();
return titles;
"""


@pytest.fixture
def thunderbird(tmp_path: Path) -> Iterator[Thunderbird]:
    started = Thunderbird(program("thunderbird"), tmp_path / "thunderbird")
    yield started
    started.stop()


def test_a_browser_sends_the_form_of_a_links_page_and_thanks(make_server: MakeServer, thunderbird: Thunderbird) -> None:
    server = make_server().start()
    alice = server.client("alice")
    assert alice.mkcol("/files/Home/party").status == 201
    for file in (ROOT / "examples/upload-page").iterdir():
        assert alice.put(f"/files/Home/party/{file.name}", file.read_bytes()).status == 201
    (url,) = urls_in(alice.get("/files/Home/party/links.txt").text)
    assert thunderbird.run(SEND, server.url + url) == ["Your photos of the summer party", "Thank you"]
    assert alice.get("/files/Home/party/Fête.jpg").body == b"jpeg"
    server.stop()
    assert "GET /p/***/style.css 200" in server.log
