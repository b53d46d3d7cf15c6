"""`python -m headroom_training STAGE`: see --help, and README.md for the whole recipe."""

import argparse
import importlib

DEFAULT_WORK = "runs/default"


def main():
    parser = argparse.ArgumentParser(prog="headroom_training", description="Trains the model that Headroom bundles.")
    parser.add_argument("--work", default=DEFAULT_WORK, help=f"folder for everything made (default {DEFAULT_WORK})")
    parser.add_argument("--data", default="../shared/data", help="folder with pairs/, text/ and dev/")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the heavy stages")
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


FORCE = {"--force": {"action": "store_true", "help": "make it again"}}
STAGES = {
    "data": ("data", "cut the data folder into segments, without what the dev sets hold", {
        **FORCE, "--scale": number(1.0, "share of each source's text"),
        "--sentences": number(0, "single sentences that come first, cut from the segments", int)}),
    "tokenizer": ("tokenizer", "learn the byte-level BPE vocabulary", {
        **FORCE, "--vocabulary": number(16000, "pieces", int)}),
    "teacher": ("teacher", "fine-tune MiniLM as a keep/drop tagger", {
        **FORCE, "--rate": number(2e-4, "peak learning rate"), "--epochs": number(2, "passes", int),
        "--batch": number(2048, "pieces a step", int), "--frozen": number(3, "lower layers left as they are", int),
        "--decay": number(0.85, "learning rate of a layer relative to the one above")}),
    "label": ("label", "let the teachers label the segments, in shards", {
        "--only": {"choices": ["states", "tag"], "default": None, "help": "one kind of label"},
        "--limit": number(0, "segments at most, 0 = all", int), "--shard": number(6000, "segments a shard", int),
        "--max-tokens": number(128, "tokens a segment", int)}),
    "train": ("train", "train the encoder, then the decoder", {
        "--part": {"choices": ["encoder", "decoder"], "default": "encoder", "help": "which half"},
        "--seconds": number(3000.0, "training time this schedule is made for"),
        "--steps": number(0, "a schedule in steps instead", int),
        "--stages": {"default": "2:0.6,6:0.4", "help": "layers:share of the budget, …"},
        "--shape": {"default": "{}", "help": "JSON of sizes that differ from T5-small's (model.Shape)"},
        "--rate": number(1e-3, "peak learning rate"), "--warmup": number(60, "steps", int),
        "--batch": number(2048, "tokens a step; 65536 on a large CUDA device", int),
        "--embed-scale": number(3.0, "the token vectors' learning rate relative to the rest"),
        "--human": number(0.15, "share of batches that are human deletions"),
        "--mild": number(0.0, "share of the drawn ratios that lie between 1.3 and 3"),
        "--hidden": number(0.4, "weight of MiniLM's word states"), "--pooled": number(0.4, "weight of its sentences"),
        "--order": number(0.5, "weight of the order among words that surely stay or go"),
        "--from-export": {"default": None, "help": "exported folder whose weights to start from"},
        "--positions": {"action": "store_true", "help": "train position tables after --from-export too"},
        "--rarity": {"action": "store_true", "help": "tell the encoder how rare each word is; the engine cannot yet"},
        "--decoder-from": {"default": None, "help": "checkpoint whose decoder to start from"},
        "--longest": number(24, "spans a segment in the decoder's targets", int),
        "--tell": number(30.0, "seconds between log lines"), "--save": number(240.0, "seconds between checkpoints"),
        "--measure": number(600.0, "seconds between dev measurements"),
        "--quick": number(200, "dev passages a measurement, 0 = none", int)}),
    "export": ("export", "write the layout of LAYOUT.md from a checkpoint", {
        "--checkpoint": {"default": "model.pt", "help": "in the work folder"},
        "--out": {"default": None, "help": "folder; default WORK/export"},
        "--position": number(0.0, "how much of the position tables is kept, 0 to 1 (RESULTS.md)"),
        "--name": {"default": "headroom-t5-small", "help": "model name"},
        "--version": {"default": "0.1.0", "help": "model version"},
        "--licence": {"default": "Apache-2.0", "help": "licence of the weights"},
        "--trained-on": {"default": "see MODEL_CARD.md", "help": "the data in a line"},
        "--recipe": {"default": None, "help": "commit that made it; default git's HEAD"},
        "--rewrites": {"action": "store_true", "help": "let the engine use the decoder (off: RESULTS.md, a reader)"},
        "--fp32": {"action": "store_true", "help": "leave out the quantization"}}),
    "parity": ("parity", "compare an export with its checkpoint and write parity.json", {
        "--checkpoint": {"default": "model.pt", "help": "in the work folder; 'none' only writes the figures"},
        "--position": number(0.0, "how much of the position tables is kept, 0 to 1 (RESULTS.md)"),
        "--out": {"default": None, "help": "folder of the export; default WORK/export"}}),
    "evaluate": ("evaluate", "measure an export on the dev sets beside the floors", {
        "--out": {"default": None, "help": "folder of the export; default WORK/export"},
        "--checkpoint": {"default": None, "help": "measure a checkpoint in the work folder instead"},
        "--teacher": {"action": "store_true", "help": "measure the tagger as well"},
        "--tables": {"default": "survival,deletion,summaries,kinds,duplicates,length,determinism,bias,speed",
                     "help": "which tables"},
        "--halves": {"default": "tune,report", "help": "which halves of passages and deletions"},
        "--limit": number(0, "dev texts a table, 0 = all", int),
        "--rounds": number(15, "rounds of the speed table", int),
        "--stock": {"default": None, "help": "a T5-small exported by optimum, to be timed beside"},
        "--json": {"default": None, "help": "also write the tables here"}}),
    "rewrites": ("rewrites", "print rewrites of dev texts for reading", {
        "--out": {"default": None, "help": "folder of the export; default WORK/export"},
        "--ratios": {"default": "2,5,10,20", "help": "ratios"}, "--count": number(30, "texts a ratio", int)}),
    "reader": ("reader", "ask a local model questions about rewritten and merely selected passages", {
        "--out": {"default": "../models/headroom-t5-small", "help": "folder of the export"},
        "--url": {"default": "http://127.0.0.1:18080", "help": "OpenAI-compatible server"},
        "--model": {"default": "reader", "help": "model name for the server"},
        "--variants": {"default": "whole,rewritten,by rule,by model,by half and half", "help": "which to ask about"},
        "--answers": {"default": None, "help": "file of the answers so far; default WORK/reader.jsonl"},
        "--ratios": {"default": "2,5", "help": "ratios"}, "--count": number(60, "passages", int)}),
    "curves": ("curves", "thin the training logs out to a CSV for RESULTS.md", {
        "--csv": {"default": "curves.csv", "help": "file to write"}, "--points": number(40, "rows a log", int)}),
    "smoke": ("smoke", "every stage on a little text, in a few minutes, to see that all of it works", {
        "--scratch": {"default": None, "help": "folder to work in; default a temporary one"}}),
}

if __name__ == "__main__":
    main()
