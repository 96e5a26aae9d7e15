"""The report on synthetic results, whose verdicts are known."""

import base64
import dataclasses
import html
import re
import shutil
import time
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from lightning_module.studies import STUDIES as STUDIES_OF_THE_PACKAGE
from lightning_module.studies.framework.cells import Band, Cell, Config, Outcome
from lightning_module.studies.framework.claims import Claim, Finding, Number
from lightning_module.studies.framework.figures import panels, published_line, save_figures
from lightning_module.studies.framework.quantities import Quantity, largest, proportion, value
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.statistics import Interval
from lightning_module.studies.framework.study import Study
from lightning_module.studies.report.entries import entries
from lightning_module.studies.report.markdown import escape, lowered, slug
from lightning_module.studies.report.pages import report, write_report
from lightning_module.studies.report.words import interval_words, number, p_words, quantity_words
from mnist1d_hf.markdown import table

NASTY = 'a < b & c >= d | e_f_g *h* `i` [j](k) <script>alert("l")</script> $m$ \\'
DOCS = Path(__file__).parents[4] / "docs"
VOID = {"meta", "img", "br", "hr"}


def run_cell(config: Config, cell: Cell) -> Outcome:
    rows = [
        {"network": name, "seed": seed, "accuracy": level + 0.01 * seed}
        for name, level in (("cnn", 0.9), ("mlp", 0.6))
        for seed in range(config.seeds)
    ]
    return Outcome({"rows": rows}, data={"frozen": {"config": "default", "sha256": {"train": {"x": "ab" * 32}}}})


def draw(result: Any) -> Any:
    """Returns the accuracy of <both> networks | one point each.

    More about it.
    """
    figure, axes = panels()
    axes[0, 0].plot(result.rows["accuracy"])
    published_line(axes[0, 0], 0.94)
    return figure


CNN, MLP = value("accuracy", network="cnn"), value("accuracy", network="mlp")
CLAIMS = (
    Claim(name="true", text="CNN > MLP.", source="Blog & paper", finding=Finding(of=CNN - MLP, above=0.25)),
    Claim(name="false", text="MLP >= CNN", source="Blog", finding=Finding(of=MLP - CNN, above=0.0)),
    Claim(
        name="open",
        text=NASTY,
        source=NASTY,
        finding=(Finding(of=CNN, above=0.91), Finding(of=CNN - MLP, above=0.0)),
        number=Number(of=CNN, published=0.94),
    ),
    Claim(name="off", text="An MLP has 99 %.", source="Blog", number=Number(of=MLP, published=0.99)),
    Claim(name="never", text="It is fun.", source="Blog", not_tested=f"a matter of taste, {NASTY}"),
    Claim(name="own", text="Ours.", source="-", finding=Finding(of=CNN, above=0.0), exploratory=True),
)
PROTOCOL = """
# Networks
Two, on `a < b`; see [the paper](https://example.org/paper) and ![a picture](https://example.org/picture.png).

Departures
----------
- none

```
# no heading
```
"""


def study(name: str = "tiny", claims: tuple[Claim, ...] = CLAIMS) -> Study[Config]:
    return Study(
        name=name,
        question=f"What of {NASTY}?",
        presets={"paper": Config(seeds=3), "smoke": Config(seeds=2)},
        cells=lambda config: [Cell({})],
        run_cell=run_cell,
        claims=claims,
        figures={"figure": draw},
        bands=[Band(name="cnn", of=CNN, low=0.9, high=0.92), Band(name="mlp", of=MLP, low=0.9, high=1.0)],
        protocol=PROTOCOL,
    )


TINY = study()
UNRUN = study("unrun", CLAIMS[:2])
STUDIES: Mapping[str, Study[Any]] = {"tiny": TINY, "unrun": UNRUN}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "results"
    TINY.run("paper", folder=folder / "tiny")
    study("foreign").run("paper", folder=folder / "foreign")
    shutil.rmtree(folder / "tiny" / "cells")
    return folder


@pytest.fixture(scope="module")
def files(results: Path) -> list[Path]:
    return write_report(results, results.parent, studies=STUDIES)


@pytest.fixture(scope="module")
def markdown(files: list[Path]) -> str:
    return files[0].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(files: list[Path]) -> "Page":
    page = Page()
    page.feed(files[1].read_text(encoding="utf-8"))
    page.close()
    return page


