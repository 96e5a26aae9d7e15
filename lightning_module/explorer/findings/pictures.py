"""What the tab Findings shows: a list of claims, each to be opened, with its figure. HTML, every text escaped."""

import html
from collections.abc import Sequence
from typing import Any, Final

from lightning_module.explorer.findings.rows import ALL, Claim, counted, site, studies

WIDTH: Final = 420  # the figures' own, in pixels
LEFT, RIGHT = 12, 408


def found(claims: Sequence[Claim], study: str) -> str:
    """Returns a study's question, how many claims have which verdict, and each of them.

    Args:
        claims: The claims.
        study: Title of the study that was asked for, or "all".
    """
    question = f'<p class="m1-question">{html.escape(studies()[study])}</p>' if study != ALL else ""
    number = f"{len(claims)} claim" + ("" if len(claims) == 1 else "s")
    head = f'<p class="m1-status" role="status">{number}: {html.escape(counted(claims))}.</p>'
    return question + head + "".join(_claim(claim, several=study == ALL) for claim in claims)


def _claim(claim: Claim, several: bool) -> str:
    told = claim.told
    of = f"<small>{html.escape(claim.study)}</small> " if several else ""
    kind = " <small>our own question</small>" if told["kind"] == "question" else ""
    label = "· number" if told["kind"] == "number" else told["words"].split(":")[0]
    return (
        f'<details class="m1-claim"><summary><span class="m1-verdict" data-verdict="{told["finding"]}">'
        f"{html.escape(label)}</span><span>{of}{html.escape(told['text'])}{kind}</span></summary>"
        f"{figure(told.get('bars', []), told['claim'])}<dl>{_terms(claim)}</dl></details>"
    )


def _terms(claim: Claim) -> str:
    told = claim.told
    published = f"{told['published']}: {told['number']}; ours {told['ours']}" if told["published"] != "-" else ""
    terms = {
        "verdict": told["words"] if ":" in told["words"] else "",
        "what is compared": told["of"],
        "contrast (95 %), has to be": f"{told['contrast']}, {told['needed']}" if told["contrast"] != "-" else "",
        "published number": published,
        "independent runs (n)": told["n"] if told["n"] != "-" else "",
        "amended": told.get("amended", ""),
        "source": told["source"],
    }
    rows = [f"<dt>{html.escape(name)}</dt><dd>{html.escape(words)}</dd>" for name, words in terms.items() if words]
    name = html.escape(f"{claim.study}: {told['claim']}")
    page = (
        f'<a href="{html.escape(site())}/{html.escape(claim.page)}.html" target="_blank" rel="noopener">{name}</a>'
        if site()
        else f"{name}, in docs/{html.escape(claim.page)}.md"
    )
    return "".join(rows) + f"<dt>page</dt><dd>{page}</dd>"


def figure(bars: Sequence[dict[str, Any]], name: str) -> str:
    """Returns a claim's contrasts with their intervals and margins, as the report draws them.

    Args:
        bars: A row for each, see `report.forest.Bar`.
        name: Of the claim.
    """
    if not bars:
        return ""
    parts = []
    for bar in bars:
        y, low, high, at = bar["y"], bar["low"], bar["high"], bar["at"]
        if bar["zone"]:
            parts.append(
                f'<rect class="m1-zone" x="{bar["zone"][0]}" y="{y - 8}" width="{bar["zone"][1]}" height="16"/>'
            )
        parts.append(f'<line class="m1-grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>')
        parts += [f'<line class="m1-margin" x1="{x}" x2="{x}" y1="{y - 9}" y2="{y + 9}"/>' for x in bar["margins"]]
        side = html.escape(bar["kind"])
        parts.append(f'<line class="m1-interval" data-verdict="{side}" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>')
        parts.append(f'<circle class="m1-dot" data-verdict="{side}" cx="{at}" cy="{y}" r="5"/>')
        if bar["published"]:
            _, start, end = bar["published"]
            parts.append(f'<line class="m1-rounding" x1="{start}" x2="{end}" y1="{y}" y2="{y}"/>')
            parts.append(f'<path class="m1-published" d="M{bar["published"][0]} {y - 7}l5 7l-5 7l-5 -7z"/>')
        parts.append(f'<text x="{LEFT}" y="{y + 22}">{html.escape(bar["words"])}</text>')
    height = bars[-1]["y"] + 28
    told = html.escape(f"{name}: {'; '.join(bar['words'] for bar in bars)}")
    return (
        f'<svg class="m1-forest" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{told}">{"".join(parts)}</svg>'
    )
