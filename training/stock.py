"""Writes a T5-small of random weights as optimum exports any T5: `python stock.py FOLDER`. Needs no download.

T5-small's sizes (512, 2048, 8 heads, 6+6 layers, 32,128 pieces), the tokenizer of the test fixtures. For the check that
a stock export runs through the engine, and for the time that one takes beside ours.
"""

import sys
import tempfile
from pathlib import Path

import torch
from optimum.exporters.onnx import main_export
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

sys.path.insert(0, str(Path(__file__).parent.parent / "fixtures"))
from make_tiny_t5 import SEED, train_pieces  # noqa: E402 - a folder beside this one


def main():
    torch.manual_seed(SEED)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=train_pieces(), pad_token="<pad>", eos_token="</s>",
                                        unk_token="<unk>", model_max_length=512)
    network = T5ForConditionalGeneration(T5Config(vocab_size=32128, decoder_start_token_id=0, dropout_rate=0.0))
    with tempfile.TemporaryDirectory() as scratch:
        network.eval().save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        main_export(scratch, sys.argv[1], task="text2text-generation-with-past", do_validation=True, opset=17)


if __name__ == "__main__":
    main()
