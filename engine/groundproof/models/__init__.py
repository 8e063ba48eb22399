"""Vision-language models behind one small interface (`base.py`). Importing this package needs no torch."""