class Page(HTMLParser):
    """What a browser would see of a page; an element that is not closed where it should be is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def rows_of(page: Page, link: str) -> dict[str, list[str]]:
    """Returns the rows of the first table that belong to a section, by claim."""
    start = next(i for i, row in enumerate(page.rows) if row[:2] == ["claim", "finding"])
    width = len(page.rows[start])
    found = [row for row in page.rows[start:] if row[0].startswith(f"{link}, ") and len(row) == width]
    return {row[0].removeprefix(f"{link}, ").split(":")[0]: row for row in found}


def test_every_claim_of_every_study_has_its_verdicts_in_the_first_table(page: Page) -> None:
    rows = rows_of(page, "tiny")
    # "off" is a number without a statement, and "own" is our own question: they are in the section.
    assert list(rows) == ["true", "false", "open", "never"]
    assert [row[1] for row in rows.values()] == [
        "✓ holds",
        "✗ fails",
        "? inconclusive",
        "○ not tested",
    ]
    # 4.303 * 0.01 * sqrt(1 + 1/3) = 0.0497
    assert rows["open"][3] == "✓ inside: 0.94 published, 0.910 (0.860 to 0.960) ours"
    assert rows["true"][3] == "· none published"
    assert rows["open"][2].endswith(", > 0.91; 0.3 (no spread), > 0")
    assert rows["true"][2] == "0.3 (no spread), > 0.25"
    assert rows["true"][4] == "3"


def test_numbers_without_a_statement_are_counted_and_every_claim_is_in_its_section(
    results: Path, tmp_path: Path
) -> None:
    text = write_report(results, tmp_path / "report.md", studies=STUDIES)[0].read_text(encoding="utf-8")
    further = text.split("## Further numbers")[1].split("## Verdicts by number")[0]
    assert "| [tiny](#tiny) | 0 | 1 | 0 |" in further  # "off", outside
    section = text.split("## tiny\n")[1]
    for claim in CLAIMS:
        assert re.search(rf"\| {claim.name}( \||: )|\*\*{claim.name}\*\*", section), claim.name


def test_nothing_is_lost_of_a_text_with_special_characters(page: Page) -> None:
    row = rows_of(page, "tiny")["open"]
    assert row[0] == f"tiny, open: {NASTY} {NASTY}"  # what is said, and where
    assert rows_of(page, "tiny")["never"][1:3] == ["○ not tested", f"a matter of taste, {NASTY}"]


def test_a_study_without_a_result_is_named_with_the_reason(page: Page) -> None:
    found = {(row[1], row[2]) for row in rows_of(page, "unrun").values()}
    assert found == {("○ not tested", "this study has no result yet")}


def test_verdicts_are_counted_without_exploratory_claims(page: Page) -> None:
    (total,) = (row for row in page.rows if row[0] == "all")
    assert total == ["all", "7", "1", "1", "1", "4", "1", "1", "5", "0"]


def test_results_of_unknown_studies_come_with_tables_and_without_verdicts(page: Page, markdown: str) -> None:
    assert not rows_of(page, "foreign")
    assert ["cnn", "0", "0.9"] in page.rows
    assert "Without verdicts, since the studies are not known here, but with their tables: foreign." in markdown


def test_a_section_has_contrasts_corrections_bands_and_how_it_was_made(page: Page) -> None:
    rows = {row[0]: row for row in page.rows}
    contrast = "accuracy [network=cnn] - accuracy [network=mlp]"
    assert ["true", contrast, "> 0.25", "0.3 (no spread)", "3", "< 0.0001", "< 0.0001", "✓ holds"] in page.rows
    assert ["cnn", "0.9", "0.92", "0.91", "✓ within"] in page.rows
    assert ["mlp", "0.9", "1", "0.61", "✗ beyond"] in page.rows
    assert rows["seeds"] == ["seeds", "3"]
    assert rows["frozen"] == ["frozen", "config default, sha256 (train (x abababababab))"]
    assert any(row[0] == "rules of the claims" and row[1].startswith("✓ the same") for row in page.rows)


def test_rules_that_were_changed_after_the_run_are_reported(results: Path, tmp_path: Path) -> None:
    (file,) = write_report(results, tmp_path / "r.md", studies={"tiny": study(claims=CLAIMS[:1])})
    assert "✗ changed since the run began" in file.read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_needs_nothing_else(files: list[Path], page: Page) -> None:
    assert not page.open
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.elements}
    sources = [str(attributes["src"]) for tag, attributes in page.elements if "src" in attributes]
    assert len(sources) == 1  # the foreign result has no picture, the remote one is words
    picture = base64.b64decode(sources[0].removeprefix("data:image/png;base64,"))
    assert picture.startswith(b"\x89PNG")
    text = files[1].read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\"<\s]*", text)) == {"https://example.org/paper"}
    assert "@media (prefers-color-scheme: dark)" in text
    assert "url(" not in text
    assert "@import" not in text


def test_links_within_the_page_lead_somewhere(page: Page) -> None:
    anchors = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    links = [str(attributes["href"]) for tag, attributes in page.elements if tag == "a"]
    assert len(anchors) == len(set(anchors))
    assert {link[1:] for link in links if link.startswith("#")} <= set(anchors)
    assert {"#tiny", "#unrun", "#foreign"} <= set(links)


def test_colour_never_stands_alone(page: Page) -> None:
    classes = {
        name for tag, attributes in page.elements if tag == "td" for name in str(attributes.get("class")).split()
    }
    assert {"good", "bad", "open", "none"} <= classes


def test_tables_of_the_markdown_are_well_formed(markdown: str) -> None:
    widths: dict[str, int] = {}
    for line in markdown.splitlines():
        if not line.startswith("| "):
            widths.clear()
            continue
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1
        assert widths.setdefault("columns", cells) == cells


def test_figures_of_the_markdown_are_linked_relatively(markdown: str, files: list[Path]) -> None:
    tokens = [child for token in MarkdownIt().parse(markdown) for child in token.children or ()]
    sources = [str(token.attrGet("src")) for token in tokens if token.type == "image"]
    drawn = [source for source in sources if "://" not in source]  # else from the protocol
    assert drawn == ["results/tiny/figure.png"]
    assert (files[0].parent / drawn[0]).is_file()
    assert "*The accuracy of \\<both> networks \\| one point each.*" in markdown


def test_the_same_results_give_the_same_bytes(results: Path, files: list[Path], tmp_path: Path) -> None:
    copy = shutil.copytree(results, tmp_path / "results")
    (copy / "tiny" / "figure.png").unlink()
    again = write_report(copy, tmp_path, studies=STUDIES)
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files]
    assert time.strftime("%Y-%m-%d") not in re.sub(r"\| finished \|.*", "", again[0].read_text(encoding="utf-8"))


def test_a_saved_figure_is_not_drawn_again(results: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(results / "tiny", tmp_path / "tiny")
    (copy / "figure.png").write_bytes(b"by hand")
    (file,) = write_report(tmp_path, tmp_path / "page.html", studies=STUDIES)
    assert base64.b64encode(b"by hand").decode() in file.read_text(encoding="utf-8")
    assert save_figures(TINY, Result.load(copy), copy, again=True)["figure"].read_bytes().startswith(b"\x89PNG")


def test_two_results_of_a_study_have_sections_of_their_own(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results / "tiny", tmp_path / "first")
    TINY.run("smoke", folder=tmp_path / "second run")
    text = write_report(tmp_path, tmp_path, studies=STUDIES)[0].read_text(encoding="utf-8")
    assert "## tiny, paper, in first\n" in text
    assert "## tiny, smoke, in second run\n" in text
    assert text.count("**Note.** This is a run of the preset smoke") == 1
    assert "(second%20run/figure.png)" in text


def test_the_packaged_studies_are_those_that_are_known(results: Path, tmp_path: Path) -> None:
    text = write_report(results, tmp_path / "report.md")[0].read_text(encoding="utf-8")
    assert all(f"## {name}\n" in text for name in STUDIES_OF_THE_PACKAGE)
    assert "but with their tables: foreign, tiny." in text


def test_the_committed_report_is_that_of_the_committed_results() -> None:
    text = report(entries(DOCS / "results", STUDIES_OF_THE_PACKAGE), DOCS)
    assert (DOCS / "REPORT.md").read_text(encoding="utf-8") == text, "write it again: mnist1d study report"


def test_the_committed_report_names_every_claim_of_every_study() -> None:
    text = (DOCS / "REPORT.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL))
    for name, study_of_package in STUDIES_OF_THE_PACKAGE.items():
        for claim in study_of_package.claims:
            named = re.compile(rf"(?:\| |\*\*){re.escape(escape(claim.name))}(?: \||: |\*\*)")
            assert named.search(sections[name]), (name, claim.name)
            if claim.findings and not claim.exploratory:
                assert f"[{name}](#{slug(name)}), **{escape(claim.name)}**: " in sections["Every claim"], claim.name


def test_links_and_figures_of_the_committed_report_lead_somewhere() -> None:
    tokens = MarkdownIt().enable("table").parse((DOCS / "REPORT.md").read_text(encoding="utf-8"))
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    anchors = [slug(re.sub(r"\\(.)", r"\1", heading)) for heading in headings]
    # A heading that comes twice would have a number in its anchor, and links would lead to the first.
    assert len(set(anchors)) == len(anchors)
    inline = [child for token in tokens for child in token.children or ()]
    links = {str(token.attrGet("href")) for token in inline if token.type == "link_open"}
    assert {link[1:] for link in links if link.startswith("#")} <= set(anchors)
    assert not [link for link in links if not link.startswith(("#", "https://"))]
    figures = [str(token.attrGet("src")) for token in inline if token.type == "image"]
    assert figures
    assert all((DOCS / figure).is_file() for figure in figures)


def test_a_report_begins_with_what_it_comes_to(markdown: str) -> None:
    short = markdown.split("## In short")[1].split("\n## ")[0]
    # Of "tiny": true holds, false fails, open is open, never has a reason. Of "unrun": two without a run.
    assert "Of 6 statements" in short
    assert "**1 hold, 1 fail and 1 are inconclusive**; 1 could not be tested" in short
    assert "; 2 wait for a study to be run." in short
    assert "Of 2 published numbers 1 lie" in short
    assert "- ✗ [tiny](#tiny), false: MLP" in short
    assert f"- ? [tiny](#tiny), open: {escape(NASTY)}" in short
    assert "true: " not in short


def test_run_times_are_those_of_the_results(results: Path, tmp_path: Path) -> None:
    benchmark = Result(
        study="benchmark",
        preset="paper",
        config={"seeds": 10, "tests": 20_000},
        tables={},
        provenance={"cell_seconds": 5400.0},
    )
    benchmark.save(tmp_path / "benchmark")
    # The claims and figures of the real ones would need their rows.
    slim = {name: dataclasses.replace(study(name), figures={}) for name in ("benchmark", "pooling")}
    (file,) = write_report(tmp_path, tmp_path / "report.md", studies=slim)
    table_of_times = file.read_text(encoding="utf-8").split("## Run times")[1].split("\n## ")[0]
    assert re.search(r"\(\[benchmark\]\(#benchmark\)\) \|.*\| 1\.50 \| 10 seeds on the frozen", table_of_times)
    assert re.search(r"\(\[pooling\]\(#pooling\)\) \|.*\| not yet run \| - \|", table_of_times)
    assert "lottery" not in table_of_times


def test_an_answer_beside_a_result_has_its_numbers_from_the_verdicts(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    place = next(file.parent for file in folder.rglob("result.json") if Result.load(file.parent).study == "tiny")
    (place / "answer.md").write_text("By {true}, {open[1]:points}.\nIt {true:word}; {own:factor}.\n", encoding="utf-8")
    write_report(folder, tmp_path / "report.md", studies={"tiny": study()})
    # Three seeds without any spread between the networks: a difference of 0.3, and 0.91 with its interval.
    entry = next(entry for entry in entries(folder, {"tiny": study()}) if entry.title == "tiny")
    of_own = next(verdict for verdict in entry.verdicts if verdict.claim.name == "own").parts[0].interval
    factor = interval_words(Interval(*(10**each for each in of_own)), units=3)
    said = f"**Answer.**\n\n- By 0.3 (no spread), 30 points (no spread).\n- It holds; {factor}."
    assert said in (tmp_path / "report.md").read_text(encoding="utf-8")
    for wrong in ("{nobody}", "{never}", "{true[1]}", "{true:percent}", "{"):
        (place / "answer.md").write_text(wrong, encoding="utf-8")
        with pytest.raises(ValueError, match=r"answer\.md has .*for a claim with a finding: true, false, open, own"):
            write_report(folder, tmp_path / "report.md", studies={"tiny": study()})


def test_a_front_beside_a_result_is_on_the_first_page(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    write_report(folder, tmp_path / "without.md", studies={"tiny": study()})
    place = next(file.parent for file in folder.rglob("result.json") if Result.load(file.parent).study == "tiny")
    (place / "front.md").write_text("Of all that {true:points} are left.\n", encoding="utf-8")
    write_report(folder, tmp_path / "with.md", studies={"tiny": study()})
    without, text = ((tmp_path / name).read_text(encoding="utf-8") for name in ("without.md", "with.md"))
    said = "What [tiny](#tiny) adds to all of this:\n\n- Of all that 30 points (no spread) are left.\n\n"
    assert text.index("## In short") < text.index(said) < text.index("## How to read this page")
    assert text.replace(said, "") == without


def test_every_committed_result_has_an_answer() -> None:
    assert all((file.parent / "answer.md").is_file() for file in (DOCS / "results").rglob("result.json"))


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no result\.json; run a study first"):
        write_report(tmp_path, tmp_path, studies=STUDIES)


def test_headings_move_down_and_code_stays() -> None:
    text = lowered(PROTOCOL, 4)
    assert "#### Networks" in text
    assert "##### Departures\n- none" in text
    assert "\n# no heading\n" in text


def test_markdown_pieces() -> None:
    assert html.unescape(MarkdownIt().render(escape(NASTY))) == f"<p>{NASTY}</p>\n"
    assert slug("Deep double_descent, paper (1)") == "deep-double_descent-paper-1"
    with pytest.raises(ValueError, match="must have 2 cells"):
        table(["a", "b"], [["c"]])


def test_numbers_have_the_digits_that_their_interval_warrants() -> None:
    assert interval_words(Interval(0.93712, 0.9251, 0.9491), units=5) == "0.937 (0.925 to 0.949)"
    assert interval_words(Interval(-0.0004, -0.021, 0.02), units=5) == "0.000 (-0.021 to 0.020)"
    assert interval_words(Interval(61234.0, 50000.0, 72468.0), units=5) == "61234 (50000 to 72468)"
    assert interval_words(Interval(0.62431, 0.62431, 0.62431), units=1) == "0.6243 (one run)"
    assert number(float("nan")) == "undefined"
    assert [p_words(p) for p in (None, 0.00001, 0.0312, 1.0)] == ["-", "< 0.0001", "0.031", "1"]


def test_quantities_in_words() -> None:
    class Slope(Quantity, kind="slope of the report"):
        def per_unit(self, tables: Any) -> Any:
            return tables

    fresh = value("accuracy", network="cnn", arm="fresh", table="t")
    assert quantity_words(fresh - value("accuracy", network="mlp", arm="fresh", table="t")) == (
        "accuracy [network=cnn] - accuracy [network=mlp], both [arm=fresh], table t"
    )
    assert quantity_words(1.0 - CNN / MLP) == "1 - (accuracy [network=cnn] / accuracy [network=mlp])"
    assert quantity_words(largest(CNN, MLP)) == "largest of: accuracy [network=cnn]; accuracy [network=mlp]"
    shared = [value("accuracy", network=name, arm="fresh", n=1000) for name in ("cnn", "mlp")]
    assert quantity_words(largest(*shared)) == (
        "largest of: accuracy [network=cnn]; accuracy [network=mlp], all [arm=fresh, n=1000]"
    )
    assert quantity_words(largest(shared[0], value("loss", arm="fresh"))) == (
        "largest of: accuracy [arm=fresh, n=1000, network=cnn]; loss [arm=fresh]"
    )
    assert quantity_words(proportion("hits", "trials", network="human")) == "hits of trials [network=human]"
    assert quantity_words(value("p2", table="masks", unit="ticket", step=(1, 2))) == (
        "p2 [step=1 or 2], table masks, by ticket"
    )
    assert quantity_words(Slope()) == "Slope"
