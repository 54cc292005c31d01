"""Systems with a `state_dict` come back as they were, and what runs through them is counted once."""

from __future__ import annotations

import contextlib
import random

import numpy as np
import pytest
import torch
from torch import nn

from netgain.errors import IntegrityError
from netgain.integrations.stateful import Level, StatefulCodec, counted, seed_everything


def blank() -> dict[str, object]:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    return {"model": model, "optimizer": torch.optim.Adam(model.parameters(), lr=0.1)}


def stepped(system: dict[str, object]) -> dict[str, object]:
    system["model"](torch.ones(4, 2)).sum().backward()
    system["optimizer"].step()
    system["optimizer"].zero_grad()
    return system


@pytest.mark.nightly  # a first step of an optimiser makes torch import its compiler
def test_a_model_and_its_optimiser_go_on_where_they_were() -> None:
    torch.manual_seed(1)
    codec, system = StatefulCodec(blank), stepped(blank())
    data = codec.encode(system)
    again = codec.decode(data)
    assert codec.encode(again) == data
    assert codec.encode(stepped(again)) == codec.encode(stepped(system)), "moments and weights, still tied together"
    assert codec.encode(codec.decode(data)) == data, "a decoded system is a new one each time"


def test_a_module_comes_back_and_a_decoded_one_is_a_new_one() -> None:
    codec, system = StatefulCodec(lambda: nn.BatchNorm1d(3)), nn.BatchNorm1d(3)
    system(torch.rand(5, 3))
    data = codec.encode(system)
    again = codec.decode(data)
    assert codec.encode(again) == data and int(again.num_batches_tracked) == 1
    later = codec.decode(data)
    later(torch.rand(5, 3))
    assert codec.encode(again) == data, "what becomes of a later one is nothing to an earlier one"


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_numbers_of_every_width_come_back_to_the_bit(kind: torch.dtype) -> None:
    codec = StatefulCodec(lambda: nn.Linear(3, 2, dtype=kind))
    system = nn.Linear(3, 2, dtype=kind)
    assert torch.equal(codec.decode(codec.encode(system)).weight, system.weight)


def test_what_has_no_state_is_plain_data_and_what_is_neither_is_refused() -> None:
    codec = StatefulCodec(blank)
    assert codec.decode(codec.encode({"threshold": 0.5})) == {"threshold": 0.5}
    with pytest.raises(IntegrityError, match="cannot cross"):
        codec.encode({"model": nn.Linear(2, 3), "rule": object()})
    with pytest.raises(IntegrityError, match="begins with b'.x80'"):
        codec.decode(b"\x80\x04K\x01.")


def test_every_global_generator_follows_the_stream() -> None:
    def drawn(seed: int) -> tuple[float, ...]:
        seed_everything(np.random.default_rng(seed))
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    assert drawn(1) == drawn(1)
    assert all(one != other for one, other in zip(drawn(1), drawn(2), strict=True))


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 2)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.embed(input_ids)


def test_rows_and_tokens_are_counted_once_whoever_calls_whom() -> None:
    model, loss = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)), nn.CrossEntropyLoss()
    with counted() as rows:
        loss(model(torch.ones(4, 2)), torch.zeros(4, dtype=torch.long))
        Inner()(input_ids=torch.zeros(2, 7, dtype=torch.long))
    assert rows.seen == 4 + 2 * 7
    model(torch.ones(4, 2))
    assert rows.seen == 18, "nothing is counted outside"


def test_a_batch_that_fails_leaves_the_count_in_order() -> None:
    model = nn.Linear(2, 3)
    with counted() as rows:
        with pytest.raises(RuntimeError):
            model(torch.ones(4, 5))
        model(torch.ones(4, 2))
        model(torch.ones(4, 2))
    assert rows.seen == 12


def trained(model: nn.Module) -> None:
    """As a script might: whatever goes wrong with a batch, on with the next."""
    for _ in range(9):
        with contextlib.suppress(Exception):
            model(torch.ones(4, 2))


def test_a_further_round_ends_at_the_batch_with_which_it_is_level() -> None:
    with counted(10) as rows, pytest.raises(Level):
        trained(nn.Linear(2, 3))
    assert rows.seen == 12
