"""
Check that a tag may be released, and print what is new in it.

    python tools/release.py v1.2.3    the section of that version in CHANGELOG.md

The tag has to be "v" and the version that pyproject.toml says, and that version has to have a
section with something in it. Needs nothing but Python 3.10.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class ReleaseError(Exception):
    """The tag cannot be released; the text says what to mend."""


def version_of(pyproject: str) -> str:
    """The version that a pyproject.toml says."""
    found = re.search(r'^version = "([^"]+)"$', pyproject, re.MULTILINE)
    if found is None:
        raise ReleaseError("pyproject.toml says no version")
    return found[1]


def notes_of(version: str, changelog: str) -> str:
    """The section of a version: what stands under `## VERSION`, with or without a date."""
    heading = rf"^## \[?{re.escape(version)}\]?(?: [^\n]*)?\n"
    found = re.search(rf"{heading}(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    notes = "" if found is None else found[1].strip()
    if not notes:
        raise ReleaseError(f'CHANGELOG.md has nothing under "## {version}"')
    return notes


def release_notes(tag: str, pyproject: str, changelog: str) -> str:
    """
    What is new in the release of a tag.

    Raises:
        ReleaseError: The tag is not that of the version, or nothing is said of it.
    """
    version = version_of(pyproject)
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, but the version in pyproject.toml is {version}")
    return notes_of(version, changelog)


def main() -> int:
    """Print the notes; returns the exit code."""
    parser = argparse.ArgumentParser(description="Check a tag and print what is new in it.")
    parser.add_argument("tag", help="such as v1.2.3")
    tag = parser.parse_args().tag
    texts = [(ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "CHANGELOG.md")]
    try:
        print(release_notes(tag, *texts))
    except ReleaseError as error:
        print(f"No release: {error}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
