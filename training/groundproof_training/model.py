"""The shape of `tiny` and its first weights: transformers' own `Glm4vForConditionalGeneration`, nothing added.

Only the initialisation differs from the stock one, for measured reasons (see the functions). Anything that is
needed in training alone (heads, faster forward passes) lives in the modules of the stages.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict
from torch import nn
from transformers import Glm4vConfig, Glm4vForConditionalGeneration
from transformers.models.glm4v.modeling_glm4v import Glm4vVisionModel
from transformers.vision_utils import get_vision_position_ids

from groundproof_training.cells import CELL_PX, PATCH_PX
from groundproof_training.number_code import CODE_SIZE, number_table

IMAGE_MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])
IMAGE_STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])
"""CLIP's statistics, the defaults of transformers' GLM-4V image processor; RGB, of values 0..1."""


class TinyConfig(BaseModel):
    """Sizes of the model. Defaults are those of the shipped `tiny`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vision_layers: int = 6
    vision_size: int = 192
    vision_heads: int = 6
    local_heads: int = 4
    text_layers: int = 6
    text_size: int = 256
    text_heads: int = 4
    text_kv_heads: int = 2
    text_mlp: int = 512
    image_size: int = 336
    init_seed: int = 0


def glm4v_config(cfg: TinyConfig, vocab_size: int, ids: dict[str, int]) -> Glm4vConfig:
    """transformers' configuration; `ids` maps special token text to id."""
    rotary = cfg.text_size // cfg.text_heads // 4  # head_dim * partial_rotary_factor / 2
    temporal = rotary // 4
    side = (rotary - temporal) // 2
    return Glm4vConfig(
        text_config={
            "vocab_size": vocab_size,
            "hidden_size": cfg.text_size,
            "intermediate_size": cfg.text_mlp,
            "num_hidden_layers": cfg.text_layers,
            "num_attention_heads": cfg.text_heads,
            "num_key_value_heads": cfg.text_kv_heads,
            "max_position_embeddings": 2048,
            "pad_token_id": ids["<|endoftext|>"],
            "eos_token_id": [ids["<|endoftext|>"], ids["<|user|>"]],
            # Positions of a few hundred tokens and image cells of 6 to 12 per side: the usual base of 10,000
            # would leave the height and width parts practically constant.
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 100.0,
                "partial_rotary_factor": 0.5,
                "mrope_section": [rotary - 2 * side, side, side],
            },
        },
        vision_config={
            "depth": cfg.vision_layers,
            "hidden_size": cfg.vision_size,
            "num_heads": cfg.vision_heads,
            "image_size": cfg.image_size,
            "out_hidden_size": cfg.text_size,
            "intermediate_size": 2 * cfg.text_size,
            "rope_parameters": {"rope_type": "axial", "rope_theta": 100.0},
        },
        image_token_id=ids["<|image|>"],
        video_token_id=ids["<|video|>"],
        image_start_token_id=ids["<|begin_of_image|>"],
        image_end_token_id=ids["<|end_of_image|>"],
        video_start_token_id=ids["<|begin_of_video|>"],
        video_end_token_id=ids["<|end_of_video|>"],
        eos_token_id=[ids["<|endoftext|>"], ids["<|user|>"]],
        pad_token_id=ids["<|endoftext|>"],
    )


def sincos_positions(side: int, size: int) -> torch.Tensor:
    """2-D sin-cos position table (side * side, size) in row-major order, components of order one.

    Wavelengths from twice the image down to a sixth of it: the stock table (std 0.02) is drowned by the patch
    embedding, and boxes then stay at chance (docs/LOG.md).
    """
    n = size // 4
    waves = 2.0 * (1 / 12.0) ** (torch.arange(n) / (n - 1))
    angles = (torch.arange(side) + 0.5)[:, None] / side * (2 * math.pi / waves)[None]
    code = torch.cat([angles.sin(), angles.cos()], dim=-1)
    rows = code[:, None].expand(side, side, 2 * n)
    columns = code[None].expand(side, side, 2 * n)
    return torch.cat([rows, columns], dim=-1).reshape(side * side, 4 * n)


