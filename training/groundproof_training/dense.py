"""Dense warm-up: the vision tower learns, per merged token, whether an object is centred there, which, and its box.

    groundproof-train dense --minutes 45

Trains only the tower. The heads are thrown away; what stays is a tower whose tokens carry class and box, the box
in the number code that the language model's own number embeddings use.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict
from torch import nn

from groundproof_training.cells import CELL_PX, PATCH_PX, anchor_cells
from groundproof_training.metrics.tally import Tally
from groundproof_training.model import IMAGE_MEAN, IMAGE_STD, patches_of, vision_features, vision_states
from groundproof_training.number_code import CODE_SIZE, N_NUMBERS, number_table, soft_numbers
from groundproof_training.optim import make_optimiser
from groundproof_training.pace import Pace
from groundproof_training.scenes import CLASSES
from groundproof_training.shards import Batch, Objects, Shards
from groundproof_training.starting import tower_weights

N_CLASSES = len(CLASSES)
FIRST_CONTEXT_CLASS = 4
"""Of `CLASSES`, the first that mostly is context of others."""

MASK_CELLS = 7
"""A 14 px patch reads out 7 x 7 cells of 2 px: which class covers each."""


class DenseConfig(BaseModel):
    """One dense run. Defaults are those of the shipped `tiny`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: float = 45.0
    max_steps: int = 1_000_000
    tokens_per_step: int = 768
    learning_rate: float = 1.6e-3
    warmup_steps: int = 60
    number_sigma_permille: float = 6.0
    number_weight: float = 1.5
    giou_weight: float = 2.0
    offset_weight: float = 1.0
    patch_weight: float = 1.0
    mask_weight: float = 1.0
    objectness_weight: float = 1.0
    class_weight: float = 1.0
    seed: int = 1
    floor: float = 0.02
    checkpoint_s: float = 180.0


