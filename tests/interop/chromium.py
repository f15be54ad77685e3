"""Chromium without a window, told what to do over WebDriver (https://www.w3.org/TR/webdriver2/) by chromedriver."""

from __future__ import annotations

import json
import os
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.harness import free_port
from tests.interop.programs import program

START_WITHIN_S = 60
WAIT_S = 20
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name of a reference to an element, as the standard says
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # of processes, which root has none of; that of pages is another one
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


class Chromium:
    """
    A browser with a profile of its own in ``home``.

    Elements are named by CSS selectors. What is not there yet is waited for.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        port = free_port()
        with (home / "chromedriver.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("chromedriver"), f"--port={port}", "--allowed-ips=127.0.0.1"],
                env={**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._connection = HTTPConnection("127.0.0.1", port, timeout=START_WITHIN_S)
        self._session = ""
        try:
            self._await_driver()
            options = {"binary": program("chromium"), "args": [*OPTIONS, f"--user-data-dir={home / 'profile'}"]}
            wanted = {"browserName": "chrome", "goog:chromeOptions": options, "timeouts": {"implicit": WAIT_S * 1000}}
            started = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{started['sessionId']}"
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the browser and its driver."""
        try:
            if self._session:
                self._call("DELETE", self._session)
        finally:
            self._connection.close()
            self._process.terminate()
            self._process.wait(20)

    def open(self, url: str) -> None:
        """Load a page."""
        self._do("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        """Of the page that is shown."""
        return str(self._do("GET", "/url"))

    @property
    def title(self) -> str:
        """Of the page that is shown."""
        return str(self._do("GET", "/title"))

    def has(self, selector: str) -> bool:
        """Whether there is such an element right now."""
        self._do("POST", "/timeouts", {"implicit": 0})
        try:
            return bool(self._do("POST", "/elements", {"using": "css selector", "value": selector}))
        finally:
            self._do("POST", "/timeouts", {"implicit": WAIT_S * 1000})

    def text(self, selector: str = "body") -> str:
        """What people read of an element."""
        return str(self._do("GET", f"/element/{self._find(selector)}/text"))

    def label(self, selector: str) -> str:
        """What a screen reader calls an element."""
        return str(self._do("GET", f"/element/{self._find(selector)}/computedlabel"))

    def style(self, selector: str, name: str) -> str:
        """A property of the style of an element, computed."""
        return str(self._do("GET", f"/element/{self._find(selector)}/css/{name}"))

    def value(self, selector: str) -> str:
        """What stands in a control."""
        return str(self._do("GET", f"/element/{self._find(selector)}/property/value"))

    def type(self, selector: str, text: str) -> None:
        """Press keys in a control; a file control takes paths, one a line."""
        self._do("POST", f"/element/{self._find(selector)}/value", {"text": text})

    def click(self, selector: str) -> None:
        """Click on an element."""
        self._do("POST", f"/element/{self._find(selector)}/click", {})

    def focused(self) -> str:
        """The name of the control that has the focus."""
        found = self._do("GET", "/element/active")[ELEMENT]
        return str(self._do("GET", f"/element/{found}/property/name"))

    def press(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._do("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def back(self) -> None:
        """Go back to the page before."""
        self._do("POST", "/back", {})

    def await_title(self, title: str) -> None:
        """Wait until a page of this title is shown."""
        deadline = time.monotonic() + WAIT_S
        while self.title != title:
            assert time.monotonic() < deadline, f"{self.title!r} is shown, not {title!r}: {self.url}"
            time.sleep(0.05)

    def _find(self, selector: str) -> str:
        found = self._do("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def _do(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._call(method, self._session + path, body)

    def _await_driver(self) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            try:
                if self._call("GET", "/status")["ready"]:
                    return
            except OSError:
                self._connection.close()
            assert time.monotonic() < deadline, "chromedriver does not answer"
            assert self._process.poll() is None, "chromedriver ended"
            time.sleep(0.1)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        found = json.loads(response.read())["value"]
        assert response.status == 200, f"{found['error']}: {found['message'][:500]}"
        return found
