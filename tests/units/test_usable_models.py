"""Which models Tab offers."""

from __future__ import annotations

import os

import pytest

from jupyter_codeact.models.litellm_model import load, usable_models


def test_models_are_those_whose_key_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    load()
    assert usable_models() == []
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    offered = usable_models()
    assert {name.partition("/")[0] for name in offered} == {"anthropic", "openai"}
    assert "openai/gpt-4o" in offered
    assert not any("whisper" in name or "dall-e" in name for name in offered)
