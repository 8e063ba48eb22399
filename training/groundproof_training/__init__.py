"""Makes the models that `groundproof` runs: procedural scenes, Geo-CoT data, training stages, evaluation."""
