"""What is told of a run that is whole: its page, and how far it is from real photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision_cli.core import files
from vision_cli.core.progress import Progress
from vision_cli.core.project import Project
from vision_cli.stages.synth.asking.asked import Asked
from vision_cli.stages.synth.asking.commands import AnyConfig
from vision_cli.stages.synth.cleaning.aside import Cleaned
from vision_cli.stages.synth.making.maker import Record
from vision_cli.stages.synth.making.run_folder import PAGE
from vision_cli.stages.synth.measuring import distance
from vision_cli.stages.synth.measuring.distance import DistanceRequest, DistanceResult
from vision_cli.stages.synth.measuring.summary import Summary
from vision_cli.stages.synth.telling import page


@dataclass(frozen=True, slots=True)
class Told:
    """What was told.

    Attributes:
        page: the file.
        distance: from real photos; None where nobody asked.
    """

    page: Path
    distance: DistanceResult | None


@dataclass(frozen=True, slots=True)
class Telling:
    """What there is to tell.

    Attributes:
        project: of the run.
        config: what was asked for.
        cleaned: backgrounds that were set aside; None where nobody looked.
        real: folder of real photos; None for none.
    """

    project: Project
    config: AnyConfig
    cleaned: Cleaned | None
    real: Path | None

    def tell(self, folder: Path, asked: Asked, records: Sequence[Record], found: Summary, progress: Progress) -> Told:
        """Measure the distance where that is asked, and write the page.

        Raises:
            DataError: too few photos.
            ResourceError: the disk refuses.
        """
        apart = None
        if self.real is not None:
            apart = distance.distance(DistanceRequest(self.project, folder, self.real), progress)
        shown = page.Shown(folder, asked, self.config, records, found, self.cleaned, apart)
        target = folder / PAGE
        files.write_text(target, page.page(shown))
        return Told(target, apart)
