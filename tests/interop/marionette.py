"""Thunderbird without a window, told what to do over Marionette, its protocol for tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.harness import free_port

START_WITHIN_S = 120
SCRIPT_WITHIN_S = 120
PREFERENCES: dict[str, bool | int | str] = {
    # nothing is asked of a person, and nothing but the server is spoken to
    "app.donation.eoy.version.viewed": 9999,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "calendar.timezone.local": "Europe/Paris",
    "calendar.timezone.useSystemTimezone": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.autoDisableScopes": 15,
    "extensions.update.enabled": False,
    "mail.accounthub.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disableIPv6": True,
    "network.proxy.type": 0,
    "offline.startup_state": 2,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "signon.rememberSignons": True,
    "toolkit.telemetry.enabled": False,
}
PRELUDE = """
const done = arguments[arguments.length - 1];
const args = Array.from(arguments).slice(0, -1);
const {cal} = ChromeUtils.importESModule("resource:///modules/calendar/calUtils.sys.mjs");
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
(async () => { %s })().then(
  value => done(JSON.stringify({value: value === undefined ? null : value})),
  error => done(JSON.stringify({error: String(error && error.message || error)})));
"""


class ScriptFailed(Exception):
    """What a script in the program ended with; some of it, as a database that is in use, passes."""


class Thunderbird:
    """A Thunderbird with a profile of its own in ``home``."""

    def __init__(self, program: str, home: Path) -> None:
        port = free_port()
        profile = home / "profile"
        profile.mkdir(parents=True, exist_ok=True)
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items())
        (profile / "user.js").write_text("\n".join([*lines, f'user_pref("marionette.port", {port});', ""]))
        options = ("--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile")
        with (home / "thunderbird.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, *options, str(profile)],
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._count = 0
        self._socket = self._connect(port, home)
        self._stream = self._socket.makefile("rb")
        self._receive()
        self._call("WebDriver:NewSession", {})
        self._call("Marionette:SetContext", {"value": "chrome"})
        self._call("WebDriver:SetTimeouts", {"script": SCRIPT_WITHIN_S * 1000})

    def _connect(self, port: int, home: Path) -> socket.socket:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                found = socket.create_connection(("127.0.0.1", port), timeout=5)
            except OSError:
                time.sleep(0.2)
            else:
                found.settimeout(SCRIPT_WITHIN_S + 30)
                return found
        self.stop()
        raise AssertionError((home / "thunderbird.log").read_text(errors="replace")[-2000:])

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of an asynchronous function returns, run with all rights of the program; ``args`` are its."""
        sent = {"script": PRELUDE % script, "args": list(arguments)}
        answer = json.loads(self._call("WebDriver:ExecuteAsyncScript", sent)["value"])
        if "error" in answer:
            raise ScriptFailed(answer["error"])
        return answer["value"]

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _call(self, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        message = json.dumps([0, self._count, command, parameters]).encode()
        self._socket.sendall(str(len(message)).encode() + b":" + message)
        _, _, error, result = self._receive()
        assert not error, error
        found: dict[str, Any] = result or {}
        return found

    def _receive(self) -> Any:
        """One message: its length in bytes, a colon, JSON."""
        digits = b""
        while (byte := self._stream.read(1)) != b":":
            assert byte, "Thunderbird closed the connection"
            digits += byte
        return json.loads(self._stream.read(int(digits)))


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    own = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1"}
    return {**kept, **own, "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
