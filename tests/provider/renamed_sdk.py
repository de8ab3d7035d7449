"""Pulumi's SDK, but that the servicer of its dynamic provider host names parameters otherwise."""

from __future__ import annotations

import re
from pathlib import Path

import pulumi

_RENAMED = {"request": "req", "context": "ctx"}


def renamed_sdk(folder: Path) -> str:
    """Put it into a folder, which is to come first on PYTHONPATH; returns that."""
    installed = Path(pulumi.__file__).parent
    here = folder / "pulumi"
    (here / "dynamic").mkdir(parents=True)
    for source, target in ((installed, here), (installed / "dynamic", here / "dynamic")):
        for one in source.iterdir():
            if not (target / one.name).exists() and one.name != "__pycache__":
                (target / one.name).symlink_to(one)
    host = here / "dynamic/__main__.py"
    text = host.read_text(encoding="utf-8")
    for name, other in _RENAMED.items():
        text, count = re.subn(rf"\b{name}\b", other, text)
        assert count > 20, f"the host's servicer names nothing {name!r} any more"
    host.unlink()  # a link into the installed one
    host.write_text(text, encoding="utf-8")
    return str(folder)
