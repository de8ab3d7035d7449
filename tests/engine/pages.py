"""Pages of the documentation, and the marked code blocks in them, as tests run them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.engine.stack import Program

__all__ = ["DOCS", "README", "ROOT", "SHOWN_ID", "Block", "blocks", "programs", "section", "told"]

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
#: In the examples, the service that is there already. Ids are made by the cloud.
SHOWN_ID = "gp-demo:ms-0123456789ab"

#: A code block with a comment before it, such as `<!-- run -->`, that says what it is.
_MARKED = re.compile(r"^<!-- (?P<mark>.+) -->\n```\w+\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
#: A program begins with its imports; what begins otherwise is an excerpt.
_PROGRAM = re.compile(r"^```python\n(?P<text>(?:import|from) (?:.*\n)*?)```$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A marked block of a page."""

    mark: str
    text: str
    place: str

    def program(self, service_id: str = SHOWN_ID) -> Program:
        """The block as a Pulumi program, in a namespace of its own."""
        code = compile(self.text.replace(SHOWN_ID, service_id), self.place, "exec")

        def run() -> None:
            exec(code, {"__name__": "__main__"})  # noqa: S102 - the documentation is ours

        return run


def blocks(page: Path, mark: str) -> list[Block]:
    """The blocks of a page whose mark begins like this, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _MARKED.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match["mark"], match["text"], f"{page.name}:{line}"))
    return [block for block in found if block.mark.startswith(mark)]


def programs(page: Path) -> list[str]:
    """The code blocks of a page that are whole programs, marked or not."""
    return [match["text"] for match in _PROGRAM.finditer(page.read_text(encoding="utf-8"))]


def section(page: Path, title: str) -> str:
    """The text below a heading of the second level."""
    _, found, rest = page.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found, f"{page.name} has no section {title!r}"
    return rest.partition("\n## ")[0]


def told(text: str) -> set[str]:
    """The lines of an output without what differs from run to run."""
    text = re.sub(r"ms-[0-9a-f]{12}", "ms-…", text)
    text = re.sub(r"@ updating\.+", "@ updating", text)
    text = re.sub(r"\b[0-9.]+ ?s\b", "0 s", text)
    return {line.rstrip() for line in text.splitlines()}
