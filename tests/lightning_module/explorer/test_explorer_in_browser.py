"""A person's way through Make and Read, in a browser. Run by `make test-docs`."""

import hashlib
import io
import json
import re
import urllib.request

import numpy as np
import pyarrow.parquet
import pytest
from explorers import COLOURS, SCREENS

from lightning_module.explorer import svg
from lightning_module.explorer.make import pictures
from lightning_module.quiz.questions import Questions

pytestmark = pytest.mark.docs
CODE = "document.querySelector('#make-code').textContent"


def copied(page, name):
    """What a click on the button beside the code puts on the clipboard."""
    page.locator("#make-code section", has_text=name).first.get_by_role("button").click()
    page.wait_for_function("[...document.querySelectorAll('[data-copy]')].some(b => b.textContent === 'copied')")
    return page.evaluate("navigator.clipboard.readText()")


def drawn(page):
    """The points of the ten signals, as they are drawn."""
    return page.eval_on_selector_all("#make-signals polyline", "all => all.map(e => e.getAttribute('points'))")


def digest(page):
    return page.locator("#m1-sha256").get_attribute("data-sha256")


def settled(page, *code):
    """Waits until the code says this, and posteriors stand below the signals."""
    for word in code:
        page.wait_for_function(f"word => {CODE}.includes(word)", arg=word)
    page.wait_for_function("document.querySelectorAll('#make-signals .m1-posterior:not(.m1-waiting)').length === 10")


@pytest.mark.parametrize("name", ["make_mnist1d", "load_dataset"])
def test_from_a_slider_to_copied_code_that_gives_what_is_shown(name, visit, cache):
    page = visit()
    page.locator("#make-iid-noise-scale input[type=range]").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("new URL(location).searchParams.get('iid_noise_scale') === '0.05'")
    settled(page, "iid_noise_scale=0.05")
    scope = {}
    exec(copied(page, name), scope)
    shown = scope["shown"]
    assert hashlib.sha256(shown.astype("<f4").tobytes()).hexdigest() == digest(page)
    extent = max(pictures.LEAST_EXTENT, svg.half_width([*shown]))
    assert drawn(page) == [svg.path(signal, extent) for signal in shown]
    assert page.locator("#make-signals .m1-posterior .m1-true").count() > 5
    assert re.search(r"interpolated|exact posterior of [\d,]+ signals", page.locator("#make-limit").inner_text())


def test_the_address_reproduces_the_state(visit):
    page = visit()
    page.locator("#make-shear-scale input[type=range]").focus()
    page.keyboard.press("Home")
    page.get_by_text("all other numbers of the recipe").click()
    page.locator("#make-shuffle-seq input").check()
    page.locator(".m1-digits").get_by_text("7", exact=True).click()
    page.wait_for_selector(".m1-construction[data-digit='7']")
    settled(page, "shuffle_seq=True", "shear_scale=0")
    query = page.evaluate("location.search")
    assert query == "?shear_scale=0&shuffle_seq=true&digit=7"
    again = visit(query)
    again.wait_for_selector(".m1-construction[data-digit='7']")
    settled(again, "shuffle_seq=True", "shear_scale=0")
    assert digest(again) == digest(page)
    assert drawn(again) == drawn(page)
    again.get_by_text("all other numbers of the recipe").click()
    assert again.locator("#make-shuffle-seq input").is_checked()
    assert again.evaluate("location.search") == query
    page.get_by_role("tab", name="Read").click()
    page.wait_for_function("location.search.includes('tab=read')")
    other = visit(page.evaluate("location.search"))
    assert other.get_by_role("tab", name="Read").get_attribute("aria-selected") == "true"


def test_a_config_sets_its_numbers_and_an_address_what_it_does_not_say(visit):
    page = visit("?config=high-noise&size=3&seed=x&iid_noise_scale=0.03")
    settled(page, "high-noise", "iid_noise_scale=0.03")
    assert page.locator("#make-corr-noise-scale input[type=range]").input_value() == "0.5"
    said = page.locator(".m1-notice").inner_text()
    assert "size=3 in the address is ignored" in said
    assert "seed=x in the address is ignored: it must be a whole number" in said
    assert "size" not in page.evaluate("location.search")


def test_what_is_no_recipe_is_said_beside_its_control(visit):
    page = visit("?padding_low=90")
    error = page.locator(".m1-error")
    error.wait_for()
    assert "padding=(90, 60) must be (low, high) with 0 <= low <= high; swap them?" in error.inner_text()
    page.locator("#make-padding-low input[type=range]").focus()
    page.keyboard.press("Home")
    error.wait_for(state="detached")


def test_how_a_signal_is_made_step_by_step(visit):
    page = visit("?digit=4")
    page.wait_for_selector(".m1-construction[data-digit='4']")
    told = page.locator(".m1-stage")
    assert told.inner_text().startswith("9. resample")
    page.get_by_role("button", name="stage 1: template").click()
    assert told.inner_text().startswith("1. template")
    page.get_by_role("button", name="on", exact=True).press("Enter")
    assert told.inner_text().startswith("2. pad")
    small = page.locator(".m1-small polyline").nth(1).get_attribute("points")
    page.wait_for_function(
        "points => document.querySelector('.m1-large polyline').getAttribute('points') === points", arg=small
    )
    page.get_by_role("button", name="play").click()
    page.wait_for_function("document.querySelector('.m1-stage').textContent.startsWith('3.')")
    page.get_by_role("button", name="stop").click()


