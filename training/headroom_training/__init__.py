"""Everything that makes the model Headroom bundles: data, tokenizer, teachers, training, export, measurement.

The way of a model, one command a stage (`python -m headroom_training STAGE --help`):

    data -> tokenizer -> teacher -> label -> train (encoder) -> train (decoder) -> export -> evaluate

Each stage reads what the one before left in the work folder (`--work`, default `runs/default`) and can be
stopped and started again.
"""

__version__ = "0.1.0"
