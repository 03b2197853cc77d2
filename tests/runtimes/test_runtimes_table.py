from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from vision_cli.core.errors import UsageError
from vision_cli.exporters import EXPORTERS
from vision_cli.runtimes import RUNTIMES


def test_the_tables_import_no_variant() -> None:
    code = (
        "import sys, vision_cli.runtimes, vision_cli.exporters;"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'ai_edge_litert', 'litert_torch', 'numpy', 'pyarrow'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", tuple(EXPORTERS))
def test_each_export_format_keeps_the_contract(name: str) -> None:
    module = EXPORTERS.load(name)
    suffix = module.SUFFIX
    assert suffix == f".{name}"
    assert "float32" in module.PRECISIONS
    more = ["nms"] if hasattr(module, "check_nms") else []
    assert list(inspect.signature(module.export).parameters) == ["network", "card", "target", "precision", *more]


@pytest.mark.parametrize("name", tuple(RUNTIMES))
def test_each_runtime_keeps_the_contract(name: str) -> None:
    module = RUNTIMES.load(name)
    runners = [
        item for key, item in vars(module).items() if key.endswith("Runner") and item.__module__ == module.__name__
    ]
    assert [runner.runtime for runner in runners] == [name]
    if name != "torch":
        assert list(inspect.signature(module.open_model).parameters) == ["path", "threads", "card"]


def test_a_misspelt_runtime_is_guessed() -> None:
    with pytest.raises(UsageError, match="unknown runtime 'onxn'") as caught:
        RUNTIMES.load("onxn")
    assert caught.value.hint == "Did you mean 'onnx'?"
