"""All addresses outside the site that its pages link to, and the pages: `python docs/external_links.py build/site`."""

import re
import sys
from collections import defaultdict
from pathlib import Path

LINK = re.compile(r'<a\b[^>]*?\bhref="(https?://[^"]+)"')


def links(site: Path) -> dict[str, list[str]]:
    """Returns each address with the pages that link to it."""
    found: dict[str, list[str]] = defaultdict(list)
    for page in sorted(site.rglob("*.html")):
        for address in sorted(set(LINK.findall(page.read_text(encoding="utf-8")))):
            found[address].append(str(page.relative_to(site)))
    return dict(sorted(found.items()))


if __name__ == "__main__":
    for address, pages in links(Path(sys.argv[1])).items():
        sys.stdout.write(f"{address}: {', '.join(pages)}\n")
