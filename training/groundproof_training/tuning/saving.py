"""Checkpoints that a full disk does not spoil, and the folder that a finished run leaves for `--model`.

Knows files and disks. Refuses to know how the weights came about.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomli_w
import torch

from groundproof.models.profiles import PROFILES, Profile
from groundproof.models.resolve import PROFILE_FILE
from groundproof_training.errors import TrainingError
from groundproof_training.tuning.checkpoint import Checkpoint, end_with
from groundproof_training.tuning.processor import copy_texts

Say = Callable[[str], None]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = ("no space left", "disk quota", "file write failed", "failed writing file", "file too large")
"""What safetensors and torch say of a full disk, which they raise as errors of their own kinds."""

COMPLETE = "trainer_state.json"
"""The last file that the trainer writes into a checkpoint."""


def disk_is_full(err: BaseException) -> bool:
    """Whether an error while writing means that there was no room."""
    if isinstance(err, OSError) and err.errno in FULL:
        return True
    return any(words in str(err).lower() for words in FULL_WORDS)


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest complete one."""
    complete = [path for path in folder.glob("checkpoint-*") if (path / COMPLETE).is_file()]
    return max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def remove_incomplete(folder: Path, say: Say) -> None:
    """Take away what a kill in the middle of saving left."""
    for path in folder.glob("checkpoint-*"):
        if not (path / COMPLETE).is_file():
            say(f"{path.name} is incomplete and was removed")
            shutil.rmtree(path, ignore_errors=True)


class CarefulSaving:
    """Of a trainer: a checkpoint that does not fit on the disk is taken away again, said, and the run goes on with
    the earlier one kept."""

    say: Say = staticmethod(print)
    left_out_checkpoints: int = 0

    def _save_checkpoint(self, model: Any, trial: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super()._save_checkpoint(model, trial, *args, **kwargs)  # type: ignore[misc]
        except Exception as err:
            if not disk_is_full(err):
                raise
            folder = Path(self.args.output_dir)  # type: ignore[attr-defined]
            step = self.state.global_step  # type: ignore[attr-defined]
            shutil.rmtree(folder / f"checkpoint-{step}", ignore_errors=True)
            kept = newest_checkpoint(folder)
            self.left_out_checkpoints += 1
            self.say(
                f"the disk is full: the checkpoint of step {step} was not kept, "
                f"{f'{kept.name} is' if kept else 'there is no earlier one'}. "
                f"Training goes on; make room in {folder} ({shutil.disk_usage(folder).free / 1e9:.1f} GB are free)"
            )


def profile_table(profile: Profile) -> dict[str, Any]:
    """The profile as a user's file beside the weights says it."""
    if PROFILES.get(profile.name) == profile:
        return {"base": profile.name}
    return profile.model_dump(mode="json", exclude={"name", "weights_run"}, exclude_none=True)


def write_folder(
    model: Any, state: dict[str, torch.Tensor] | None, point: Checkpoint, dtype: torch.dtype, out: Path
) -> None:
    """Weights (safetensors, `dtype`), configurations, tokenizer and profile into `out`, complete or not at all.

    state: the model's whole state, gathered; None: the model's own. Raises TrainingError when the disk is full.
    """
    half = out / "unfinished"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        state = model.state_dict() if state is None else state
        state = {key: value.detach().to("cpu", dtype).contiguous() for key, value in state.items()}
        end_with(model, point)
        model.save_pretrained(half, state_dict=state)
        _say_dtype(half / "config.json", dtype)
        copy_texts(point.folder, half)
        (half / PROFILE_FILE).write_text(tomli_w.dumps(profile_table(point.profile)), encoding="utf-8")
    except Exception as err:
        shutil.rmtree(half, ignore_errors=True)
        if disk_is_full(err):
            raise TrainingError(
                f"the disk is full, so the finished model could not be written to {out}; the last checkpoint is kept: "
                "make room and run the same command with --resume"
            ) from err
        raise
    for old in (*out.glob("*.safetensors"), *out.glob("*.safetensors.index.json")):
        old.unlink()
    for path in half.iterdir():
        path.replace(out / path.name)
    half.rmdir()


def _say_dtype(path: Path, dtype: torch.dtype) -> None:
    """vLLM takes the number format from here."""
    config = json.loads(path.read_text(encoding="utf-8"))
    name = str(dtype).removeprefix("torch.")
    for part in (config, config.get("text_config"), config.get("vision_config")):
        if isinstance(part, dict) and "dtype" in part:
            part["dtype"] = name
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
