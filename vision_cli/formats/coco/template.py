"""A source's own record as a template: what changed is rendered anew, all else stays as it is, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def patched(record: bytes | None, changes: Mapping[str, Any]) -> bytes:
    """Return a JSON object with other values.

    Args:
        record: an object; None or an empty one starts a new one.
        changes: new values by name, in the order in which new ones follow; None removes a member.
    """
    members: dict[str, Any] = dict(_MEMBERS.decode(record)) if record else {}
    for name, value in changes.items():
        if value is None:
            members.pop(name, None)
        else:
            members[name] = value
    return msgspec.json.encode(members, enc_hook=str)
