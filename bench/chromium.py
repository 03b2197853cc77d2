"""A headless Chromium, driven by its DevTools protocol over two pipes (--remote-debugging-pipe)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
# The browser reads from descriptor 3 and writes to 4, whatever numbers the pipes have here.
_START = """import fcntl, os, sys
high = [fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:3]]
for descriptor, number in zip(high, (3, 4)): os.dup2(descriptor, number)
os.execv(sys.argv[3], sys.argv[3:])"""
_CHUNK = 1 << 16


class Tab:
    """One page of a browser.

    Attributes:
        problems: what the page complained of: exceptions, console errors, refusals by its policy.
    """

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._buffer = b""
        self._count = 0
        self._session: str | None = None
        self.problems: list[str] = []
        self.requests: list[str] = []

    def attach(self) -> None:
        """Open an empty page and listen to it."""
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a command and return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": dict(params or {})}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._heard(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            chunk = os.read(self._read, _CHUNK)
            if not chunk:
                raise RuntimeError("the browser has gone")
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(text)
        return found

    def _heard(self, event: Mapping[str, Any]) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.problems.append(str(details.get("exception", {}).get("description") or details["text"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning"):
                self.problems.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.problems.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])

    def open(self, url: str, *, width: int = 1400, height: int = 900, dark: bool = False, scale: float = 1) -> None:
        """Show an address in a window of a size."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500}
        self.send("Emulation.setDeviceMetricsOverride", size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", {"features": scheme})
        self.send("Page.navigate", {"url": "about:blank"})
        self.send("Page.navigate", {"url": url})

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; promises are waited for."""
        found = self.send(
            "Runtime.evaluate",
            {"expression": script, "awaitPromise": True, "returnByValue": True, "userGesture": True},
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        return found["result"].get("value")

    def wait(self, condition: str, seconds: float = 20) -> None:
        """Wait until an expression is true."""
        script = f"""new Promise((done, fail) => {{ const end = performance.now() + {seconds * 1000};
          (function look() {{ let met = false; try {{ met = {condition}; }} catch {{ met = false; }}
            if (met) done(true);
            else if (performance.now() > end) fail(new Error('waited for ' + {json.dumps(condition)}));
            else setTimeout(look, 15); }})(); }})"""
        self.run(script)

    def key(self, key: str, text: str = "") -> None:
        """Press a key."""
        codes = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}
        params = {
            "key": key,
            "windowsVirtualKeyCode": codes.get(key, 0),
            "text": text or ("\r" if key == "Enter" else ""),
        }
        self.send("Input.dispatchKeyEvent", {"type": "keyDown", **params})
        self.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": key})

    def picture(self, path: Path) -> None:
        """Save what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", {"format": "png"})["data"]))


@contextmanager
def browser(program: str | None = PROGRAM) -> Iterator[Tab]:
    """Run a headless browser with an empty profile; its home is thrown away with it."""
    if program is None:
        raise RuntimeError("there is no Chromium here")
    to_browser, from_browser = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as home:
        ends = (to_browser[0], from_browser[1])
        process = subprocess.Popen(
            [sys.executable, "-c", _START, *map(str, ends), program, *_options(home)],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": home},
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            tab = Tab(from_browser[0], to_browser[1])
            tab.attach()
            yield tab
        finally:
            os.close(to_browser[1])  # the browser ends with its pipe
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(from_browser[0])


def _options(home: str) -> list[str]:
    flags = ("no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars", "mute-audio", "no-first-run")
    return ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={home}", *(f"--{flag}" for flag in flags)]
