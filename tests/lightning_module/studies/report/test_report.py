"""The report's pages in Markdown, on synthetic results whose verdicts are known."""

import dataclasses
import html
import re
import shutil
import time
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from tiny_study import CLAIMS, NASTY, PROTOCOL, STUDIES, TINY, study

from lightning_module.studies import STUDIES as STUDIES_OF_THE_PACKAGE
from lightning_module.studies.framework.figures import save_figures
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.statistics import Interval
from lightning_module.studies.report.entries import entries
from lightning_module.studies.report.markdown import escape, lowered, slug
from lightning_module.studies.report.pages import write_report
from lightning_module.studies.report.words import interval_words
from mnist1d_hf.markdown import table

INDEX = "report.md"
PAGES = [f"report/{name}.md" for name in ("tiny", "foreign", "unrun", "verdicts")]


def read(output: Path, name: str) -> str:
    return (output / name).read_text(encoding="utf-8")


def rows_of(text: str) -> list[list[str]]:
    """Returns the cells of all tables of a page, as they are read."""
    rows: list[list[str]] = []
    for token in MarkdownIt().enable("table").parse(text):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline" and rows and token.level > 3:
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def by_claim(text: str) -> dict[str, list[str]]:
    """Returns the rows of a page's tables of verdicts, without study and kind, by claim."""
    cut = [row[2:] if row[:2] == ["tiny", row[1]] else row for row in rows_of(text)]
    return {row[0].split(":")[0]: row for row in cut if len(row) == 6 and row[0] != "claim"}


def test_there_is_a_page_for_each_study_with_a_supplement_and_a_picture_where_it_was_run(texts: dict[str, str]) -> None:
    made = [f"report/supplement/{name}.md" for name in ("tiny", "foreign")]
    assert set(texts) == {INDEX, "report.html", "report/forest/tiny.svg", *PAGES, *made}


def test_every_claim_of_every_study_is_in_the_one_table(texts: dict[str, str]) -> None:
    rows = rows_of(texts["report/verdicts.md"])
    assert rows[0][:4] == ["study", "kind", "claim", "finding"]
    assert [(row[0], row[1], row[2].split(":")[0], row[3]) for row in rows[1:]] == [
        ("tiny", "statement", "true", "✓ holds"),
        ("tiny", "statement", "false", "✗ fails"),
        ("tiny", "statement", "open", "? inconclusive: too few runs"),
        ("tiny", "number", "off", "· no statement"),
        ("tiny", "statement", "never", "○ not tested"),
        ("tiny", "question", "own", "✓ holds"),
        ("unrun", "statement", "true", "○ not tested"),
        ("unrun", "statement", "false", "○ not tested"),
    ]


@pytest.mark.parametrize("page", ["report/verdicts.md", "report/tiny.md"])
def test_verdicts_have_contrasts_margins_and_both_numbers(texts: dict[str, str], page: str) -> None:
    rows = by_claim(texts[page])
    # 4.303 * 0.01 * sqrt(1 + 1/3) = 0.0497
    assert rows["open"][3:] == ["✓ inside", "0.94, 0.910 (0.860 to 0.960) ours", "3"]
    assert rows["open"][2].endswith(", > 0.91; 0.3 (no spread), > 0")
    assert rows["true"][2:] == ["0.3 (no spread), > 0.25", "· none published", "-", "3"]
    assert rows["off"][1:4] == ["· no statement", "-", "✗ outside"]


def test_a_studys_page_has_statements_questions_and_numbers_apart(texts: dict[str, str]) -> None:
    parts = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", texts["report/tiny.md"], re.MULTILINE | re.DOTALL))
    assert list(by_claim(parts["What the sources state"])) == ["true", "false", "open", "never"]
    assert list(by_claim(parts["Our own questions"])) == ["own"]
    assert list(by_claim(parts["Published numbers without a statement"])) == ["off"]
    assert "### Networks" in parts["Protocol"]


def test_nothing_is_lost_of_a_text_with_special_characters(texts: dict[str, str]) -> None:
    rows = by_claim(texts["report/tiny.md"])
    assert rows["open"][0] == f"open: {NASTY} {NASTY}"  # what is said, and where
    assert rows["never"][1:3] == ["○ not tested", f"a matter of taste, {NASTY}"]


def test_a_study_without_a_result_says_so_on_both_pages(texts: dict[str, str]) -> None:
    assert {row[2] for row in by_claim(texts["report/unrun.md"]).values()} == {"this study has no result yet"}
    assert "**Not run yet.**" in texts["report/unrun.md"]
    assert "Not run yet: [unrun](report/unrun.md). What each" in texts[INDEX]


def test_verdicts_are_counted_without_exploratory_claims(texts: dict[str, str]) -> None:
    (total,) = (row for row in rows_of(texts[INDEX]) if row[0] == "all")
    assert total == ["all", "7", "1", "1", "1", "4", "1", "1", "5", "0"]


