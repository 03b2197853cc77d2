"""Photos from the web, from hosts that the user named, over https and nothing else."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from vision_cli.core.download import CheckedRedirect
from vision_cli.core.errors import DataError, MissingPartError, UsageError
from vision_cli.stages.embedding.reading import Held

MAX_BYTES = 50_000_000
_SECONDS = 20.0
_CHUNK_BYTES = 1 << 20


def is_address(text: str) -> bool:
    """Return whether an input looks like an address of the web."""
    return "://" in text


def check_address(url: str, hosts: Sequence[str], *, offline: bool) -> None:
    """Refuse an address that is not https, or whose host the user did not name.

    Raises:
        UsageError: saying what to type.
        MissingPartError: downloads are off.
    """
    parts = urlsplit(url)
    try:
        host, _ = (parts.hostname or "").casefold(), parts.port
    except ValueError as error:
        raise UsageError(f"{url}: is no address: {error}.") from error
    if parts.scheme.casefold() != "https" or not host:
        raise UsageError(f"{url}: only https addresses are fetched.", hint="Download the photo, and give the file.")
    if parts.username or parts.password:
        raise UsageError(f"an address at {host} holds a name or a password.", hint="Leave them out.")
    if host not in {each.casefold() for each in hosts}:
        raise UsageError(
            f"{url}: nothing is fetched from {host} unless you name it.",
            hint=f"Add --allow-host {host} if you trust it.",
        )
    if offline:
        raise MissingPartError(
            f"{url}: downloads are off (--offline or VISION_OFFLINE).", hint="Download the photo, and give the file."
        )


def fetch(url: str, hosts: Sequence[str], *, offline: bool) -> Held:
    """Return a photo of the web in memory; redirects stay with the hosts that are named.

    Raises:
        UsageError: see `check_address`.
        MissingPartError: downloads are off, or the host does not answer.
        DataError: it is too large.
    """
    check_address(url, hosts, offline=offline)
    request = urllib.request.Request(url, headers={"User-Agent": "vision-cli"})  # noqa: S310  only https, see above
    try:
        with _opener(hosts).open(request, timeout=_SECONDS) as response:
            return Held(url, _limited(url, response))
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise MissingPartError(
            f"{url}: cannot be fetched: {reason}.", hint="Download the photo, and give the file."
        ) from error


def _limited(url: str, response: Any) -> bytes:
    content = bytearray()
    while chunk := response.read(_CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_BYTES:
            raise DataError(f"{url}: has more than {MAX_BYTES:,} bytes.", hint="That is no photo.")
    return bytes(content)


class _NamedHosts(CheckedRedirect):
    """Follows redirects to hosts that are named, and refuses others."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts

    def check(self, request: urllib.request.Request, headers: Any, target: str) -> None:
        """Refuse other hosts."""
        check_address(target, self._hosts, offline=False)


def _opener(hosts: Sequence[str]) -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _NamedHosts(hosts),
    ):
        opener.add_handler(handler)
    opener.addheaders = []
    return opener
