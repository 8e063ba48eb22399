"""The fast training paths give the numbers of transformers' own."""

import numpy as np
import pytest
import torch
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil

from groundproof_training.model import (
    IMAGE_MEAN,
    IMAGE_STD,
    make_model,
    patches_of,
    vision_features,
    whiten_patches,
)
from groundproof_training.pointing import Tap, image_positions
from groundproof_training.recipe import SMALL_MODEL
from groundproof_training.templates import corpus
from groundproof_training.tokenizer import first_number_id, make_tokenizer, special_ids


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer(corpus(200))


@pytest.fixture(scope="module")
def model(tokenizer):
    return make_model(SMALL_MODEL, len(tokenizer), special_ids(tokenizer), first_number_id(tokenizer)).eval()


@torch.no_grad()
def test_the_batched_tower_equals_the_stock_one(model):
    images = np.random.default_rng(0).integers(0, 255, size=(3, 112, 168, 3), dtype=np.uint8)
    mine = vision_features(
        model.model.visual, patches_of(torch.from_numpy(images), IMAGE_MEAN, IMAGE_STD), 112, 168
    )
    stock = Glm4vImageProcessorPil()(list(images), return_tensors="pt")
    theirs = model.model.visual(stock["pixel_values"], stock["image_grid_thw"]).pooler_output
    assert torch.allclose(mine.flatten(0, 1), theirs, atol=1e-4)


def test_positions_equal_those_of_the_model(model, tokenizer):
    ids = special_ids(tokenizer)
    start, rows, columns, tail = 5, 4, 6, 9
    tokens = [ids["<sop>"]] * start + [ids["<|image|>"]] * rows * columns + [ids["<sop>"]] * tail
    kinds = torch.tensor([[0] * start + [1] * rows * columns + [0] * tail])
    grid = torch.tensor([[1, rows * 2, columns * 2]])
    theirs, _ = model.model.get_rope_index(torch.tensor([tokens]), kinds, grid)
    assert torch.equal(image_positions(len(tokens), start, columns, rows), theirs[:, 0])


@torch.no_grad()
def test_tapped_attention_equals_that_of_the_layer(model):
    language = model.model.language_model
    ids = torch.randint(20, 400, (2, 12))
    tap = Tap(model, 1)
    before, language.config._attn_implementation = language.config._attn_implementation, "eager"
    try:
        stock = language(input_ids=ids, output_attentions=True, use_cache=False).attentions[1]
        tapped = tap.log_attention((0, 2), 4).exp()
    finally:
        language.config._attn_implementation = before
        tap.close()
    assert torch.allclose(tapped, stock[:, [0, 2], 4:], atol=1e-5)


@torch.no_grad()
def test_whitened_patches_have_even_components(model):
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 255, size=(8, 112, 112, 3), dtype=np.uint8))
    patches = patches_of(images, IMAGE_MEAN, IMAGE_STD).flatten(0, 1)
    whiten_patches(model.model.visual, patches, knee=8)
    conv = model.model.visual.patch_embed.proj
    out = patches @ conv.weight.sum(2).flatten(1).T + conv.bias
    assert out.mean(0).abs().max() < 1e-2
    assert out.std(0).max() / out.std(0).min() < 2
