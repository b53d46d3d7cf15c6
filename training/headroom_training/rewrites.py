"""Stage `rewrites`: what the model makes of dev texts, for a person to read."""

from .evaluate import Rewrites


def run(args):
    Rewrites(args).print()
