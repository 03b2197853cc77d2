"""The YAML file that describes a user's own JSON or CSV (docs/formats_of_your_own.md). It is data and runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from vision_cli.core.catalogue import suggestion
from vision_cli.core.errors import UsageError
from vision_cli.core.files import read_limited, utf8
from vision_cli.core.origin import Pixels
from vision_cli.core.yaml_source import MAX_BYTES, YamlSource, parse
from vision_cli.formats.mapping.fields import Field, Template, parse_field, parse_template

Form = Literal["xywh", "xyxy", "cxcywh"]
Unit = Literal["pixels", "shares", "percent"]


def _field(value: Any) -> Any:
    return parse_field(value) if isinstance(value, str) else value


def _template(value: Any) -> Any:
    return parse_template(value) if isinstance(value, str) else value


def _named(value: Any) -> Any:
    """Turn a list of fields into an object of the same names."""
    return (
        {name: name for name in value} if isinstance(value, list) and all(isinstance(n, str) for n in value) else value
    )


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _numbered(value: Any) -> Any:
    """Turn a list of class names into an object by number."""
    return {str(number): name for number, name in enumerate(value)} if isinstance(value, list) else value


FieldText = Annotated[Field, BeforeValidator(_field)]
TemplateText = Annotated[Template, BeforeValidator(_template)]
Named = Annotated[dict[str, FieldText], BeforeValidator(_named)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class PhotoFields(_Part):
    """Where photos are described.

    Attributes:
        files: JSON, JSON lines, CSV or TSV, relative to the source; `*` and `**` stand for any.
        each: what leads from a file to the records of its photos; the document itself, each line or each row without.
        path: of the photo.
        folder: that paths are relative to, below the source.
        width: in pixels, where it is said.
        height: likewise.
        id: what objects in files of their own refer to; the path without.
        split: `train`, `val` or `test`, or what means one of them.
        group: photos that belong together.
        label: class or classes of the whole photo.
        value: number of the whole photo.
        metadata: further columns by name.
    """

    files: str
    path: TemplateText
    each: FieldText = Field("", ())
    folder: str = ""
    width: FieldText | None = None
    height: FieldText | None = None
    id: TemplateText | None = None
    split: FieldText | None = None
    group: TemplateText | None = None
    label: FieldText | None = None
    value: FieldText | None = None
    metadata: Named = {}


class ObjectFields(_Part):
    """Where objects are described.

    Attributes:
        files: as of photos, for objects in files of their own.
        each: what leads from a photo's record, or from a file, to those of objects; the record itself without.
        photo: field that names the photo by its id or path; for objects in files of their own.
        label: class name or number.
        box: one field of four numbers, or four fields.
        form: of the box: left, top, width, height; left, top, right, bottom; or centre, width, height.
        unit: of the box and the polygon: pixels, shares of the photo's sides (0 to 1) or percent (0 to 100).
        polygon: [x, y, x, y, ...], [[x, y], ...], [{x:, y:}, ...], or a list of these.
        score: of a prediction.
        id: of the object.
        attributes: further fields by name.
    """

    files: str | None = None
    each: FieldText = Field("", ())
    photo: TemplateText | None = None
    label: FieldText | None = None
    box: Annotated[list[FieldText], BeforeValidator(_several)] = []
    form: Form = "xywh"
    unit: Unit = "pixels"
    polygon: FieldText | None = None
    score: FieldText | None = None
    id: TemplateText | None = None
    attributes: Named = {}


class Mapping(_Part):
    """The whole file.

    Attributes:
        photos: where photos are described.
        objects: where objects are described.
        classes: names in order, or by the numbers that stand for them; further names follow as they are met.
        pixels: what box numbers count, see `core.origin.Pixels`.
    """

    photos: PhotoFields
    objects: ObjectFields | None = None
    classes: Annotated[dict[str, str], BeforeValidator(_numbered)] = {}
    pixels: Pixels = "exclusive"


def read_mapping(path: Path) -> Mapping:
    """Read a mapping.

    Raises:
        DataError: no such file.
        UsageError: not YAML, or not of this form: all at once, by line.
    """
    source = parse(utf8(read_limited(path, max_bytes=MAX_BYTES, what="the mapping"), where=str(path)), str(path))
    try:
        mapping = Mapping.model_validate(source.tree)
    except ValidationError as error:
        problems = [_problem(path, source, found) for found in error.errors()]
        first = problems[0] if len(problems) == 1 else f"{path}: {len(problems)} faults."
        raise UsageError(first, details=problems if len(problems) > 1 else (), hint=_HINT) from error
    if problem := _inconsistent(mapping):
        raise UsageError(f"{path}:{source.line_of(('objects',))}: {problem}.", hint=_HINT)
    return mapping


def line_of(path: Path, loc: tuple[str | int, ...]) -> str:
    """Return file, line and key of a place in a mapping, for messages."""
    source = parse(utf8(read_limited(path, max_bytes=MAX_BYTES, what="the mapping"), where=str(path)), str(path))
    return f"{path}:{source.line_of(loc)}: {'.'.join(str(part) for part in loc if isinstance(part, str))}"


_HINT = "docs/formats_of_your_own.md shows a whole mapping."
_PARTS: dict[str, type[BaseModel]] = {"photos": PhotoFields, "objects": ObjectFields}


def _problem(path: Path, source: YamlSource, found: Any) -> str:
    place = tuple(part for part in found["loc"] if not isinstance(part, str) or part.isidentifier())
    text = found["msg"].removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        part = _PARTS.get(str(place[0]), Mapping) if len(place) > 1 else Mapping
        guess = suggestion(str(place[-1]), list(part.model_fields))
        text = f"unknown key; did you mean '{guess}'?" if guess else "unknown key"
    return f"{path}:{source.line_of(place)}: {'.'.join(map(str, place))}: {text}"


def _inconsistent(mapping: Mapping) -> str | None:
    objects = mapping.objects
    if len(set(mapping.classes.values())) < len(mapping.classes):
        return "classes: a name stands twice"
    if objects is None:
        return None
    if len(objects.box) not in (0, 1, 4):
        return f"objects.box: one field of four numbers or four fields, not {len(objects.box)}"
    if (objects.files is None) != (objects.photo is None):
        return "objects: `files` and `photo` go together: which photo is it that an object of another file is on?"
    return None