class Targets:
    """What each anchor token and each patch should say.

    `where` (P,): flat token index over the batch, each once; `boxes_px`, `permille`, `offsets` (P, 4): the box in px,
    in per-mille of the tile, and relative to the centre of its cell in cells. `patch_boxes` (B * N, 4): the box that
    covers each 14 px patch, relative to the patch's centre in cells, in the tower's block order; `covered` (B * N,)
    says where there is one. `mask` (B * N, 49): class index + 1 of each 2 px cell, 0 for none; None without masks.
    """

    def __init__(self, batch: Batch) -> None:
        columns, rows = batch.width // CELL_PX, batch.height // CELL_PX
        where, labels, boxes = [], [], []
        for i, objects in enumerate(batch.objects):
            cells = anchor_cells(objects.boxes, batch.width, batch.height)
            keep = _one_per_cell(cells, objects)
            where.append(cells[keep] + i * columns * rows)
            labels.append(objects.labels[keep])
            boxes.append(objects.boxes[keep])
        self.where = torch.from_numpy(np.concatenate(where))
        self.labels = torch.from_numpy(np.concatenate(labels))
        self.boxes_px = torch.from_numpy(np.concatenate(boxes))
        self.size_px = torch.tensor([batch.width, batch.height] * 2, dtype=torch.float32)
        self.permille = (self.boxes_px / self.size_px * 1000).clamp(0, 999)
        cell = self.where % (columns * rows)
        centre = torch.stack([cell % columns, cell // columns] * 2, dim=-1).float() * CELL_PX + CELL_PX / 2
        self.offsets = (self.boxes_px - centre) / CELL_PX
        self._patches(batch)
        self.mask = None
        if batch.masks is not None:
            cells = _blocks(_tiles(batch.masks, MASK_CELLS))
            self.mask = torch.from_numpy(cells.reshape(-1, MASK_CELLS**2).astype(np.int64))

    def _patches(self, batch: Batch) -> None:
        """The smallest box over a patch's centre wins."""
        rows, columns = batch.height // PATCH_PX, batch.width // PATCH_PX
        covered = np.zeros((len(batch.images), rows, columns), dtype=bool)
        boxes = np.zeros((len(batch.images), rows, columns, 4), dtype=np.float32)
        for i, o in enumerate(batch.objects):
            sizes = (o.boxes[:, 2:] - o.boxes[:, :2]).prod(-1)
            for k in np.argsort(-sizes):
                x0, y0, x1, y1 = np.round(o.boxes[k] / PATCH_PX).astype(
                    int
                )  # patches whose centre lies inside
                covered[i, y0:y1, x0:x1] = True
                boxes[i, y0:y1, x0:x1] = o.boxes[k]
        y, x = np.mgrid[:rows, :columns] * float(PATCH_PX) + PATCH_PX / 2
        boxes = (boxes - np.stack([x, y, x, y], axis=-1)) / CELL_PX
        self.covered = torch.from_numpy(_blocks(covered[..., None]).reshape(-1))
        self.patch_boxes = torch.from_numpy(_blocks(boxes).reshape(-1, 4)).float()


def _tiles(masks: np.ndarray, side: int) -> np.ndarray:
    """(B, H, W) -> (B, H / side, W / side, side * side)."""
    b, h, w = masks.shape
    return (
        masks.reshape(b, h // side, side, w // side, side).swapaxes(2, 3).reshape(b, h // side, w // side, -1)
    )


def _blocks(patches: np.ndarray) -> np.ndarray:
    """(B, rows, columns, n) of patches into the tower's 2 x 2 block order (B, rows / 2, columns / 2, 2, 2, n)."""
    b, rows, columns, n = patches.shape
    return np.ascontiguousarray(patches.reshape(b, rows // 2, 2, columns // 2, 2, n).swapaxes(2, 3))


def _one_per_cell(cells: np.ndarray, objects: Objects) -> np.ndarray:
    """Indices of the objects whose boxes their cells should say: where several share a cell, the rarer kind that the
    model is for, then the largest. A token holds one box."""
    size = (objects.boxes[:, 2:] - objects.boxes[:, :2]).prod(-1)
    order = np.lexsort((-size, objects.labels >= FIRST_CONTEXT_CLASS))
    _, first = np.unique(cells[order], return_index=True)
    return order[first]


class DenseHeads(nn.Module):
    """Linear readings of one token: objectness, class, four numbers in number code, four offsets in cells; and of
    one patch: the class of each of its 2 px cells, and the edges of the box over it."""

    def __init__(self, size: int, patch_size: int) -> None:
        super().__init__()
        self.mask = nn.Linear(patch_size, MASK_CELLS**2 * (N_CLASSES + 1))
        self.patch_offsets = nn.Linear(patch_size, 4)
        self.objectness = nn.Linear(size, 1)
        self.label = nn.Linear(size, N_CLASSES)
        self.numbers = nn.Linear(size, 4 * CODE_SIZE)
        self.offsets = nn.Linear(size, 4)
        self.register_buffer("table", number_table(), persistent=False)
        nn.init.constant_(self.objectness.bias, -2.5)

    def number_logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """(P, size) -> (P, 4, 1000)."""
        code = self.numbers(tokens).view(-1, 4, CODE_SIZE)
        return 4.0 * code @ self.table.T


def giou_loss(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """1 - generalised IoU (Rezatofighi et al., 2019) of boxes (P, 4), any unit; mean."""
    inter = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    area_a = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1)
    area_b = (b[:, 2:] - b[:, :2]).prod(-1)
    union = area_a + area_b - inter
    return (1 - inter / (union + 1e-6) + (hull - union) / (hull + 1e-6)).mean()


def dense_loss(
    heads: DenseHeads, tokens: torch.Tensor, targets: Targets, cfg: DenseConfig
) -> tuple[torch.Tensor, dict[str, float]]:
    """Loss over a batch of merged tokens (B, T, size), and its parts for the log."""
    flat = tokens.flatten(0, 1)
    objectness = heads.objectness(flat).squeeze(-1)
    truth = torch.zeros_like(objectness)
    truth[targets.where] = 1
    n = max(1, len(targets.where))
    p = objectness.sigmoid()
    hard = torch.where(truth > 0, 1 - p, p).detach()  # focal, gamma 1: easy background fades out
    loss_o = (F.binary_cross_entropy_with_logits(objectness, truth, reduction="none") * hard).sum() / n * 2
    if len(targets.where) == 0:
        return loss_o * cfg.objectness_weight, {"objectness": loss_o.item()}
    loss, parts = anchor_loss(heads, flat[targets.where], targets, cfg)
    return loss + cfg.objectness_weight * loss_o, {"objectness": loss_o.item()} | parts


def anchor_loss(
    heads: DenseHeads, anchors: torch.Tensor, targets: Targets, cfg: DenseConfig
) -> tuple[torch.Tensor, dict[str, float]]:
    """What an anchor token says of its object: class, absolute box as numbers, box relative to its cell.

    anchors: tokens (P, size), in the order of `targets.where`.
    """
    loss_c = F.cross_entropy(heads.label(anchors), targets.labels)
    logits = heads.number_logits(anchors)
    log_p = logits.log_softmax(-1)
    soft = soft_numbers(targets.permille, cfg.number_sigma_permille)
    loss_n = -(soft * (log_p - soft.clamp(min=1e-9).log())).sum(-1).mean()
    expected = (log_p.exp() * torch.arange(N_NUMBERS)).sum(-1)
    loss_g = giou_loss(expected, targets.permille)
    loss_d = F.smooth_l1_loss(heads.offsets(anchors), targets.offsets, beta=0.2)
    total = (
        cfg.class_weight * loss_c
        + cfg.number_weight * loss_n
        + cfg.giou_weight * loss_g
        + cfg.offset_weight * loss_d
    )
    with torch.no_grad():
        error = (expected - targets.permille).abs().mean().item()
        error_px = ((heads.offsets(anchors) - targets.offsets).abs().mean() * CELL_PX).item()
        right = (heads.label(anchors).argmax(-1) == targets.labels).float().mean().item()
    parts = {"label": loss_c.item(), "number": loss_n.item(), "giou": loss_g.item(),
                 "error": error, "offset_px": error_px, "right": right}  # fmt: skip
    return total, parts


def patch_loss(
    heads: DenseHeads, states: torch.Tensor, targets: Targets, cfg: DenseConfig
) -> tuple[torch.Tensor, dict[str, float]]:
    """Every patch says what covers it, 2 px by 2 px, and how far the edges of the box over it are: many more places
    to learn from than one anchor per object. states: patch states before merging (B, N, vision size)."""
    flat = states.flatten(0, 1)
    loss, parts = flat.new_zeros(()), {}
    if bool(targets.covered.any()):
        edges = heads.patch_offsets(flat[targets.covered])
        loss = loss + cfg.patch_weight * F.smooth_l1_loss(
            edges, targets.patch_boxes[targets.covered], beta=0.2
        )
    if targets.mask is not None:
        logits = heads.mask(flat).view(-1, N_CLASSES + 1)
        truth = targets.mask.view(-1)
        errors = F.cross_entropy(logits, truth, reduction="none")
        inside = truth > 0
        n_inside, n_outside = int(inside.sum()), int((~inside).sum())
        # Inside and outside weigh the same, whatever a batch holds of each.
        share = torch.where(inside, 0.5 / max(1, n_inside), 0.5 / max(1, n_outside))
        loss_mask = (errors * share).sum()
        loss = loss + cfg.mask_weight * loss_mask
        parts["mask"] = loss_mask.item()
        if n_inside:
            parts["mask_right"] = (logits[inside].argmax(-1) == truth[inside]).float().mean().item()
    return loss, parts


@torch.no_grad()
def dense_tally(
    visual: nn.Module, heads: DenseHeads, batches: list[Batch], threshold: float = 0.5
) -> tuple[Tally, Tally]:
    """F1 of the tower's own readings against the truth: by the numbers, and by the offsets. The language
    model can hardly do better than the first."""
    by_number, by_offset = Tally(), Tally()
    for batch in batches:
        patches = patches_of(torch.from_numpy(batch.images), IMAGE_MEAN, IMAGE_STD)
        tokens = vision_features(visual, patches, batch.height, batch.width)
        columns = batch.width // CELL_PX
        size = torch.tensor([batch.width, batch.height] * 2, dtype=torch.float32)
        for i, objects in enumerate(batch.objects):
            keep = (
                heads.objectness(tokens[i]).squeeze(-1) > math.log(threshold / (1 - threshold))
            ).nonzero()[:, 0]
            labels = heads.label(tokens[i][keep]).argmax(-1).numpy()
            numbers = heads.number_logits(tokens[i][keep]).argmax(-1).float() / 1000 * size
            centre = torch.stack([keep % columns, keep // columns] * 2, dim=-1) * CELL_PX + CELL_PX / 2
            offsets = heads.offsets(tokens[i][keep]) * CELL_PX + centre
            by_number.add(numbers.numpy(), labels, objects.boxes, objects.labels)
            by_offset.add(offsets.numpy(), labels, objects.boxes, objects.labels)
    return by_number, by_offset


def train_dense(
    visual: nn.Module, shards_dir: Path, out: Path, cfg: DenseConfig, start: Path | None = None
) -> Iterator[str]:
    """Train the tower in place until the minutes or steps are up; checkpoints to `out`, resumes from it.

    start: the checkpoint of another dense run, or a model folder, whose tower this one begins with; heads begin anew.
    """
    torch.manual_seed(cfg.seed)
    heads = DenseHeads(visual.config.out_hidden_size, visual.config.hidden_size)
    optimiser = make_optimiser([visual, heads], cfg.learning_rate)
    base = [group["lr"] for group in optimiser.param_groups]
    step, spent = 0, 0.0
    if start is not None and not out.exists():
        visual.load_state_dict(tower_weights(start))
        yield f"the tower begins as that of {start}"
    if out.exists():
        state = torch.load(out, weights_only=True)
        visual.load_state_dict(state["visual"])
        heads.load_state_dict(state["heads"])
        optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["spent_s"]
        yield f"resumed at step {step}, {spent:.0f} s spent"
    shards = Shards(shards_dir)
    check_rng = np.random.default_rng(0)
    checks = [shards.draw(check_rng, 1000) for _ in range(8)]
    rng = np.random.default_rng([cfg.seed, step])
    parameters = [*visual.parameters(), *heads.parameters()]
    pace = Pace(cfg.minutes, cfg.max_steps, cfg.checkpoint_s, step, spent)
    while pace.going:
        if pace.step and pace.step % 400 == 0:
            shards = Shards(shards_dir)  # more may have been rendered meanwhile
        batch = shards.draw(rng, cfg.tokens_per_step)
        targets = Targets(batch)
        patches = patches_of(torch.from_numpy(batch.images), IMAGE_MEAN, IMAGE_STD)
        states, tokens = vision_states(visual, patches, batch.height, batch.width)
        loss, parts = dense_loss(heads, tokens, targets, cfg)
        loss_patch, patch_parts = patch_loss(heads, states, targets, cfg)
        optimiser.zero_grad(set_to_none=True)
        (loss + loss_patch).backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        factor = pace.factor(cfg.warmup_steps, cfg.floor)
        for group, lr in zip(optimiser.param_groups, base, strict=True):
            group["lr"] = lr * factor
        optimiser.step()
        line = pace.stepped(len(batch.images), parts | patch_parts, factor)
        if line:
            yield line
        if pace.save_due():
            save_dense(out, visual, heads, optimiser, pace.step, pace.spent_s)
            numbers, offsets = dense_tally(visual, heads, checks)
            yield f"  check: F1@0.5 by numbers {numbers.f1:.3f}, by offsets {offsets.f1:.3f} ({numbers.line()})"


def save_dense(
    path: Path, visual: nn.Module, heads: nn.Module, optimiser: object, step: int, spent_s: float
) -> None:
    """Checkpoint, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    torch.save({"visual": visual.state_dict(), "heads": heads.state_dict(), "optimiser": optimiser.state_dict(),
                    "step": step, "spent_s": spent_s}, temporary)  # fmt: skip
    temporary.rename(path)
