"""`vision models`: each command in a module of its own, imported when it is asked for."""

from __future__ import annotations

from vision_cli.cli.subgroup import lazy_group

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("vision_cli.cli.commands.models.list", "List families, their networks, or published weights"),
    "show": ("vision_cli.cli.commands.models.show", "Tell all about one file of published weights"),
    "bench": ("vision_cli.cli.commands.models.bench", "Measure candidates on your own data and machine"),
    "pull": ("vision_cli.cli.commands.models.pull", "Fetch published weights into the cache"),
    "bundle": ("vision_cli.cli.commands.models.bundle", "Pack weights for a machine without network, or unpack them"),
    "verify": ("vision_cli.cli.commands.models.verify", "Compare the cache, or bundles, with their checksums"),
}

app = lazy_group(
    "models",
    "Choose among model families and published weights, and bring weights here.",
    COMMANDS,
    (
        "vision models list --task detect --license permissive --max-size 30MB",
        'vision models list --has "hot dog"',
        "vision models show mobilenetv3_large_100.ra_in1k",
    ),
)
