"""What every room's tests share: real data, and the command line called in this process."""

import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from hypothesis import settings

Context = typer.Context
Texts = Annotated[list[str], typer.Option()]
Words = Annotated[list[str], typer.Argument()]

os.environ.setdefault("OMP_NUM_THREADS", "2")
# Everywhere else hypothesis looks for new cases; CI repeats the same ones, so that a red run is the change's fault.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture
def shared_data() -> Path:
    """Folder of real data sets beside the checkout; tests that need it are skipped elsewhere."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data sets in ../shared/data")
    return SHARED


@dataclass(frozen=True)
class Called:
    """What one command line left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; NaN and a second document are errors."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} in JSON")

        found: dict[str, Any] = json.loads(self.out, parse_constant=refuse)
        return found


@pytest.fixture
def vision(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Called]]:
    """Call the command line in this process, in an empty folder."""
    from vision_cli.cli.boundary import run

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISION_LOG_DIR", str(tmp_path / "logs"))
    before = dict(os.environ)

    def call(*words: str) -> Called:
        capsys.readouterr()
        code = run(words)
        captured = capsys.readouterr()
        return Called(code, captured.out, captured.err)

    yield call
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], None]], None]:
    """Add the command `vision probe` that does what a test wants with its session."""
    from vision_cli.cli import table
    from vision_cli.cli.command import WritingCommand, group
    from vision_cli.cli.session import Session

    def add(act: Callable[[Any], None]) -> None:
        app = group("probe", "Probe.")

        @app.command(cls=WritingCommand)
        def probe(context: Context, kpi: Texts = [], words: Words = []) -> None:  # noqa: B006
            act(types.SimpleNamespace(session=Session.of(context), kpi=kpi, words=words))

        module = types.ModuleType("probe_module")
        module.app = app  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "probe_module", module)
        monkeypatch.setitem(table.COMMANDS, "probe", ("probe_module", "Probe."))

    return add
