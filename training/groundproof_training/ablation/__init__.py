"""The published ablation at small scale: what a chain of thought, GRPO, its KL and a faithfulness reward contribute."""