def number_rows(size: int, seed: int = 0) -> torch.Tensor:
    """The number code carried into the embedding space: (1000, size), row norm sqrt(size)."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(size, CODE_SIZE, generator=generator)).Q.T
    return number_table() @ basis * math.sqrt(size)


def _init_linear(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=1 / math.sqrt(part.in_features))
            if part.bias is not None:
                nn.init.zeros_(part.bias)


NEIGHBOURS = (
    ((0, 1), (0, -1), (1, 0), (-1, 0)),
    ((1, 1), (-1, -1), (1, -1), (-1, 1)),
    ((0, 2), (0, -2), (2, 0), (-2, 0)),
    ((2, 2), (-2, -2), (2, -2), (-2, 2)),
    ((0, 3), (0, -3), (3, 0), (-3, 0)),
)
"""Row and column offset, in patches, at which each local head of a layer looks first; layers repeat the list."""


@torch.no_grad()
def look_local(visual: Glm4vVisionModel, heads: int, constant: float = 3.0, sharpness: float = 3.0) -> None:
    """Make the first `heads` heads of every layer begin as shifts by one patch offset, in place.

    A tower that starts from random attention spends most of a short training finding out which patches are
    neighbours; a convolution knows (compare d'Ascoli et al., ConViT, 2021). Stock rotary attention can know it too:
    one component of the residual stream is the same everywhere (`constant`, put into the position table), so the
    columns of that component in the query and key matrices act as biases, and the rotary product of two fixed
    vectors is a function of the offset alone, sum of cos(frequency * (offset - wanted)). The slowest frequencies
    enter with the opposite sign, so that the score at the wanted offset is about 0 and a key's own size hardly
    matters. Everything stays trainable and nothing is added to the architecture.
    """
    side = visual.config.hidden_size // visual.config.num_heads
    axis = side // 4
    frequency = visual.config.rope_parameters["rope_theta"] ** (-torch.arange(axis) / axis)
    near, slow = (frequency > 0.15).float(), (frequency < 0.04).float()
    if not slow.any():
        slow[-1] = 1.0
    slow *= (near.sum() / slow.sum()).sqrt()
    table = visual.embeddings.position_embedding.weight
    size = table.shape[1]
    table[:, -1] = constant
    for depth, block in enumerate(visual.blocks):
        # The component as the norm before attention shows it: patches and positions add about 1.5 to the mean square.
        seen = constant / math.sqrt(1.5 + constant**2 / size + 0.5 * depth / len(visual.blocks))
        scale = math.sqrt(sharpness * math.sqrt(side)) / seen
        query, key, _ = block.attn.qkv.weight.view(3, visual.config.num_heads, side, size)
        for head, (down, right) in zip(range(heads), NEIGHBOURS[depth % len(NEIGHBOURS)], strict=False):
            query[head] *= 0.3
            key[head] *= 0.3
            turn_y, turn_x = -frequency * down, -frequency * right
            still = torch.zeros(axis)
            query[head, :, -1] = scale * torch.cat([near + slow, near + slow, still, still])
            key[head, :, -1] = scale * torch.cat(
                [
                    near * turn_y.cos() - slow,
                    near * turn_x.cos() - slow,
                    near * turn_y.sin(),
                    near * turn_x.sin(),
                ]
            )
        block.attn.proj.weight[-1] = 0
        block.mlp.down_proj.weight[-1] = 0


def init_vision(visual: Glm4vVisionModel, local_heads: int = 0) -> None:
    """First weights of the vision tower, in place; `local_heads`: see `look_local`."""
    _init_linear(visual)
    depth = len(visual.blocks)
    for block in visual.blocks:
        for out in (block.attn.proj, block.mlp.down_proj):
            out.weight.data.mul_(1 / math.sqrt(2 * depth))
    weight = visual.patch_embed.proj.weight
    nn.init.normal_(weight, std=1 / math.sqrt(weight[0].numel() / 2))
    table = visual.embeddings.position_embedding.weight
    table.data.copy_(sincos_positions(int(math.sqrt(table.shape[0])), table.shape[1]))
    fan = visual.downsample.weight[0].numel()
    nn.init.normal_(visual.downsample.weight, std=1 / math.sqrt(fan))
    look_local(visual, local_heads)


def init_language(model: Glm4vForConditionalGeneration, first_number_id: int) -> None:
    """First weights of the language model, in place; `first_number_id` is the id of "0", 1..999 follow it."""
    language = model.model.language_model
    _init_linear(language)
    size = language.embed_tokens.weight.shape[1]
    rows = number_rows(size)
    nn.init.normal_(language.embed_tokens.weight, std=1.0)
    nn.init.normal_(model.lm_head.weight, std=0.5 / math.sqrt(size))
    numbers = slice(first_number_id, first_number_id + len(rows))
    language.embed_tokens.weight.data[numbers] = rows
    # A hidden state that equals a number's code scores 10 for that number and less for its neighbours.
    model.lm_head.weight.data[numbers] = rows * (10 / size)
    for layer in language.layers:
        # GLM's sandwich norms make every sublayer add vectors of RMS = weight; ones would drown the embeddings.
        nn.init.constant_(layer.post_self_attn_layernorm.weight, 0.4)
        nn.init.constant_(layer.post_mlp_layernorm.weight, 0.4)


def make_model(
    cfg: TinyConfig, vocab_size: int, ids: dict[str, int], first_number_id: int
) -> Glm4vForConditionalGeneration:
    """An untrained model with the initialisation described above, float32, in training mode."""
    torch.manual_seed(cfg.init_seed)
    config = glm4v_config(cfg, vocab_size, ids)
    config._attn_implementation = "sdpa"  # noqa: SLF001 - transformers has no public setter
    model = Glm4vForConditionalGeneration(config)
    init_vision(model.model.visual, cfg.local_heads)
    init_language(model, first_number_id)
    return model.train()


def patch_weight(visual: Glm4vVisionModel) -> torch.Tensor:
    """The Conv3d patch embedding as a matrix (hidden, 3 * 14 * 14) for a still image.

    A still image fills the two temporal slots with the same frame, so the two slices are summed once. The
    Conv3d's backward pass dominates a small tower on CPU; the matrix makes the tower about four times faster.
    """
    return visual.patch_embed.proj.weight.sum(dim=2).flatten(1)


def patches_of(images: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """uint8 (B, H, W, 3) -> normalised patches (B, H/14 * W/14, 3 * 14 * 14) in the tower's 2 x 2 block order."""
    b, h, w, _ = images.shape
    x = (images.float() / 255 - mean) / std
    x = x.view(b, h // CELL_PX, 2, PATCH_PX, w // CELL_PX, 2, PATCH_PX, 3).permute(0, 1, 4, 2, 5, 7, 3, 6)
    return x.reshape(b, (h // PATCH_PX) * (w // PATCH_PX), 3 * PATCH_PX**2)


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary positions on (..., tokens, head size), halves paired; cos and sin are (tokens, head size / 2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def vision_features(visual: Glm4vVisionModel, patches: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Merged tokens (B, H/28 * W/28, text size) of a batch of equal-sized tiles; see `vision_states`."""
    return vision_states(visual, patches, height, width)[1]


def vision_states(
    visual: Glm4vVisionModel, patches: torch.Tensor, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Patch states before merging (B, H/14 * W/14, vision size), in block order, and the merged tokens.

    The same numbers as `visual(...).pooler_output`, from the same weights, but with one batched attention call
    per layer instead of one per image. height, width: pixels.
    """
    b, n, _ = patches.shape
    grid = torch.tensor([[1, height // PATCH_PX, width // PATCH_PX]])
    positions = get_vision_position_ids(grid, visual.spatial_merge_size)
    x = F.linear(patches, patch_weight(visual), visual.patch_embed.proj.bias)
    x = visual.post_conv_layernorm(x)
    cos, sin = visual.rotary_pos_emb(x, positions)
    place = visual.embeddings(x.new_zeros(n, x.shape[-1]), [n], grid, positions[:, 0], positions[:, 1])
    x = x + place
    cos, sin = cos.chunk(2, dim=-1)[0], sin.chunk(2, dim=-1)[0]  # the two halves are equal
    for block in visual.blocks:
        heads = block.attn.num_heads
        qkv = block.attn.qkv(block.norm1(x)).view(b, n, 3, heads, -1).permute(2, 0, 3, 1, 4)
        q, k = _rotate(qkv[:2], cos, sin)
        v = qkv[2]
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, -1)
        x = x + block.attn.proj(mixed)
        x = x + block.mlp(block.norm2(x))
    x = visual.post_layernorm(x)
    # 2 x 2 convolution with stride 2 over blocks that already lie together: a matrix product.
    down = visual.downsample
    blocks = x.view(b, n // 4, 4, -1).transpose(2, 3).reshape(b, n // 4, -1)
    merged = F.linear(blocks, down.weight.flatten(1), down.bias)
    return x, visual.merger(merged)
