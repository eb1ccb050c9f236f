"""The example of the settings: complete, true, and what `leadline init` writes."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connectors.connector import ConnectionOptions, kinds
from pipelines import example_settings
from pipelines.settings import Settings, parse
from pipelines.settings_messages import model_of

EXAMPLE = Path(__file__).parents[2] / "leadline.example.toml"
REMAKE = ".venv/bin/python -m pipelines.example_settings > leadline.example.toml"


def uncommented(text: str) -> str:
    """The example with every setting switched on, alternatives aside."""
    alternatives = {key.rpartition(".")[2] for key in example_settings.ALTERNATIVES}
    lines: list[str] = []
    for line in text.splitlines():
        setting = re.match(r"#([\w-]+) = ", line)
        if setting and setting[1] in alternatives and "instead of" in lines[-1]:
            continue
        lines.append(re.sub(r"^#(?=[\w\[\]]|  )", "", line))
    return "\n".join(lines)


def leaves(model: type[BaseModel], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every setting below a model, arrays of tables included."""
    found = []
    for name, field in model.model_fields.items():
        inner = model_of(field.annotation)
        is_table = isinstance(inner, type) and issubclass(inner, BaseModel)
        if is_table and inner.__name__ not in {"Secret", "Connection"}:
            found += leaves(inner, (*path, name))
        elif name != "connections":
            found.append((*path, name))
    return found


def refused(model: type[BaseModel], values: dict[str, Any]) -> set[object]:
    """The given settings that are not accepted; others may be missing."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return {problem["loc"][0] for problem in error.errors() if problem["loc"]}
    return set()


def test_file_is_up_to_date() -> None:
    """leadline.example.toml is what the settings of today say."""
    assert EXAMPLE.read_text(encoding="utf-8") == example_settings.text(), f"run: {REMAKE}"


def test_example_as_written_gives_the_defaults() -> None:
    """Taking the example changes nothing: all of its settings are switched off."""
    assert parse(example_settings.text().encode(), EXAMPLE) == Settings()


def test_example_switched_on_is_valid() -> None:
    """Every example value is one that its setting takes."""
    settings = parse(uncommented(example_settings.text()).encode(), EXAMPLE)
    assert set(settings.connections) == set(kinds())
    assert settings.teams[0].name == "Payments"


def test_every_setting_appears() -> None:
    """No setting can be added without appearing in the example."""
    document: Any = tomllib.loads(uncommented(example_settings.text()))
    for path in leaves(Settings):
        place = document
        for name in path:
            place = place[0] if isinstance(place, list) else place
            assert name in place, ".".join(path)
            place = place[name]


@pytest.mark.parametrize("kind", kinds())
def test_every_option_of_a_connector_appears(kind: str) -> None:
    """Options stand in the block of their kind, with a value they take."""
    text = example_settings.text()
    block = text.partition(f"#[connections.{kind}]\n")[2].partition("\n\n# ")[0]
    options = kinds()[kind].options_type
    for name, field in options.model_fields.items():
        where = text if name in ConnectionOptions.model_fields else block
        inner = model_of(field.annotation)
        if f"#[[connections.{kind}.{name}]]" in block:
            for part in inner.model_fields:
                assert re.search(rf"^#{part} = ", block, re.MULTILINE), f"{kind}.{name}.{part}"
            continue
        line = re.search(rf"^#({name} = .*)$", where, re.MULTILINE)
        assert line is not None, f"{kind}.{name}"
        assert name not in refused(options, tomllib.loads(line[1])), line[1]
