"""Dense warm-up: the vision tower learns, per merged token, whether an object is centred there, which, and its box.

    groundproof-train dense --minutes 35

Trains only the tower. The heads are thrown away; what stays is a tower whose tokens carry class and box, the box
in the number code that the language model's own number embeddings use.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict
from torch import nn

from groundproof_training.matching import Tally
from groundproof_training.model import (
    CELL_PX,
    IMAGE_MEAN,
    IMAGE_STD,
    patches_of,
    vision_features,
    vision_states,
    whiten_patches,
)
from groundproof_training.number_code import CODE_SIZE, N_NUMBERS, number_table, soft_numbers
from groundproof_training.optim import make_optimiser, schedule
from groundproof_training.shards import Batch, Shards

N_CLASSES = 4


class DenseConfig(BaseModel):
    """One dense run. Defaults are those of the shipped `tiny`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: float = 35.0
    max_steps: int = 1_000_000
    tokens_per_step: int = 768
    learning_rate: float = 1.6e-3
    warmup_steps: int = 60
    number_sigma_permille: float = 6.0
    number_weight: float = 0.5
    giou_weight: float = 2.0
    offset_weight: float = 1.0
    patch_weight: float = 1.0
    whiten: bool = False
    objectness_weight: float = 1.0
    class_weight: float = 1.0
    seed: int = 1
    checkpoint_s: float = 120.0


