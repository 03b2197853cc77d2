"""Tell what a file is from its first bytes; its name is never asked."""

from __future__ import annotations

HEAD_BYTES = 512

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    *((b"P%d%c" % (kind, space), "ppm") for kind in range(1, 7) for space in b" \t\r\n"),
)

_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document"),
    (b"%!ps", "a PostScript program"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript program"),
    (b"%pdf", "a PDF document"),
    (b"pk\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"8bps", "a Photoshop document"),
    (b"\0\0\0\x0cjp  ", "a JPEG 2000 picture"),
    (b"\0\0\0\x0cjxl ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"version https://git-lfs", "a Git LFS pointer (the photo itself was never fetched)"),
    (b"\x7felf", "a program"),
)

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis")


def photo_format(head: bytes) -> str | None:
    """Return the format that a file's first bytes announce, or None when it is no photo that we read."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return "avif" if _brands(head) & {b"avif", b"avis"} else None


def foreign_name(head: bytes) -> str:
    """Describe a file that is no photo, for the message that refuses it."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for signature, name in _FOREIGN:
        if head.lower().startswith(signature) or text.startswith(signature):
            return name
    if _brands(head) & set(_HEIC_BRANDS):
        return "an HEIC picture"
    if head.strip(b"\0") == b"":
        return "nothing but zero bytes"
    return "text" if _is_text(head) else "something unknown"


def _brands(head: bytes) -> set[bytes]:
    """Return the brands of an ISO base media file (ISO/IEC 14496-12, box `ftyp`)."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}


def _is_text(head: bytes) -> bool:
    # The last character may be cut in the middle, so undecodable ends of up to three bytes are forgiven.
    text = head.decode("utf-8", errors="ignore")
    return len(text.encode()) >= len(head) - 3 and all(char.isprintable() or char.isspace() for char in text)
