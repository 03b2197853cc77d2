"""Where the photo of a Label Studio task lies: nothing is fetched, the name in its URL decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from vision_cli.core.containment import HINT, Containment
from vision_cli.core.errors import DataError
from vision_cli.formats.labelling_rows import is_there
from vision_cli.formats.photos import is_photo_name

LOCAL = "/data/local-files/?d="
_FIRST = ("image", "img", "photo", "picture", "image_url", "url")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_UPLOAD = "/data/upload/"


def image_field(data: Mapping[str, Any]) -> str | None:
    """Return the member of a task's data that names its photo: a usual name, else the first that ends like a photo."""
    texts = [name for name, value in data.items() if isinstance(value, str) and value]
    usual = next((name for name in _FIRST if name in texts and _looks_like_photo(data[name])), None)
    if usual is None:
        usual = next((name for name in texts if _looks_like_photo(data[name])), None)
    return usual or next((name for name in _FIRST[:4] if name in texts), None)


def _looks_like_photo(text: str) -> bool:
    return len(text) < 4096 and is_photo_name(unquote(_plain(text)))


def _plain(text: str) -> str:
    """Return a path or URL without query and host."""
    if text.startswith("/data/local-files/"):
        return parse_qs(urlsplit(text).query).get("d", [""])[0]
    if _URL.match(text):
        try:
            return urlsplit(text).path
        except ValueError:
            return text
    return text


def photo_path(text: str, fence: Containment) -> str:
    """Return the path of a photo below the root: the first of its names that is there, else where it belongs.

    Looked for, for each: in the root, then in `images/`. Of a URL, an upload or an absolute path the file name alone
    counts, after the whole path.

    Raises:
        DataError: a photo inside of the task, no name, or a path that leads out of the root.
    """
    if text.startswith("data:"):
        raise DataError("the photo itself stands in the task (data: URL); save it as a file")
    local = text.startswith("/data/local-files/")
    remote = bool(_URL.match(text)) or text.startswith(_UPLOAD)
    plain = _plain(text)
    plain = (unquote(plain) if remote else plain).replace("\\", "/")
    absolute = plain.startswith("/") or re.match(r"[A-Za-z]:/", plain) is not None
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise DataError(f"the photo's path {text[:120]!r} leads out of {fence.root}")
    whole, name = "/".join(parts), parts[-1]
    choices = [whole, f"images/{whole}", name, f"images/{name}"]
    stripped = name.partition("-")[2] if text.startswith(_UPLOAD) else ""
    choices += [stripped, f"images/{stripped}"] if stripped else []
    there = next((path for path in choices if fence.holds(path) and is_there(fence.root / path)), None)
    default = name if remote or (absolute and not local) else whole
    found = there or default
    if not fence.holds(found):
        raise DataError(f"the photo's path {text[:120]!r} leads out of {fence.root}", hint=HINT)
    return found


def local_url(path: str) -> str:
    """Return the URL of a photo for Label Studio's local file storage, whose root is the written folder."""
    return LOCAL + quote(path)


def candidates(path: Path) -> list[Path]:
    """Return the JSON files that a path may mean."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    return [file for file in files if file.suffix.lower() == ".json" and file.name[0] != "." and file.is_file()]
