from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.training.tuning.small import KINDS, make_sample, write_model, write_samples


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models this small are slower with two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A random model folder of each architecture."""
    place = tmp_path_factory.mktemp("models")
    return {kind: write_model(kind, place / kind) for kind in KINDS}


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """samples.jsonl with 24 samples, images beside it."""
    root = tmp_path_factory.mktemp("data")
    return write_samples(root, [make_sample(root, number) for number in range(24)])
