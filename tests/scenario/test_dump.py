"""A scenario that is written down, or shown, and loaded again is the same, whatever its texts."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.app import main
from sim.configuration.dump import to_yaml
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario

BASE = sim.load("automation=0.123456789", config="verification/mm1")
DATA = BASE.model_dump(mode="json", by_alias=True)

HOSTILE = [
    "", "${seed}", r"\${seed} and \\${seed}", "${", "${a b}", "${oc.env:HOME}", "$}{", "\\", "???",
    "1e3", "1_0", "0x1f", "1:30", ".inf", "nan", "null", "~", "yes", "true", "2020-01-01", "- a",
    "a: b # c \\ ü", "{a: 1}", "[", "*a", "&a", "!!int 1", "%a", "@", "`", "'", '"', "| >",
    " a ", "a\n\n b\n", "\n", "\t", "\r", "\x00", "\x1b[31m", "\x85", "\u2028", "\ufeff", "😀",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=3), max_size=3).map("".join)


def with_texts(description: str, others: str, currency: str, baseline: Any) -> Scenario:
    cost = {**DATA["cost"], "currency": currency}
    texts = {"description": description, "address": others, "baseline": baseline}
    return validate({**DATA, **texts, "cost": cost})


def loaded(text: str) -> Scenario:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return sim.load(config=path)


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_is_loaded_as_it_was(text: str) -> None:
    plain = text if text.isprintable() else ""
    scenario = with_texts(text, plain, plain[:8], {"a": text, "b": [text, {"c": text}]})
    assert loaded(to_yaml(scenario)) == scenario


@settings(deadline=None, max_examples=12)
@given(TEXT, TEXT)
def test_texts_at_random_are_loaded_as_they_were(text: str, other: str) -> None:
    scenario = with_texts(text, "here", "USD", {"key": other, other: [text]})
    assert loaded(to_yaml(scenario)) == scenario


@pytest.mark.parametrize("resolve", [(), ("--resolve",)], ids=["as it is", "resolved"])
def test_what_is_shown_is_loaded_as_it_is(
    resolve: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["sim"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    text = r"'\${seed} or \\\${seed}, of ${name}'"
    overrides = (f"description={text}", "cost.currency='\\${x}'", "baseline={a: ['\\${seed}']}")
    with pytest.raises(SystemExit) as done:
        main(("--cfg", "job", *resolve, "--config-name=verification/mm1", *overrides))
    assert done.value.code == 0
    shown = loaded(capsys.readouterr().out)
    assert shown == sim.load(*overrides, config="verification/mm1")
    assert shown.description == r"${seed} or \${seed}, of mm1"
    assert shown.cost.currency == "${x}"
    assert shown.baseline == {"a": ["${seed}"]}
