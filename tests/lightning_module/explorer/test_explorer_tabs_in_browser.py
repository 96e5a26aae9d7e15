"""A person's way through Train, Break and Findings, in a browser. Run by `make test-docs`."""

import contextlib
import re
from pathlib import Path

import pytest
from explorers import COLOURS, SCREENS, Explorer

from lightning_module.cli import main
from lightning_module.explorer.findings.rows import chosen

pytestmark = pytest.mark.docs
TRAINED = 90_000  # milliseconds; the first training also starts the process that trains


def text(page, place):
    return page.locator(place).inner_text()


def slide(page, place, key, times=1):
    page.locator(f"{place} input[type=range]").focus()
    for _ in range(times):
        page.keyboard.press(key)


def trained(page, words="Finished"):
    page.locator(f"#train-status :text('{words}')").wait_for(timeout=TRAINED)
    return float(re.search(r"([\d.]+) % of the test split", text(page, "#train-status"))[1])


def test_a_training_that_finishes_has_the_accuracy_of_the_command_beside_it(visit, tmp_path, monkeypatch, capsys):
    page = visit("?tab=train")
    slide(page, "#train-steps", "Home")
    slide(page, "#train-noise", "ArrowRight", 3)
    page.wait_for_function("document.querySelector('#train-command').textContent.includes('iid_noise_scale 0.05')")
    page.locator("#train-code button").click()
    command = page.evaluate("navigator.clipboard.readText()")
    page.locator("#train-start").click()
    accuracy = trained(page)
    monkeypatch.chdir(tmp_path)
    assert main(command.split()[1:]) == 0
    assert f"after 500 steps: {accuracy:.1f}%" in capsys.readouterr().out
    assert page.locator("#train-found .m1-panel").count() == 20
    assert page.locator("#train-found .m1-posterior .m1-true").count() > 10
    assert page.locator("#train-found .m1-bars li").count() == 10
    page.locator("#train-network").get_by_text("MLP").click()
    page.wait_for_function("document.querySelector('#train-command').textContent.includes('--config mlp')")
    page.locator("#train-start").click()
    page.locator("#train-curve :text('CNN, noise 0.05 (before)')").wait_for(timeout=TRAINED)
    assert trained(page) < accuracy
    assert page.locator("#train-curve polyline").count() == 2


def test_a_training_that_is_stopped_keeps_what_it_came_to(visit):
    page = visit("?tab=train&train_steps=6000&train_network=gru")
    page.locator("#train-start").click()
    page.locator("#train-status :text('of 6,000 steps')").wait_for(timeout=TRAINED)
    page.locator("#train-start").click()  # one at a time: nothing comes of it
    page.locator("#train-stop").click()
    assert trained(page, "Stopped after") > 20
    assert "6,000" not in text(page, "#train-status")
    assert page.locator("#train-found .m1-panel").count() == 20


def test_two_visitors_train_one_after_the_other_and_do_not_mix(visit):
    first, second = visit("?tab=train&train_steps=2000"), visit("?tab=train&train_network=logistic&train_steps=500")
    first.locator("#train-start").click()
    first.locator("#train-status :text('CNN is trained')").wait_for(timeout=TRAINED)
    second.locator("#train-start").click()
    second.locator("#train-status :text('1 training comes first')").wait_for()
    assert trained(first) > 80 > 60 > trained(second)
    assert "logistic" in text(second, "#train-curve")
    assert "logistic" not in text(first, "#train-curve")


def test_who_leaves_the_page_ends_the_training_and_the_next_begins(visit):
    first, second = (
        visit("?tab=train&train_network=gru&train_steps=6000"),
        visit("?tab=train&train_network=logistic&train_steps=500"),
    )
    first.locator("#train-start").click()
    first.locator("#train-status :text('of 6,000 steps')").wait_for(timeout=TRAINED)
    second.locator("#train-start").click()
    second.locator("#train-status :text('1 training comes first')").wait_for()
    first.close()
    second.locator("#train-status :text('Finished')").wait_for(timeout=30_000)  # the GRU alone takes a minute