def test_results_of_unknown_studies_come_with_tables_and_without_verdicts(texts: dict[str, str]) -> None:
    assert "No verdicts: the study is not known here" in texts["report/foreign.md"]
    assert ["cnn", "0", "0.9"] in rows_of(texts["report/supplement/foreign.md"])
    assert "Without verdicts, since the studies are not known here, but with their tables: foreign." in texts[INDEX]


def test_a_supplement_has_contrasts_corrections_bands_and_how_it_was_made(texts: dict[str, str]) -> None:
    rows = rows_of(texts["report/supplement/tiny.md"])
    contrast = "accuracy [network=cnn] - accuracy [network=mlp]"
    assert ["true", contrast, "> 0.25", "0.3 (no spread)", "3", "no variance", "no variance", "✓ holds"] in rows
    assert ["open, 2", contrast, "> 0", "0.3 (no spread)", "3", "no variance", "", ""] in rows
    assert ["cnn", "0.9", "0.92", "0.91", "✓ within"] in rows
    assert ["mlp", "0.9", "1", "0.61", "✗ beyond"] in rows
    assert ["seeds", "3"] in rows
    assert ["frozen", "config default, sha256 (train (x abababababab))"] in rows
    assert any(row[0] == "rules of the claims" and row[1].startswith("✓ the same") for row in rows)
    assert "There is none: every rule" in texts[INDEX].split("## Amendments")[1]


def test_rules_that_were_changed_after_the_run_are_reported(results: Path, tmp_path: Path) -> None:
    write_report(results, tmp_path / "r.md", studies={"tiny": study(claims=CLAIMS[:1])})
    assert "✗ changed since the run began" in read(tmp_path, "r/supplement/tiny.md")
    amendments = read(tmp_path, "r.md").split("## Amendments")[1]
    assert "The rules are not those that were recorded before the run in: [tiny](r/tiny.md)." in amendments


def test_links_of_all_pages_lead_somewhere(texts: dict[str, str], files: dict[str, Path]) -> None:
    for name, text in texts.items():
        if name.endswith(".md"):
            assert_links_lead_somewhere(files[name], text)


def assert_links_lead_somewhere(file: Path, text: str) -> None:
    """Links lead to files that are there, or to one of the page's own headings; figures are files."""
    tokens = MarkdownIt().enable("table").parse(text)
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    anchors = [slug(re.sub(r"\\(.)", r"\1", heading)) for heading in headings]
    inline = [child for token in tokens for child in token.children or ()]
    ends = [
        str(token.attrGet("href") or token.attrGet("src")) for token in inline if token.type in ("link_open", "image")
    ]
    for end in ends:
        if end.startswith("#"):
            # A heading that comes twice would have a number in its anchor, and the link would lead to the first.
            assert anchors.count(end[1:]) == 1, (file, end)
        elif not end.startswith("https://"):
            assert (file.parent / end.replace("%20", " ")).is_file(), (file, end)


def test_tables_of_the_markdown_are_well_formed(texts: dict[str, str]) -> None:
    widths: dict[str, int] = {}
    for line in "\n\n".join(texts[name] for name in texts if name.endswith(".md")).splitlines():
        if not line.startswith("| "):
            widths.clear()
            continue
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1
        assert widths.setdefault("columns", cells) == cells


def test_figures_have_captions(texts: dict[str, str]) -> None:
    assert "](../results/tiny/figure.png)" in texts["report/tiny.md"]
    assert "*The accuracy of \\<both> networks \\| one point each.*" in texts["report/tiny.md"]


