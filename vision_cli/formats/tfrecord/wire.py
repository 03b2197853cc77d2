"""Records of a TFRecord file, and the `tf.train.Example` in each, without TensorFlow or protobuf.

Formats: https://www.tensorflow.org/tutorials/load_data/tfrecord (length, masked CRC-32C of it, data, masked CRC-32C of
these); https://protobuf.dev/programming-guides/encoding/; tensorflow/core/example/example.proto and feature.proto.
Nothing is believed before it is checked: lengths against what is left, numbers of values against the bytes they need.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vision_cli.core.protobuf import fields, varint
from vision_cli.formats.byte_stream import Broken, Stream
from vision_cli.formats.crc32c import masked

_HEAD = struct.Struct("<QI")
_CRC = struct.Struct("<I")
MAX_RECORD_BYTES = 1 << 29
_MAX_FEATURES = 10_000
_FEATURES, _FEATURE, _KEY, _VALUE = 1, 1, 1, 2

Feature = list[bytes] | list[float] | list[int]


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        number: from 1.
        offset: of its first byte in the (unpacked) file.
        data: its content.
    """

    number: int
    offset: int
    data: bytes


def starts_with_record(head: bytes) -> bool:
    """Return whether the first 12 bytes of a file are a length with its checksum."""
    return len(head) >= _HEAD.size and masked(head[:8]) == _HEAD.unpack(head[: _HEAD.size])[1]


def records(stream: Stream, *, check: bool = True) -> Iterator[Record]:
    """Yield the records of a file.

    Args:
        stream: the file.
        check: whether the content's checksum is computed; the length's always is.

    Raises:
        Broken: cut, a wrong checksum, or a record too large; with its number and offset.
    """
    number, offset = 1, 0
    while head := stream.read(_HEAD.size):
        where = f"record {number} at byte {offset:,}"
        if len(head) < _HEAD.size:
            raise Broken(f"cut inside of {where}")
        length, crc = _HEAD.unpack(head)
        if masked(head[:8]) != crc:
            raise Broken(f"{where}: the checksum of its length is wrong")
        if length > MAX_RECORD_BYTES:
            raise Broken(f"{where}: {length:,} bytes are announced; the limit is {MAX_RECORD_BYTES:,}")
        data, tail = stream.read(length), stream.read(_CRC.size)
        if len(data) < length or len(tail) < _CRC.size:
            raise Broken(f"cut inside of {where}: {length:,} bytes are announced")
        if check and masked(data) != _CRC.unpack(tail)[0]:
            raise Broken(f"{where}: the checksum of its content is wrong")
        yield Record(number, offset, data)
        number, offset = number + 1, stream.position


def example(data: bytes) -> dict[str, Feature]:
    """Return the features of an Example by name.

    Raises:
        ValueError: not protobuf, not an Example, or too many features.
    """
    found: dict[str, Feature] = {}
    for number, features in fields(memoryview(data)):
        if number != _FEATURES or not isinstance(features, memoryview):
            raise ValueError(f"field {number} is none of an Example")
        for place, entry in fields(features):
            if place == _FEATURE and isinstance(entry, memoryview):
                name, feature = _entry(entry)
                found[name] = feature
            if len(found) > _MAX_FEATURES:
                raise ValueError(f"more than {_MAX_FEATURES:,} features")
    return found


def _entry(entry: memoryview) -> tuple[str, Feature]:
    name, feature = b"", memoryview(b"")
    for number, value in fields(entry):
        if isinstance(value, memoryview):
            name, feature = (bytes(value), feature) if number == _KEY else (name, value)
    if len(name) > 1000:
        raise ValueError("a feature's name is longer than 1,000 bytes")
    return name.decode(), _feature(feature)


def _feature(feature: memoryview) -> Feature:
    """Return the values of a Feature; none of an unset one."""
    for kind, content in fields(feature):
        if not isinstance(content, memoryview):
            raise ValueError(f"a feature's field {kind} is no list")
        match kind:
            case 1:
                return [bytes(value) for _, value in fields(content) if isinstance(value, memoryview)]
            case 2:
                return _floats(content)
            case 3:
                return _integers(content)
    return []


def _floats(content: memoryview) -> list[float]:
    found: list[float] = []
    for _, value in fields(content):
        if not isinstance(value, memoryview) or len(value) % 4:
            raise ValueError("a list of floats is no multiple of 4 bytes")
        found += np.frombuffer(value, "<f4").astype(np.float64).tolist()
    return found


def _integers(content: memoryview) -> list[int]:
    found: list[int] = []
    for _, value in fields(content):
        if isinstance(value, int):
            found.append(_signed(value))
            continue
        at = 0
        while at < len(value):
            number, at = varint(value, at)
            found.append(_signed(number))
    return found


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
