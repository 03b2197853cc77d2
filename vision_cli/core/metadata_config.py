"""Where facts about photos stand."""

from __future__ import annotations

from vision_cli.core.section import Section


class MetadataConfig(Section):
    """A JSON, CSV or TSV file with facts about photos."""

    path: str
    """Relative to the project file."""
    by: str | None = None
    """What its keys are: `path`, `name`, `stem` or `folder` of a photo, or a column that both sides have; found by
    itself when absent."""
