"""The fast training paths give the numbers of transformers' own."""

import numpy as np
import pytest
import torch
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
from transformers.models.glm4v.modeling_glm4v import apply_rotary_pos_emb_vision

from groundproof_training.model import (
    IMAGE_MEAN,
    IMAGE_STD,
    NEIGHBOURS,
    TinyConfig,
    make_model,
    patches_of,
    vision_features,
)
from groundproof_training.pointing import Tap, image_positions
from groundproof_training.recipe import SMALL_MODEL
from groundproof_training.sequences import Encoder, collate
from groundproof_training.templates import corpus, make_sample
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
def test_local_heads_first_look_at_their_neighbour(tokenizer):
    cfg = TinyConfig(vision_layers=2)
    fresh = make_model(cfg, len(tokenizer), special_ids(tokenizer), first_number_id(tokenizer))
    visual = fresh.model.visual.eval()
    visual.config._attn_implementation = "eager"
    looked = []
    for block in visual.blocks:
        block.attn.register_forward_hook(
            lambda _m, args, kwargs, _out: looked.append((args, kwargs)), with_kwargs=True
        )
    images = np.random.default_rng(0).integers(0, 255, size=(4, 224, 224, 3), dtype=np.uint8)
    stock = Glm4vImageProcessorPil()(list(images), return_tensors="pt")
    visual(stock["pixel_values"], stock["image_grid_thw"])
    side = 16
    # The tower's order: 2 x 2 blocks of patches, one block after the other.
    order = np.arange(side * side).reshape(side // 2, 2, side // 2, 2).swapaxes(1, 2).ravel()
    rows, columns = order // side, order % side
    for depth, (args, kwargs) in enumerate(looked):
        states = kwargs.get("hidden_states", args[0] if args else None)
        cos, sin = kwargs["position_embeddings"]
        attn = visual.blocks[depth].attn
        qkv = attn.qkv(states[: side * side]).view(side * side, 3, attn.num_heads, -1)
        q, k = apply_rotary_pos_emb_vision(qkv[:, 0], qkv[:, 1], cos[: side * side], sin[: side * side])
        weights = torch.einsum("qhd,khd->hqk", q, k).mul(q.shape[-1] ** -0.5).softmax(-1)
        for head, (down, right) in enumerate(NEIGHBOURS[depth]):
            inner = (
                (rows + down >= 0) & (rows + down < side) & (columns + right >= 0) & (columns + right < side)
            )
            best = weights[head].argmax(-1).numpy()
            hit = (rows[best] == rows + down) & (columns[best] == columns + right)
            assert hit[inner].mean() > 0.6, (depth, head, hit[inner].mean())


@torch.no_grad()
def test_questions_behind_one_image_do_not_see_each_other(model, tokenizer):
    encoder, rng = Encoder(tokenizer), np.random.default_rng(5)
    cells, size = 4 * 4, model.config.text_config.hidden_size
    samples = [
        make_sample(rng, ["ship", "airplane"], [(100, 100, 300, 300), (500, 500, 700, 800)], [0, 10])
        for _ in range(3)
    ]
    sequences = [encoder.encode(sample, cells) for sample in samples]
    start = encoder.image_start
    features = torch.randn(1, cells, size, generator=torch.Generator().manual_seed(1))
    language = model.model.language_model

    def states(group):
        batch = collate([group], start + cells + 1, tokenizer.pad_token_id)
        embedded = language.embed_tokens(batch.ids)
        embedded = torch.cat([embedded[:, :start], features, embedded[:, start + cells :]], dim=1)
        positions = image_positions(int(batch.places.max()) + 1, start, 4, 4)[:, batch.places]
        allowed = batch.allowed()
        mask = None if allowed is None else allowed[:, None]
        out = language(inputs_embeds=embedded, position_ids=positions, attention_mask=mask, use_cache=False)
        return batch, out.last_hidden_state[0]

    packed, together = states(sequences)
    for k, sequence in enumerate(sequences, start=1):
        alone, expected = states([sequence])
        own = packed.segments[0] == k
        assert torch.allclose(together[own], expected[start + cells + 1 :], atol=1e-4)
        for key in ("ids", "numbers", "points", "weights"):
            assert torch.equal(getattr(packed, key)[0, own], getattr(alone, key)[0, start + cells + 1 :])
