"""A headless Chromium that renders pages: what is on them and where, spoken to by the DevTools protocol.

One start serves all pictures.  The protocol goes over two pipes, its messages ended by NUL.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HIGHEST = 4000
"""Pixels of an image: browsers draw no endless ones."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
PIPES = "import os, sys; r, w, *c = sys.argv[1:]; os.dup2(int(r), 3); os.dup2(int(w), 4); os.execvp(c[0], c)"
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "about:blank",
)
MEASURE = """
(() => {
  const seen = [], page = document.documentElement;
  for (const text of document.querySelectorAll('svg text')) {
    const svg = text.ownerSVGElement.getBoundingClientRect(), box = text.getBoundingClientRect();
    const svgs = [...document.querySelectorAll('svg')];
    if (box.width && getComputedStyle(text).visibility != 'hidden')
      seen.push({text: text.firstChild && text.firstChild.nodeValue,
        picture: svgs.indexOf(text.ownerSVGElement),
        left: box.left - svg.left, top: box.top - svg.top, right: box.right - svg.left,
        bottom: box.bottom - svg.top, width: svg.width, height: svg.height,
        size: parseFloat(getComputedStyle(text).fontSize) *
          svg.width / text.ownerSVGElement.viewBox.baseVal.width,
        colour: getComputedStyle(text).fill});
  }
  return {texts: seen, scripts: window.hacked === undefined ? 0 : 1, wide: page.scrollWidth,
    visible: page.clientWidth, high: page.scrollHeight,
    cut: [...document.querySelectorAll('body *:not(svg *)')].filter(e =>
      e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX == 'hidden').length};
})()
"""
COUNT = """
(async () => {
  const image = new Image();
  image.src = 'data:image/png;base64,%s';
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const data = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  let other = 0;
  for (const each of data) other += each !== data[0];
  return {share: other / data.length, first: data[0]};
})()
"""


@dataclass(frozen=True)
class View:
    """What was seen of a page.

    Attributes
    ----------
    texts : list of dict
        Of pictures: ``text``, ``picture``, its place within it, ``size`` in pixels, ``colour``.
    page : dict
        ``wide``, what all of it takes, of ``visible``; ``scripts`` that ran, ``cut`` elements.
    inked : float
        The share of pixels that are not as the first one.
    png : bytes
    """

    texts: list[dict[str, Any]]
    page: dict[str, Any]
    inked: float
    png: bytes


class Browser:
    """A running browser with one page."""

    def __init__(self, reader: int, writer: int) -> None:
        self._reader = os.fdopen(reader, "rb", buffering=0)
        self._writer = os.fdopen(writer, "wb", buffering=0)
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the result of a command."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._writer.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found

    def view(self, html: str, width: int, *, dark: bool, height: int = 700) -> View:
        """Show a page so wide, and return what is seen of it: of the image at most `HIGHEST`."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self.call("Page.setDocumentContent", frameId=frame, html=html)
        page = self.evaluate(MEASURE)
        clip = {"x": 0, "y": 0, "width": width, "height": min(page["high"], HIGHEST), "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)[
            "data"
        ]
        return View(page.pop("texts"), page, self.evaluate(COUNT % shot)["share"], base64.b64decode(shot))

    def evaluate(self, script: str) -> Any:
        """Return what an expression gives in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def close(self) -> None:
        self._writer.close()
        self._reader.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = self._reader.read(1 << 16)
            if not part:
                raise RuntimeError("the browser has gone")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser, and end it."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise RuntimeError("there is no Chromium; scripts/install-deps tests installs it")
    to_read, to_write = os.pipe(), os.pipe()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    directory = tempfile.mkdtemp(prefix="pgml-browser-")
    command = [program, f"--user-data-dir={directory}", *sandbox, *FLAGS]
    process = subprocess.Popen(
        [sys.executable, "-c", PIPES, str(to_read[0]), str(to_write[1]), *command],
        pass_fds=(to_read[0], to_write[1]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": directory},
    )
    os.close(to_read[0])
    os.close(to_write[1])
    try:
        found = Browser(to_write[0], to_read[1])
        yield found
        found.close()
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(Path(directory), ignore_errors=True)
