import huggingface_hub
import pytest

from mnist1d_hf.hub.credentials import Credentials

GIVEN = "given-token-of-no-known-form"


def unasked():
    raise AssertionError("it is not asked for here")


@pytest.fixture(autouse=True)
def found(monkeypatch):
    """The token that the client finds by itself; none at first."""
    tokens = []
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: tokens[-1] if tokens else None)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    return tokens


def test_no_token_of_any_form_stays_in_a_text(found):
    found.append("saved.token.of.no.known.form")
    other = "hf_aBcDeFgHiJkL0123456789"
    text = f"Bearer {GIVEN}, {found[0]} and {other}x, but hf_hub stays"
    assert Credentials(GIVEN).without_tokens(text) == "Bearer hf_***, hf_*** and hf_***, but hf_hub stays"


def test_whether_there_is_one(found):
    assert not Credentials(None)
    assert Credentials(GIVEN)
    found.append("saved")
    assert Credentials(None)


def test_each_lack_has_its_remedy(found, monkeypatch):
    assert "no token is set" in Credentials(None).remedy(403, "o/n", unasked)
    assert "passed as token= is not valid" in Credentials(GIVEN).remedy(401, "o/n", unasked)
    found.append("saved")
    assert "saved by `hf auth login` is not valid" in Credentials(None).remedy(401, "o/n", unasked)
    monkeypatch.setenv("HF_TOKEN", "saved")
    assert "in HF_TOKEN is not valid" in Credentials(None).remedy(401, "o/n", unasked)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"auth": {"accessToken": {"displayName": "ci", "role": "read"}}}, '"ci" (role "read") '),
        ({"auth": {"accessToken": {"displayName": GIVEN, "role": "read"}}}, '"hf_***" (role "read") '),
        ({"auth": {}}, ""),
        (None, ""),
    ],
)
def test_the_token_is_called_by_its_name_if_it_has_one(answer, name):
    said = Credentials(GIVEN).remedy(403, "owner/data", lambda: answer)
    assert said.startswith(f'the token {name}passed as token= may not do this in owner/data: it needs the role "write"')


def test_a_hub_that_does_not_say_whose_it_is_is_no_failure():
    def silent():
        raise LookupError("no answer")

    assert "the token passed as token= may not" in Credentials(GIVEN).remedy(403, "o/n", silent)
