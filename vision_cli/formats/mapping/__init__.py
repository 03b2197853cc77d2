"""`mapping`: a format of a user's own, described by a YAML file or spoken by a Python file of two functions.

A YAML file says where JSON or CSV holds paths, sizes, classes and boxes; it is data. A Python file is a program that
runs.
Either is named with `--mapping`; neither is ever looked for. docs/formats_of_your_own.md shows both.
"""

from __future__ import annotations

from pathlib import Path

from vision_cli.core.dataset import Dataset
from vision_cli.core.errors import UsageError
from vision_cli.formats import CARRIED, ReadOptions, WriteOptions, Written
from vision_cli.formats.conserving import DEFECTS

CARRIES = frozenset({*CARRIED, *DEFECTS})
"""What a program is handed; what it makes of it is its own."""
PIXELS = "exclusive"

_PROGRAM = ".py"
_TEXTS = (".yaml", ".yml")


def detect(path: Path) -> str | None:
    """Return None: nobody's own format is recognised, it is named."""
    return None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Read a source as `options.mapping` says.

    Args:
        path: the source: a file, or a folder that the mapping's files are relative to.
        options: `images` is the folder of photo paths; the source's own without.

    Raises:
        UsageError: no mapping is named, or it is not of its form.
        DataError: the source does not fit it, or the program fails.
    """
    file = _named(options.mapping, (_PROGRAM, *_TEXTS))
    if file.suffix.lower() == _PROGRAM:
        from vision_cli.formats.mapping import program as mapping_program

        return mapping_program.read(file, path, options)
    from vision_cli.formats.mapping.config import read_mapping
    from vision_cli.formats.mapping.reading import MappingReader

    return MappingReader(read_mapping(file), file, path, options).read()


def write(dataset: Dataset, folder: Path, options: WriteOptions) -> Written:
    """Write with the function `write` of a program.

    Raises:
        UsageError: no program is named.
        DataError: it fails, or returns no paths of photos.
    """
    from vision_cli.formats.mapping import program_write as mapping_program_write

    return mapping_program_write.write(_named(options.mapping, (_PROGRAM,)), dataset, folder)


def _named(file: Path | None, suffixes: tuple[str, ...]) -> Path:
    if file is None or file.suffix.lower() not in suffixes:
        given = "none is given" if file is None else f"{file} is neither"
        raise UsageError(
            f"the format 'mapping' needs a file that ends in {' or '.join(suffixes)}, and {given}.",
            hint="Name it with --mapping; docs/formats_of_your_own.md shows complete ones.",
        )
    return file
