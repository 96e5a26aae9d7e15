"""Malformed repositories: sound ones with one thing changed, by rules that are applied at every place of the schema.

Each case is a folder's files. Whoever loads it must get the sound content, or an error on one line.
"""

import copy
import json
import math
import pickle
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from safetensors.torch import load, save

ESCAPE = "x\x1b[2K\x1b[1Gok      forged\x07\u202e\nok forged"
Files = dict[str, bytes]


class Runs:
    """A pickle that would run code."""

    def __reduce__(self):
        return (print, ("PICKLE RAN",))


PICKLE = pickle.dumps(Runs())


@dataclass(frozen=True)
class Case:
    """A malformed repository.

    Attributes:
        name: What is wrong with it.
        files: Its files.
        other: Whether a second config is untouched and must be served.
    """

    name: str
    files: Files = field(repr=False)
    other: bool = False


def wrong_values(value: Any) -> Iterator[tuple[str, Any]]:
    """Values that are no better than this one, most of them of another type."""
    yield "null", None
    yield "a mapping", {"a": {"b": 1}}
    yield "a list", [[1], ESCAPE]
    yield "an escape sequence", ESCAPE
    if isinstance(value, bool):
        yield "a number", 3
    elif isinstance(value, int | float):
        yield "huge", 10**400
        yield "a thousand millions", 10**9
        yield "negative", -1
        yield "no number", math.nan
        yield "infinite", math.inf
        yield "a text", "7"
        yield "a flag", True
    elif isinstance(value, str):
        yield "an integer", 10**30
        yield "empty", ""
        yield "a path out", "../../etc/passwd"
        yield "long", "a" * 100_000
    else:
        yield "a text", "text"
        yield "a million", 10**6


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places in a nested value, the outermost first."""
    if at:
        yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*at, key))


def mutations(value: Any, every: int, start: int = 0) -> Iterator[tuple[str, Any]]:
    """The value with one place changed: every so many of all changes there are."""
    number = start
    for at in places(value):
        holder = value
        for key in at[:-1]:
            holder = holder[key]
        changes: list[tuple[str, Any]] = [("missing", None), *wrong_values(holder[at[-1]])]
        for name, wrong in changes:
            number += 1
            if number % every:
                continue
            changed = copy.deepcopy(value)
            inside = changed
            for key in at[:-1]:
                inside = inside[key]
            if name == "missing":
                del inside[at[-1]]
            else:
                inside[at[-1]] = wrong
            yield f"{'.'.join(map(str, at))} is {name}", changed


def split_card(card: bytes) -> tuple[dict[str, Any], str]:
    _, header, text = card.decode().split("---\n", 2)
    return yaml.safe_load(header), text


def joined(header: Any, text: str = "# Text\n") -> bytes:
    return f"---\n{yaml.safe_dump(header, allow_unicode=True, sort_keys=False)}---\n{text}".encode(
        "utf-8", "surrogatepass"
    )


def cards(card: bytes, key: str) -> Iterator[tuple[str, bytes]]:
    """Cards that are wrong as a whole, of data or of a model."""
    header, text = split_card(card)
    start, rest = card.split(b"---\n", 2)[1:]
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    yield "a bomb of aliases", f"---\n{bomb}{key}: *i\nconfigs: *i\n---\n".encode()
    yield "an alias of itself", f"---\n{key}: &a [*a, *a]\nconfigs: *{'a'}\n---\n".encode()
    for name, unit, times in (
        ("brackets", b"[", 20_000),
        ("more brackets", b"[{", 100_000),
        ("dashes", b"- ", 29_000),
        ("many keys", b"a: 1\n", 50_000),
        ("many lines", b"\n- ", 29_000),
        ("quotes", b"'", 250_000),
    ):
        yield f"{name} without end", b"---\n" + key.encode() + b": \n" + unit * times + b"\n---\n"
    yield "a header without end", b"---\n" + start
    yield "empty lines", b"---\n" + start + b"\n" * 300_000
    yield "empty lines after carriage returns", b"---\n" + b"\r\n" * 200_000 + start
    yield "a huge header", b"---\n" + start + b"# " + b"x" * 600_000 + b"\n---\n"
    yield "a huge card", card + b"x" * 3_000_000
    yield "no text", b"\xff\xfe\x00" + card
    yield "half a character", card[: len(start) // 2] + b"\xc3\n---\n" + rest
    yield "control characters", f"---\n{key}: \x1b[2K\n---\n".encode()
    yield "a list for a header", b"---\n- 1\n- 2\n---\n"
    yield "a text for a header", b"---\nonly text\n---\n"
    yield "a Python object", f"---\n{key}: !!python/object/apply:os.system ['true']\n---\n".encode()
    yield "a date for a record", f"---\n{key}: 2020-01-01\n---\n".encode()
    yield "bytes for a record", f"---\n{key}: !!binary aGVsbG8=\n---\n".encode()
    yield "a set for a record", f"---\n{key}: !!set {{a, b}}\n---\n".encode()
    yield "an unhashable key", f"---\n? {{a: 1}}\n: 2\n{key}: 1\n---\n".encode()
    yield "numbers for keys", f"---\n1: 2\n{key}: 1\n---\n".encode()
    yield "empty", b""
    yield "a pickle", PICKLE
    yield "the record gone", joined({k: v for k, v in header.items() if k != key}, text)
    for name, wrong in wrong_values([]):
        yield f"the record is {name}", joined({**header, key: wrong}, text)


def data_cases(sound: Files, thin: bool = True) -> Iterator[Case]:
    """Malformed folders of the configs "mine", which is changed, and "other"; thinned out, or all there are."""
    header, text = split_card(sound["README.md"])
    mine = {path: content for path, content in sound.items() if path.startswith("mine/")}
    for key in ("mnist1d", "configs"):
        entries = header[key]
        index = next(i for i, entry in enumerate(entries) if entry["config_name"] == "mine")
        for name, changed in mutations(entries[index], every=(4 if key == "mnist1d" else 3) if thin else 1):
            new = {**header, key: [*entries[:index], changed, *entries[index + 1 :]]}
            yield Case(f"data: {key}.{name}", {**sound, "README.md": joined(new, text)}, other=True)
        if key == "mnist1d":
            kept = {
                "files": [{"path": path, "sha256": sha256(content).hexdigest()} for path, content in mine.items()],
                "data_files": [{"split": split, "path": f"mine/{split}-*"} for split in ("train", "test")],
            }
            for name, changed in mutations(kept, every=5 if thin else 1):
                new = {**header, key: [*entries[:index], {**entries[index], **changed}, *entries[index + 1 :]]}
                yield Case(f"data: {key}.{name}", {**sound, "README.md": joined(new, text)}, other=True)
        twice = {**header, key: [*entries, {**entries[index], "version": "9.9.9"}]}
        yield Case(f"data: {key} has it twice", {**sound, "README.md": joined(twice, text)}, other=True)
        junk = {**header, key: [*entries, 7]}
        yield Case(f"data: {key} has a number", {**sound, "README.md": joined(junk, text)})
        many = {**header, key: entries * 1_500}
        yield Case(f"data: {key} 3,000 times", {**sound, "README.md": joined(many, text)[: 2**19]})
    for name, card in cards(sound["README.md"], "mnist1d"):
        yield Case(f"data: card, {name}", {**sound, "README.md": card})
    path = next(path for path in sound if path.startswith("mine/train"))
    for name, content in parquet_files(sound[path]):
        yield Case(f"data: file, {name}", {**sound, path: content}, other=True)
    yield Case("data: a file gone", {name: content for name, content in sound.items() if name != path}, other=True)
    yield Case("data: one file more", {**sound, path.replace("00000-of", "00001-of"): sound[path]}, other=True)
    swapped = {**sound, path: sound[path.replace("train", "test")], path.replace("train", "test"): sound[path]}
    yield Case("data: train and test swapped", swapped, other=True)
    yield Case("data: others' file", {**sound, path: sound[path.replace("mine", "other")]}, other=True)


def parquet_files(sound: bytes) -> Iterator[tuple[str, bytes]]:
    table = pq.read_table(pa.BufferReader(sound))
    yield "empty", b""
    yield "truncated", sound[: len(sound) // 2]
    yield "a pickle", PICKLE
    yield "zeros", bytes(len(sound))
    yield "a footer without end", sound[:-8] + struct.pack("<i", 2**31 - 1) + b"PAR1"
    yield "bytes changed", sound[: len(sound) // 3] + b"\x55" * 40 + sound[len(sound) // 3 + 40 :]
    plain = table.replace_schema_metadata(None)
    for name, changed in {
        "no features": plain,
        "features that are no JSON": table.replace_schema_metadata({"huggingface": "{"}),
        "features of a text": table.replace_schema_metadata({"huggingface": '"x"'}),
        "features of another type": table.replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": {"x": {"_type": "Image"}, "y": {"_type": "Nothing"}}}})}
        ),
        "labels in another order": table.replace_schema_metadata(
            {b"huggingface": table.schema.metadata[b"huggingface"].replace(b'"0", "1"', b'"1", "0"')}
        ),
        "rows missing": table.slice(1),
        "rows twice": pa.concat_tables([table, table]),
        "no rows": table.slice(0, 0),
        "a column missing": table.drop_columns(["y"]),
        "a column more": table.append_column("z", table["y"]),
        "a column renamed": table.rename_columns(["x", ESCAPE]),
        "labels as numbers": plain.set_column(1, "y", table["y"].cast("float64")),
        "labels as texts": plain.set_column(1, "y", table["y"].cast("string")),
        "signals in double precision": plain.set_column(0, "x", table["x"].cast(pa.list_(pa.float64()))),
        "rows without a signal": plain.set_column(0, "x", pa.array([None, *table["x"].to_pylist()[1:]])),
        "signals of other lengths": plain.set_column(0, "x", pa.array([[1.0], *table["x"].to_pylist()[1:]])),
        "rows reversed": table.take(list(range(len(table)))[::-1]),
    }.items():
        buffer = BytesIO()
        pq.write_table(changed, buffer)
        yield name, buffer.getvalue()


def model_cases(sound: Files, thin: bool = True) -> Iterator[Case]:
    header, text = split_card(sound["README.md"])
    for name, changed in mutations(header["mnist1d"], every=3 if thin else 1):
        yield Case(f"model: record.{name}", {**sound, "README.md": joined({**header, "mnist1d": changed}, text)})
    config = json.loads(sound["config.json"])
    for name, changed in mutations(config, every=2 if thin else 1):
        yield Case(f"model: config.{name}", {**sound, "config.json": json.dumps(changed).encode()})
    for name, content in {
        "length of a thousand millions": json.dumps({**config, "length": 10**9}).encode(),
        "classes of a thousand millions": json.dumps({**config, "num_classes": 10**9}).encode(),
        "length beyond 64 bits": json.dumps({**config, "length": 10**30}).encode(),
        "another network": json.dumps({**config, "network": "mlp"}).encode(),
        "an unknown key": json.dumps({**config, "hook": "x"}).encode(),
        "a key twice": sound["config.json"].replace(b"{", b'{"lr": 1,', 1),
        "no JSON": b"{",
        "a number of 10,000 digits": b'{"length": ' + b"9" * 10_000 + b"}",
        "nested without end": b"[" * 100_000,
        "a list": b"[]",
        "no text": b"\xff\xff",
        "huge": sound["config.json"] + b" " * 300_000,
        "empty": b"",
        "a pickle": PICKLE,
    }.items():
        yield Case(f"model: config, {name}", {**sound, "config.json": content})
    for name, card in cards(sound["README.md"], "mnist1d"):
        yield Case(f"model: card, {name}", {**sound, "README.md": card})
    for name, content in weights_files(sound["model.safetensors"], thin):
        yield Case(f"model: weights, {name}", {**sound, "model.safetensors": content})
    for gone in ("model.safetensors", "config.json", "README.md"):
        left = {name: content for name, content in sound.items() if name != gone}
        yield Case(f"model: {gone} gone, a pickle there", {**left, "pytorch_model.bin": PICKLE})


def weights_files(sound: bytes, thin: bool = True) -> Iterator[tuple[str, bytes]]:
    state = load(sound)
    first = sorted(state)[0]
    size = struct.unpack("<Q", sound[:8])[0]
    header = json.loads(sound[8 : 8 + size])
    yield "empty", b""
    yield "7 bytes", sound[:7]
    yield "truncated", sound[:-100]
    yield "bytes more", sound + b"x" * 100
    yield "a pickle", PICKLE
    yield "a header without end", struct.pack("<Q", 2**63) + sound[8:]
    yield "a header of no JSON", sound[:8] + b"x" * size + sound[8 + size :]
    yield "a value changed", save({**state, first: state[first] + 1e-6})
    yield "no numbers", save({**state, first: state[first] * math.nan})
    yield "bfloat16", save({name: tensor.bfloat16() for name, tensor in state.items()})
    yield "one in bfloat16", save({**state, first: state[first].bfloat16()})
    yield "double precision", save({name: tensor.double() for name, tensor in state.items()})
    yield "integers", save({**state, first: state[first].long()})
    yield "a tensor missing", save({name: tensor for name, tensor in state.items() if name != first})
    yield "a tensor more", save({**state, "more": state[first].clone()})
    yield "a tensor renamed", save({(ESCAPE if name == first else name): tensor for name, tensor in state.items()})
    yield "another shape", save({**state, first: state[first].unsqueeze(0)})
    yield "no tensors", save({})
    for name, changed in mutations(header, every=11 if thin else 1):
        content = json.dumps(changed).encode()
        yield f"header.{name}", struct.pack("<Q", len(content)) + content + sound[8 + size :]


Build = Callable[[], Files]
