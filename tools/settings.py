"""Write the README's table of settings from blog/config.py, between its two markers.

python tools/settings.py           write it
python tools/settings.py --check   exit 1 when the README says something else
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from blog.config import table  # noqa: E402

README = ROOT / "README.md"
BETWEEN = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)


def markdown() -> str:
    """The settings as a Markdown table."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, default, meaning in table():
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{name}` | {shown} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the command; the exit status is 1 when the README is out of date or has lost its markers."""
    parser = argparse.ArgumentParser(description="Write the README's table of settings.")
    parser.add_argument("--check", action="store_true", help="only say whether the README is up to date")
    check = parser.parse_args().check
    before = README.read_text("utf-8")
    if not BETWEEN.search(before):
        print("README.md has lost its <!-- settings --> and <!-- /settings --> markers.", file=sys.stderr)
        return 1
    after = BETWEEN.sub(lambda found: found[1] + markdown() + found[2], before)
    if check and after != before:
        print("README.md lists other settings than blog/config.py: run `make settings`.", file=sys.stderr)
        return 1
    if not check:
        README.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
