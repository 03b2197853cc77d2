"""An exported file carries its card, and its card the SHA-256 of the file: a flipped bit is found before it runs.

The digest is of all bytes of the file with the 64 digits of the digest itself read as zeros.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from vision_cli.core import files
from vision_cli.core.artefact import Card, parse_card
from vision_cli.core.errors import DataError

CHECKSUM = "file"
"""The key of the file's own digest in `Card.sha256`."""
_ZEROS = b"0" * 64


def sealed(card: Card, pack: Callable[[str], bytes]) -> bytes:
    """Return the bytes of a file that holds a card and its own checksum.

    Args:
        card: of the exported file.
        pack: puts the card's JSON text verbatim, once, into the file and returns the file's bytes.
    """
    stand_in = hashlib.sha256(_text(card, "")).hexdigest()
    content = pack(_text(card, stand_in).decode())
    if content.count(stand_in.encode()) != 1:
        raise RuntimeError("the card's text must stand in the file exactly once")
    return content.replace(stand_in.encode(), _digest(content, stand_in).encode())


def opened(text: bytes, content: bytes, *, where: str) -> Card:
    """Return the card of a sealed file.

    Args:
        text: the card's JSON text, from the file's metadata.
        content: all bytes of the file.
        where: the file, for messages.

    Raises:
        DataError: not a card, or the file's bytes are not those that were sealed.
    """
    card = parse_card(text, where=where)
    claimed = card.sha256.get(CHECKSUM, "")
    if _digest(content, claimed) != claimed:
        raise DataError(
            f"{where}: was changed after it was written: its checksum does not match.",
            hint="Copy the file again, or export the model again.",
        )
    return card


def _digest(content: bytes, own_digits: str) -> str:
    blanked = content.replace(own_digits.encode(), _ZEROS) if len(own_digits) == len(_ZEROS) else content
    return hashlib.sha256(blanked).hexdigest()


def _text(card: Card, digest: str) -> bytes:
    return files.json_text(replace(card, weights_file="", sha256={CHECKSUM: digest}).as_json(), indent=None).encode()
