"""Licence, homepage, description and citation of data that were loaded from files.

The Parquet files do not hold them. `load_dataset` of a repository takes them from its card; `mnist1d_hf.load` loads the
files alone, and gets them here.
"""

from collections.abc import Mapping
from typing import Any, Final

from mnist1d_hf.hub.card import ABOUT
from mnist1d_hf.hub.card_records import ConfigRecord
from mnist1d_hf.hub.header import infos_by_config
from mnist1d_hf.mnist1d import CITATION, DESCRIPTION, HOMEPAGE, LICENSE

LONGEST: Final = 10_000  # characters of such a text


def told_of(loaded: Any, record: ConfigRecord, header: Mapping[str, Any]) -> Any:
    """Returns the data with their info filled in: from the card, else with what this package says of all it makes.

    Args:
        loaded: A data set, or several by split; streamed or not.
        record: The config's record.
        header: The card's header, which somebody else may have written.
    """
    usual = {
        "license": LICENSE,
        "homepage": HOMEPAGE,
        "description": f"{DESCRIPTION} {record.description}",
        "citation": CITATION,
    }
    entry = infos_by_config(header.get("dataset_info")).get(record.config_name, {})
    for rows in loaded.values() if isinstance(loaded, dict) else [loaded]:
        for key in ABOUT:
            text = entry.get(key)
            setattr(rows.info, key, text if isinstance(text, str) and 0 < len(text) <= LONGEST else usual[key])
    return loaded
