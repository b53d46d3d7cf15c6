"""Everything that makes the model Headroom bundles: labels, tokenizer, training, export, measurement.

The way of a model, one command a stage (`python -m headroom_training STAGE --help`):

    (parse ->) silver -> learn -> export -> parity -> evaluate

Each stage reads what the one before left in the work folder (`--work`, default `runs/default`).
"""

__version__ = "0.2.0"
