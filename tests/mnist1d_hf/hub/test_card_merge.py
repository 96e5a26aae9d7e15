"""Cards that others have edited: what they wrote survives, and nothing is written where nothing changed."""

import huggingface_hub
import pytest
import yaml
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs, known_task_ids

from mnist1d_hf import MNIST1D
from mnist1d_hf.cache import golden
from mnist1d_hf.hub.card import BEGIN, END, FIGURE, METADATA, CardError, figure, merged_card, new_card
from mnist1d_hf.hub.card_records import ConfigRecord, read_records


def made(*names):
    builders = {name: MNIST1D(config_name=name) for name in names}
    records = {name: ConfigRecord.of(builder, golden.committed()[name]) for name, builder in builders.items()}
    return records, {name: builder.info for name, builder in builders.items()}


@pytest.fixture
def two():
    return new_card(*made("default", "long"), path="owner/data")


def test_adding_configs_one_by_one_is_the_same_card_as_all_at_once(two):
    one = new_card(*made("default"), path="owner/data")
    assert merged_card(one, *made("long"), path="owner/data") == two


def test_what_is_there_already_changes_no_letter(two):
    assert merged_card(two, {}, {}, path="owner/data") == two
    assert merged_card(two, *made("long"), path="owner/data") == two
    odd = two.replace("license: apache-2.0", 'license:   "apache-2.0"   # theirs').replace("- signals", "-  'signals'")
    assert merged_card(odd, *made("long"), path="owner/data") == odd


def test_removing_what_was_added_gives_the_card_back(two):
    one = new_card(*made("default"), path="owner/data")
    back = huggingface_hub.DatasetCard(merged_card(two, {}, {}, removed=["long"], path="owner/data"))
    expected = huggingface_hub.DatasetCard(one)
    assert back.text == expected.text
    assert read_records(back.data) == read_records(expected.data)
    assert DatasetInfosDict.from_dataset_card_data(back.data) == DatasetInfosDict.from_dataset_card_data(expected.data)
    assert list(MetadataConfigs.from_dataset_card_data(back.data)) == ["default"]


def test_text_around_the_marks_stays_even_with_other_line_ends(two):
    text = two.replace(BEGIN, f"Before: $x \\1 {{}}\n\n{BEGIN}").replace(END, f"{END}\n\nAfter.")
    merged = merged_card(text, *made("no-shift"), path="owner/data")
    assert merged.count("Before: $x \\1 {}") == merged.count("After.") == merged.count(BEGIN) == merged.count(END) == 1
    windows = "---\r\nlicense: mit\r\n---\r\n# Theirs\r\n\r\nWords.\r\n"
    merged = merged_card(windows, *made("no-shift"), path="owner/data")
    card = huggingface_hub.DatasetCard(merged)
    assert card.data.license == "mit"
    assert "# Theirs\r\n\r\nWords." in merged
    assert read_records(card.data).keys() == {"no-shift"}


def test_a_card_without_a_header_gets_ours(two):
    data = huggingface_hub.DatasetCard(merged_card("# Only words\n", *made("long"), path="o/d")).data
    assert data.license == METADATA["license"]
    assert data.size_categories == ["1K<n<10K"]


@pytest.mark.parametrize(
    "header",
    ["a: [", "- 1", "configs: 3", "configs:\n- data_files: x", "mnist1d: 3", "mnist1d:\n- 3", "mnist1d:\n- version: 1"],
)
def test_headers_that_cannot_be_read_are_an_error_that_says_so(header):
    with pytest.raises(CardError, match="repair it by hand"):
        merged_card(f"---\n{header}\n---\n", *made("long"), path="owner/data")


def test_unknown_entries_in_records_of_a_later_release_do_no_harm(two):
    later = two.replace("  stream: reference\n", "  stream: reference\n  shiny: new\n", 1)
    records = read_records(huggingface_hub.DatasetCard(later).data)
    assert records.keys() == {"default", "long"}
    assert "| `no-shift` |" in merged_card(later, *made("no-shift"), path="owner/data")


def test_the_page_on_the_hub_has_all_that_it_shows(two):
    card = huggingface_hub.DatasetCard(two)
    data = card.data
    assert data.pretty_name == "MNIST-1D"
    assert data.license == "apache-2.0"
    assert set(data.task_categories) <= set(known_task_ids)
    assert data.size_categories == ["1K<n<10K"]
    assert "arxiv:2011.14439" in data.tags
    assert data.annotations_creators == ["machine-generated"]
    assert "https://arxiv.org/abs/2011.14439" in card.text
    assert "@inproceedings{greydanus2024scaling" in card.text
    assert f"]({FIGURE})" in card.text
    assert figure().startswith(b"\x89PNG\r\n")
    table = "| CNN | 5,210 | 94 | 93.3 ± 1.7 | 56 | 57.0 ± 3.2 |"
    for line in (table, "Protocol: cross-entropy, Adam with a learning rate of 0.01"):
        assert line in card.text


def test_the_header_is_the_libraries_own_yaml(two):
    header = yaml.safe_load(two.split("---\n")[1])
    record = read_records(huggingface_hub.DatasetCard(two).data)["long"]
    assert [entry["config_name"] for entry in header["mnist1d"]] == ["default", "long"]
    assert record == made("long")[0]["long"]
    assert (record.points, record.digests) == (120, golden.committed()["long"])