def test_a_server_that_ends_while_it_trains_leaves_no_process_and_no_file(chromium, tmp_path):
    explorer = Explorer(tmp_path)
    page = chromium.new_page()
    page.goto(f"{explorer.url}?tab=train&train_steps=6000&train_network=gru")
    page.locator("#train-start").click()
    page.locator("#train-status :text('of 6,000 steps')").wait_for(timeout=TRAINED)
    page.close()
    assert workers(tmp_path)
    seconds, _, said = explorer.stop()
    assert seconds < 4
    assert said.count("\n") == 1
    assert not workers(tmp_path)
    assert [*(tmp_path / "tmp").iterdir()] == []


def workers(folder):
    """The processes that train into a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = process.read_bytes().split(b"\0")
            found += [process] * any(str(folder).encode() in word for word in words if b"training-" in word)
    return found


def test_sliders_move_the_accuracies_and_the_bayes_limit_follows(visit):
    page = visit("?tab=break")
    usual = text(page, "#break-bars")
    slide(page, "#break-noise", "ArrowRight", 6)
    page.wait_for_function("new URL(location).searchParams.get('break_noise') === '0.08'")
    page.wait_for_function("old => document.querySelector('#break-bars').innerText !== old", arg=usual)
    page.locator("#break-limit :text('exact posterior of 320 signals')").wait_for(timeout=30_000)
    page.locator("#break-outside").get_by_text("time warp").click()
    page.locator("#break-limit :text('outside the recipe')").wait_for()
    assert page.locator("#break-limit .m1-bayes").count() == 0
    page.locator("#break-amount").wait_for()
    before = page.locator("#break-curves").inner_html()
    page.locator("#break-along").get_by_text("shift").click()
    page.wait_for_function("old => document.querySelector('#break-curves').innerHTML !== old", arg=before)
    assert page.locator("#break-curves polyline").count() == 4
    page.wait_for_function(
        "[...new URL(location).searchParams.keys()].sort().join() === 'break_along,break_noise,break_outside,tab'"
    )
    query = page.evaluate("location.search")
    again = visit(query)
    again.locator("#break-limit :text('outside the recipe')").wait_for()
    same = "now => document.querySelector('#break-bars').innerText === now"
    again.wait_for_function(same, arg=text(page, "#break-bars"))
    page.locator("#break-back").click()
    page.wait_for_function(same, arg=usual)
    page.wait_for_function("[...new URL(location).searchParams.keys()].sort().join() === 'break_along,tab'")


def test_findings_are_filtered_and_opened_by_keyboard(visit):
    page = visit("?tab=findings&study=all&verdict=fails")
    fails = chosen(verdict="fails")
    page.locator(f"#findings-found :text('{len(fails)} claims')").wait_for()
    assert page.locator("#findings-found details").count() == len(fails)
    page.locator("#findings-found summary").first.focus()
    page.keyboard.press("Enter")
    opened = page.locator("#findings-found details[open]")
    assert fails[0].told["contrast"] in opened.inner_text()
    assert fails[0].page in opened.inner_html()
    page.locator("#findings-verdict").get_by_text("holds").click()
    page.locator(f"#findings-found :text('{len(chosen(verdict='holds'))} claims')").wait_for()
    page.wait_for_function("new URL(location).searchParams.get('verdict') === 'holds'")


@pytest.mark.parametrize("query", ["?train_steps=7000", "?break_outside=%3Cb%3E", "?verdict=maybe&study=nothing"])
def test_what_the_address_cannot_mean_is_said(query, visit):
    page = visit(query)
    assert "is ignored" in text(page, ".m1-notice")


@pytest.mark.parametrize(("screen", "colour"), [*zip(SCREENS, COLOURS, strict=True)])
def test_no_tab_is_wider_than_the_screen(screen, colour, visit, screenshots):
    for tab in ("train", "break", "findings"):
        page = visit(f"?tab={tab}", screen=screen, colour=colour)
        if tab == "train":  # with all that a training shows
            slide(page, "#train-steps", "Home")
            page.locator("#train-start").click()
            trained(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen][0]
        assert page.get_by_role("tab").count() == 5  # none behind a menu
        page.screenshot(path=screenshots / f"explorer-{tab}-{screen}-{colour}.png", full_page=True)