class Targets:
    """What each anchor token should say.

    `where` (P,): flat token index over the batch; `boxes_px`, `permille`, `offsets` (P, 4): the box in px, in
    per-mille of the tile, and relative to the centre of its cell in cells.
    """

    def __init__(self, batch: Batch) -> None:
        columns, rows = batch.width // CELL_PX, batch.height // CELL_PX
        where, labels, boxes = [], [], []
        for i, objects in enumerate(batch.objects):
            cells = anchor_cells(objects.boxes, batch.width, batch.height)
            where.append(cells + i * columns * rows)
            labels.append(objects.labels)
            boxes.append(objects.boxes)
        self.where = torch.from_numpy(np.concatenate(where))
        self.labels = torch.from_numpy(np.concatenate(labels))
        self.boxes_px = torch.from_numpy(np.concatenate(boxes))
        self.size_px = torch.tensor([batch.width, batch.height] * 2, dtype=torch.float32)
        self.permille = (self.boxes_px / self.size_px * 1000).clamp(0, 999)
        cell = self.where % (columns * rows)
        centre = torch.stack([cell % columns, cell // columns] * 2, dim=-1).float() * CELL_PX + CELL_PX / 2
        self.offsets = (self.boxes_px - centre) / CELL_PX
        self._patches(batch)

    def _patches(self, batch: Batch) -> None:
        """Per 14 px patch, in the tower's block order: label (B * N,), 0 for none else class + 1, and, where there is
        an object, its box relative to the patch centre in cells (B * N, 4). The smallest box wins."""
        rows, columns = batch.height // 14, batch.width // 14
        labels = np.zeros((len(batch.images), rows, columns), dtype=np.int64)
        boxes = np.zeros((len(batch.images), rows, columns, 4), dtype=np.float32)
        for i, o in enumerate(batch.objects):
            sizes = (o.boxes[:, 2:] - o.boxes[:, :2]).prod(-1)
            for k in np.argsort(-sizes):
                x0, y0, x1, y1 = np.round(o.boxes[k] / 14).astype(int)  # patches whose centre lies inside
                labels[i, y0:y1, x0:x1] = o.labels[k] + 1
                boxes[i, y0:y1, x0:x1] = o.boxes[k]
        y, x = np.mgrid[:rows, :columns] * 14.0 + 7
        boxes = (boxes - np.stack([x, y, x, y], axis=-1)) / CELL_PX
        block = lambda a: a.reshape(len(a), rows // 2, 2, columns // 2, 2, -1).swapaxes(2, 3)  # noqa: E731
        self.patch_labels = torch.from_numpy(block(labels).reshape(-1))
        self.patch_boxes = torch.from_numpy(block(boxes).reshape(-1, 4)).float()


def anchor_cells(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Row-major index of the 28 px cell that holds the centre of each box (n, 4) px."""
    columns, rows = width // CELL_PX, height // CELL_PX
    x = np.clip((boxes[:, 0] + boxes[:, 2]) / 2 // CELL_PX, 0, columns - 1)
    y = np.clip((boxes[:, 1] + boxes[:, 3]) / 2 // CELL_PX, 0, rows - 1)
    return (y * columns + x).astype(np.int64)


class DenseHeads(nn.Module):
    """Linear readings of one token: objectness, class, four numbers in number code, four offsets in cells."""

    def __init__(self, size: int, patch_size: int) -> None:
        super().__init__()
        self.patch_label = nn.Linear(patch_size, N_CLASSES + 1)
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
    hard = torch.where(truth > 0, 1 - p, p).detach() ** 1.0  # focal, gamma 1: easy background fades out
    loss_o = (F.binary_cross_entropy_with_logits(objectness, truth, reduction="none") * hard).sum() / n * 2
    if len(targets.where) == 0:
        return loss_o * cfg.objectness_weight, {"objectness": loss_o.item()}
    anchors = flat[targets.where]
    loss_c = F.cross_entropy(heads.label(anchors), targets.labels)
    logits = heads.number_logits(anchors)
    log_p = logits.log_softmax(-1)
    soft = soft_numbers(targets.permille, cfg.number_sigma_permille)
    loss_n = -(soft * (log_p - soft.clamp(min=1e-9).log())).sum(-1).mean()
    expected = (log_p.exp() * torch.arange(N_NUMBERS)).sum(-1)
    loss_g = giou_loss(expected, targets.permille)
    loss_d = F.smooth_l1_loss(heads.offsets(anchors), targets.offsets, beta=0.2)
    total = (
        cfg.objectness_weight * loss_o
        + cfg.class_weight * loss_c
        + cfg.number_weight * loss_n
        + cfg.giou_weight * loss_g
        + cfg.offset_weight * loss_d
    )
    with torch.no_grad():
        error = (expected - targets.permille).abs().mean().item()
        error_px = ((heads.offsets(anchors) - targets.offsets).abs().mean() * CELL_PX).item()
        right = (heads.label(anchors).argmax(-1) == targets.labels).float().mean().item()
    parts = {"objectness": loss_o.item(), "label": loss_c.item(), "number": loss_n.item(), "giou": loss_g.item(),
                 "error": error, "offset_px": error_px, "right": right}  # fmt: skip
    return total, parts


def patch_loss(
    heads: DenseHeads, states: torch.Tensor, targets: Targets
) -> tuple[torch.Tensor, dict[str, float]]:
    """Every patch under an object says which and how far its edges are: many more places to learn from than
    one anchor per object. states: patch states before merging (B, N, vision size)."""
    flat = states.flatten(0, 1)
    logits, truth = heads.patch_label(flat), targets.patch_labels
    covered = truth > 0
    share = 1.0 / max(1, int(covered.sum()))
    errors = F.cross_entropy(logits, truth, reduction="none")
    loss = (errors * covered).sum() * share + (errors * ~covered).sum() / max(1, int((~covered).sum()))
    if bool(covered.any()):
        loss = loss + F.smooth_l1_loss(
            heads.patch_offsets(flat[covered]), targets.patch_boxes[covered], beta=0.2
        )
    right = (
        (logits[covered].argmax(-1) == truth[covered]).float().mean().item() if bool(covered.any()) else 1.0
    )
    return loss, {"patch": loss.item(), "patch_right": right}


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


def train_dense(visual: nn.Module, shards_dir: Path, out: Path, cfg: DenseConfig) -> Iterator[str]:
    """Train the tower in place until the minutes or steps are up; checkpoints to `out`, resumes from it."""
    torch.manual_seed(cfg.seed)
    heads = DenseHeads(visual.config.out_hidden_size, visual.config.hidden_size)
    optimiser = make_optimiser([visual, heads], cfg.learning_rate)
    base = [group["lr"] for group in optimiser.param_groups]
    step, spent = 0, 0.0
    shards = Shards(shards_dir)
    check_rng = np.random.default_rng(0)
    checks = [shards.draw(check_rng, 1000) for _ in range(4)]
    if cfg.whiten and not out.exists():
        sample = [shards.draw(check_rng, 1000).images for _ in range(8)]
        patches = [patches_of(torch.from_numpy(i), IMAGE_MEAN, IMAGE_STD).flatten(0, 1) for i in sample]
        whiten_patches(visual, torch.cat(patches))
    if out.exists():
        state = torch.load(out, weights_only=True)
        visual.load_state_dict(state["visual"])
        heads.load_state_dict(state["heads"])
        if state["optimiser"]:
            optimiser.load_state_dict(state["optimiser"])
        step, spent = state["step"], state["spent_s"]
        yield f"resumed at step {step}, {spent:.0f} s spent"
    rng = np.random.default_rng([cfg.seed, step])
    budget = cfg.minutes * 60
    started = time.monotonic() - spent
    saved = logged = time.monotonic()
    seen, mean = 0, {}
    while step < cfg.max_steps and time.monotonic() - started < budget:
        if step and step % 400 == 0:
            shards = Shards(shards_dir)  # more may have been rendered meanwhile
        batch = shards.draw(rng, cfg.tokens_per_step)
        targets = Targets(batch)
        patches = patches_of(torch.from_numpy(batch.images), IMAGE_MEAN, IMAGE_STD)
        states, tokens = vision_states(visual, patches, batch.height, batch.width)
        loss, parts = dense_loss(heads, tokens, targets, cfg)
        loss_patch, patch_parts = patch_loss(heads, states, targets)
        loss = loss + cfg.patch_weight * loss_patch
        parts.update(patch_parts)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*visual.parameters(), *heads.parameters()], 5.0)
        progress = (time.monotonic() - started) / budget
        factor = min(
            schedule(step, cfg.max_steps, cfg.warmup_steps), max(0.02, min(1.0, (1 - progress) / 0.6))
        )
        for group, lr in zip(optimiser.param_groups, base, strict=True):
            group["lr"] = lr * factor
        optimiser.step()
        step += 1
        seen += len(batch.images)
        for key, value in parts.items():
            mean.setdefault(key, []).append(value)
        now = time.monotonic()
        last = step >= cfg.max_steps or now - started >= budget
        if now - logged > 30 or last:
            line = " ".join(f"{key} {np.mean(values):.3f}" for key, values in mean.items())
            rate, left = seen / (now - logged), budget - now + started
            yield f"step {step} {rate:.1f} images/s lr x{factor:.2f} {left:.0f} s left: {line}"
            logged, seen, mean = now, 0, {}
        if now - saved > cfg.checkpoint_s or last:
            saved = now
            save_dense(out, visual, heads, optimiser, step, now - started)
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
