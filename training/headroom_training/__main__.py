"""`python -m headroom_training STAGE`: see --help, and README.md for the whole recipe."""

import argparse
import importlib

DEFAULT_WORK = "runs/default"


def main():
    parser = argparse.ArgumentParser(prog="headroom_training", description="Trains the model that Headroom bundles.")
    parser.add_argument("--work", default=DEFAULT_WORK, help=f"folder for everything made (default {DEFAULT_WORK})")
    parser.add_argument("--data", default="../shared/data", help="folder with parses/, pairs/, text/ and dev/")
    parser.add_argument("--name", default="syntax", help="name of the checkpoint in the work folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of what is measured")
    parser.add_argument("--vocabulary", type=int, default=16000, help="pieces of the tokenizer")
    parser.add_argument("--max-tokens", type=int, default=128, help="pieces of the longest statement")
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for name, (module, text, options) in STAGES.items():
        stage = stages.add_parser(name, help=text, description=text,
                                  formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        stage.set_defaults(module=module)
        for flag, details in options.items():
            stage.add_argument(flag, **details)
    args = parser.parse_args()
    importlib.import_module(f"headroom_training.{args.module}").run(args)


def number(default, text, kind=float):
    return {"type": kind, "default": default, "help": text}


OUT = {"--out": {"default": None, "help": "folder of the export; default WORK/export"}}
STAGES = {
    "parse": ("parse", "parse more text into silver syntax (the parser teaches)", {
        "--sources": {"default": "nltk_general,repo_markdown,rust_docs,halueval_chatgpt_replies,sgd_dialogues",
                      "help": "files under text/"},
        "--tokens": number(0, "words a source at most, 0 = all", int)}),
    "silver": ("silver", "learn the tokenizer, and bring silver syntax to its pieces", {}),
    "learn": ("learn", "train; goes on from the checkpoint where one is", {
        "--seconds": number(5000.0, "training time that the schedule is made for, all runs together"),
        "--layers": number(4, "encoder layers", int), "--dropout": number(0.0, "share of states dropped"),
        "--rate": number(1e-3, "peak learning rate"), "--batch": number(2560, "pieces a step", int),
        "--start-vectors": {"action": argparse.BooleanOptionalAction, "default": True,
                            "help": "begin with MiniLM's view of each piece"},
        "--begin-with": {"default": None, "help": "go on from the weights of this published folder, in its shape"},
        "--save": number(300.0, "seconds between checkpoints")}),
    "export": ("export", "write the layout of LAYOUT.md from a checkpoint", {
        **OUT, "--version": {"default": "0.4.0", "help": "model version"},
        "--licence": {"default": "Apache-2.0", "help": "licence of the weights"},
        "--trained-on": {"default": "see MODEL_CARD.md", "help": "the data in a line"},
        "--recipe": {"default": None, "help": "commit that made it; default git's HEAD"},
        "--fp32": {"action": "store_true", "help": "leave out the quantization"}}),
    "parity": ("parity", "compare an export with its checkpoint and write parity.json", OUT),
    "evaluate": ("evaluate", "measure an export; needs `cargo build --example forms`", {
        **OUT, "--tables": {"default": "syntax,optional,sound,deletion,determinism,speed", "help": "which tables"},
        "--certain": {"default": "0.5", "help": "certainties beside 0 at which constituents are told"},
        "--limit": number(0, "held-out sentences, 0 = all", int),
        "--rounds": number(15, "rounds of the speed table", int),
        "--stock": {"default": None, "help": "a T5-small exported by optimum (stock.py), to be timed beside"},
        "--json": {"default": None, "help": "also write the tables here"}}),
    "smoke": ("smoke", "every stage but `parse` on a few made-up sentences, in half a minute", {}),
}

if __name__ == "__main__":
    main()
