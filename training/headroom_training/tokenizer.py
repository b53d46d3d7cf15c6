"""The tokenizer: byte-level BPE, so any text decodes back to itself.

Digits stand alone, runs of whitespace and line ends are kept, and a space belongs to the word after it. There are
no added tokens: text that happens to read `</s>` stays text. The reserved ids exist in the vocabulary only; no
merge leads to them.
"""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

RESERVED = ["<pad>", "</s>", "<mask>", "<unused>"]
PAD = 0
PIECES = (
    r"'(?i:[sdmt]|ll|ve|re)(?!\p{L})| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train(lines, vocabulary, path):
    """Learns merges from `lines` and writes tokenizer.json."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PIECES), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=RESERVED, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=24, show_progress=False,
    )
    tokenizer.train_from_iterator(lines, trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = []
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return load(path)


def load(path):
    return Tokenizer.from_file(str(path))
