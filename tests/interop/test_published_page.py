"""A published page in the engine of Firefox, as Thunderbird has it: it loads what lies beside it and runs nothing."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import MakeServer
from tests.interop.marionette import Thunderbird
from tests.interop.programs import program
from tests.links.conftest import READ, urls_in

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")  # fonts-dejavu-core
PAGE = """<!doctype html><meta charset="utf-8"><title>Ours</title><link rel="stylesheet" href="style.css">
<script>document.title = "A script ran"</script><script src="script.js"></script>
<p>Text</p><img src="drawing.svg" onload="document.title = 'A script ran'">"""
STYLE = '@font-face { font-family: Ours; src: url("ours.ttf") } p { font: 20px Ours; color: rgb(1, 2, 3) }'
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="70" height="30"/>'
LOOK = """
const window = Services.wm.getMostRecentWindow("mail:3pane");
const {browser} = window.document.getElementById("tabmail").openTab("contentTab", {url: args[0]});
const look = async () => {
  const page = content.document;
  while (page.readyState != "complete") await new Promise(done => content.setTimeout(done, 50));
  await page.fonts.ready;
  sendAsyncMessage("seen", {
    title: page.title,
    color: content.getComputedStyle(page.querySelector("p")).color,
    width: page.querySelector("img").naturalWidth,
    fonts: [...page.fonts].map(font => font.status),
  });
};
for (let tries = 0; tries < 1200 && browser.contentTitle == ""; tries++) {
  await new Promise(resolve => window.setTimeout(resolve, 50));
}
const seen = new Promise(resolve => browser.messageManager.addMessageListener("seen", ({data}) => resolve(data)));
browser.messageManager.loadFrameScript("data:,(" + encodeURIComponent(look) + ")()", false);
return await seen;
"""


def test_a_page_has_its_styles_pictures_and_fonts_and_runs_no_script(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server().start()
    alice = server.client("alice")
    assert alice.mkcol("/files/Home/page").status == 201
    for name, body in (
        ("index.html", PAGE),
        ("style.css", STYLE),
        ("drawing.svg", DRAWING),
        ("script.js", "document.title = 'A script ran'"),
        ("ours.ttf", FONT.read_bytes()),
        ("access.toml", READ),
    ):
        assert alice.put(f"/files/Home/page/{name}", body).status == 201
    (url,) = urls_in(alice.get("/files/Home/page/links.txt").text)
    thunderbird = Thunderbird(program("thunderbird"), tmp_path / "thunderbird")
    try:
        seen = thunderbird.run(LOOK, server.url + url)
    finally:
        thunderbird.stop()
    assert seen == {"title": "Ours", "color": "rgb(1, 2, 3)", "width": 70, "fonts": ["loaded"]}