def test_the_same_results_give_the_same_bytes(results: Path, files: dict[str, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(results, tmp_path / "results")
    (copy / "tiny" / "figure.png").unlink()
    again = write_report(copy, tmp_path, studies=STUDIES)
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in files.values()]
    rest = "".join(
        re.sub(r"\| finished \|.*", "", file.read_text(encoding="utf-8")) for file in again if file.suffix == ".md"
    )
    assert time.strftime("%Y-%m-%d") not in rest


def test_a_saved_figure_is_not_drawn_again(results: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(results / "tiny", tmp_path / "tiny")
    (copy / "figure.png").write_bytes(b"by hand")
    write_report(tmp_path, tmp_path / "page.md", studies=STUDIES)
    assert (copy / "figure.png").read_bytes() == b"by hand"
    assert save_figures(TINY, Result.load(copy), copy, again=True)["figure"].read_bytes().startswith(b"\x89PNG")


def test_two_results_of_a_study_have_pages_of_their_own(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results / "tiny", tmp_path / "first")
    TINY.run("smoke", folder=tmp_path / "second run")
    write_report(tmp_path, tmp_path, studies=STUDIES)
    assert read(tmp_path, "report/tiny-paper-in-first.md").startswith("# tiny, paper, in first\n")
    second = read(tmp_path, "report/tiny-smoke-in-second-run.md")
    assert "**Note.** This is a run of the preset smoke" in second
    assert "(../second%20run/figure.png)" in second


def test_names_that_pages_have_already_are_given_to_no_study(results: Path, tmp_path: Path) -> None:
    studies = {name: study(name) for name in ("verdicts", "a b", "a-b")}
    write_report(results, tmp_path / "r.md", studies=studies)
    assert {file.stem for file in (tmp_path / "r").glob("*.md")} >= {"verdicts", "verdicts-2", "a-b", "a-b-2"}


def test_the_packaged_studies_are_those_that_are_known(results: Path, tmp_path: Path) -> None:
    write_report(results, tmp_path / "report.md")
    assert all(f"\n### {name}\n" in read(tmp_path, INDEX) for name in STUDIES_OF_THE_PACKAGE)
    assert "but with their tables: foreign, tiny." in read(tmp_path, INDEX)


def test_a_report_begins_with_what_it_comes_to(texts: dict[str, str]) -> None:
    short = texts[INDEX].split("## In short")[1].split("\n## ")[0]
    # Of "tiny": true holds, false fails, open is open, never has a reason. Of "unrun": two without a run.
    assert "Of 6 statements" in short
    assert "**1 hold, 1 fail and 1 are inconclusive**; 1 could not be tested" in short
    assert "; 2 wait for a study to be run." in short
    assert "Of 2 published numbers 1 lie" in short
    assert "- ✗ [tiny](report/tiny.md), false: MLP" in short
    assert f"- ? [tiny](report/tiny.md), open: {escape(NASTY)}" in short
    assert "true: " not in short


def test_run_times_are_those_of_the_results(tmp_path: Path) -> None:
    config = {"seeds": 10, "tests": 20_000}
    made = {"cell_seconds": 5400.0}
    Result(study="benchmark", preset="paper", config=config, tables={}, provenance=made).save(tmp_path / "benchmark")
    # The claims and figures of the real ones would need their rows.
    slim = {name: dataclasses.replace(study(name), figures={}) for name in ("benchmark", "pooling")}
    write_report(tmp_path, tmp_path / INDEX, studies=slim)
    times = read(tmp_path, INDEX).split("## Run times")[1].split("\n## ")[0]
    assert re.search(r"\(\[benchmark\]\(report/benchmark\.md\)\) \|.*\| 1\.50 \| 10 seeds on the frozen", times)
    assert re.search(r"\(\[pooling\]\(report/pooling\.md\)\) \|.*\| not yet run \| - \|", times)
    assert "lottery" not in times


def test_an_answer_beside_a_result_has_its_numbers_from_the_verdicts(results: Path, tmp_path: Path) -> None:
    place = shutil.copytree(results / "tiny", tmp_path / "results" / "tiny")
    (place / "answer.md").write_text("By {true}, {open[1]:points}.\nIt {true:word}; {own:factor}.\n", encoding="utf-8")
    write_report(place.parent, tmp_path / INDEX, studies={"tiny": study()})
    # Three seeds without any spread between the networks: a difference of 0.3, and 0.91 with its interval.
    (entry,) = entries(place.parent, {"tiny": study()})
    of_own = next(verdict for verdict in entry.verdicts if verdict.claim.name == "own").parts[0].interval
    factor = interval_words(Interval(*(10**each for each in of_own)), units=3)
    said = f"**Answer.**\n\n- By 0.3 (no spread), 30 points (no spread).\n- It holds; {factor}."
    assert said in read(tmp_path, "report/tiny.md")
    for wrong in ("{nobody}", "{never}", "{true[1]}", "{true:percent}", "{"):
        (place / "answer.md").write_text(wrong, encoding="utf-8")
        with pytest.raises(ValueError, match=r"answer\.md has .*for a claim with a finding: true, false, open, own"):
            write_report(place.parent, tmp_path / INDEX, studies={"tiny": study()})


def test_a_front_beside_a_result_is_on_the_first_page(results: Path, tmp_path: Path) -> None:
    place = shutil.copytree(results / "tiny", tmp_path / "results" / "tiny")
    write_report(place.parent, tmp_path / INDEX, studies={"tiny": study()})
    without = read(tmp_path, INDEX)
    (place / "front.md").write_text("Of all that {true:points} are left.\n", encoding="utf-8")
    write_report(place.parent, tmp_path / INDEX, studies={"tiny": study()})
    said = "What [tiny](report/tiny.md) adds to all of this:\n\n- Of all that 30 points (no spread) are left.\n\n"
    text = read(tmp_path, INDEX)
    assert text.index("## In short") < text.index(said) < text.index("## How to read")
    assert text.replace(said, "") == without


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
