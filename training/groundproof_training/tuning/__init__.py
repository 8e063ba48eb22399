"""Training a vision-language model on samples with TRL: supervised fine-tuning, then GRPO."""