def test_files_hold_the_signals_that_are_shown(visit):
    page = visit("?num_samples=400&label_noise=0.5")
    settled(page, "num_samples=400", "label_noise=0.5")
    with page.expect_download() as started:
        page.locator("#make-code").get_by_role("link", name="train.parquet").click()
    table = pyarrow.parquet.read_table(io.BytesIO(started.value.path().read_bytes()))
    x, y = np.array(table["x"].to_pylist(), np.float32), table["y_clean"].to_numpy()
    ten = x[[np.flatnonzero(y == number)[0] for number in range(10)]]
    assert hashlib.sha256(ten.tobytes()).hexdigest() == digest(page)


def test_a_quiz_of_ten_by_keyboard(visit, tmp_path):
    page = visit("?tab=read&code=12")
    page.locator("#read-start").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#read-signal polyline")
    truth = Questions.draw("default", number=10, seed=12).y.tolist()
    for digit in [(truth[0] + 1) % 10, *truth[1:]]:  # as fast as keys can be
        page.keyboard.press(str(digit))
    page.wait_for_selector("#m1-quiz-file")
    text = page.locator("#read-results").inner_text()
    assert "You read 9 of 10 right" in text
    for who in ("Bayes classifier", "ten CNNs", "a person, as published"):
        assert who in text
    with page.expect_download() as started:
        page.locator("#m1-quiz-file").click()
    record = json.loads(started.value.path().read_text())
    assert [answer["truth"] for answer in record["answers"]] == truth
    file = tmp_path / "Ada <b>.json"
    file.write_text(json.dumps(record))
    page.get_by_text("The table of a class").click()
    page.locator("#read-files input[type=file]").set_input_files([file])
    page.wait_for_selector("#read-class table")
    assert page.locator("#read-class b").count() == 0
    assert "90.0%" in page.locator("#read-class").inner_text()


def test_two_visitors_see_each_their_own(visit):
    one, two = visit("?tab=read&code=1"), visit("?tab=read&code=2")
    for page in (one, two):
        page.locator("#read-start").click()
        page.wait_for_selector("#read-signal polyline")
        page.keyboard.press("1")
    two.keyboard.press("1")
    two.wait_for_function("document.querySelector('#read-signal').textContent.includes('signal 3 of 10')")
    one.wait_for_function("document.querySelector('#read-signal').textContent.includes('signal 2 of 10')")


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("screen", SCREENS)
def test_make_and_read_fit_the_screen(screen, colour, visit, screenshots):
    page = visit(screen=screen, colour=colour)
    for name in ("Make", "Read"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_function(f"document.body.innerText.includes('{'recipe' if name == 'Make' else 'You see'}')")
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} scrolls sideways by {wider} pixels"
        page.screenshot(path=screenshots / f"explorer-{name.lower()}-{screen}-{colour}.png", full_page=True)


def test_the_page_has_its_signals_before_anything_is_computed(explorer):
    with urllib.request.urlopen(explorer.url, timeout=20) as answer:
        text = answer.read().decode()
    assert text.count("m1-panel") >= 10
    # Links for who shares the page are gradio's own; a browser follows none of them.
    loaded = re.findall(r"""(?:src|href)=["']?(https?:)?//""", re.sub(r"<meta[^>]*>|<script>.*?</script>", "", text))
    assert not loaded


def test_every_one_of_many_moves_is_answered_and_nothing_is_kept_in_the_browser(visit):
    page = visit()
    place = "#make-iid-noise-scale input[type=range]"
    page.locator(place).focus()
    for _ in range(40):  # each as soon as the one before is answered: the moment at which a stream is closed
        before = digest(page)
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "old => document.querySelector('#m1-sha256').dataset.sha256 !== old"
            " && document.querySelectorAll('#make-signals .m1-posterior:not(.m1-waiting)').length === 10",
            arg=before,
            timeout=10_000,
        )
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(visit):
    page = visit()
    first = digest(page)

    def late(route):
        answer = route.fetch()
        if "0.025, " in route.request.post_data.replace(",", ", "):  # the first move, whose answer takes its time
            page.wait_for_timeout(1500)
        route.fulfill(response=answer)

    page.route("**/run/predict*", late)
    page.locator("#make-iid-noise-scale input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#make-shear-scale input[type=range]").focus()
    page.keyboard.press("Home")
    settled(page, "iid_noise_scale=0.025", "shear_scale=0")
    shown = digest(page)
    page.wait_for_timeout(3000)
    assert digest(page) == shown != first
    settled(page, "iid_noise_scale=0.025", "shear_scale=0")
    page.unroute_all(behavior="ignoreErrors")
