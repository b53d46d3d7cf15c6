"""The network: a T5-small encoder whose heads read the syntax of a statement, piece by piece.

T5's choices are kept where they matter for the runtime: RMS norm before each block, no biases, relative position
buckets shared by all layers, ReLU, attention logits without scaling (the scale lives in the initialisation).
Arcs are scored as in Dozat and Manning, "Deep Biaffine Attention for Neural Dependency Parsing" (2017), over the pieces
of the tokenizer: the first piece of a word stands for it, the others hang on that one. A root is its own head.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional

NEGATIVE = -1e9


@dataclass
class Shape:
    """Sizes of the network; the widths are T5-small's."""

    vocab_size: int = 16000
    d_model: int = 512
    d_ff: int = 2048
    heads: int = 8
    head_width: int = 64
    encoder_layers: int = 6
    buckets: int = 32
    max_distance: int = 128
    max_tokens: int = 128
    arc: int = 256            # width in which a piece looks for its head
    relation: int = 192       # width in which a piece and its head agree on a relation
    keep: int = 128           # width of the keep ranking
    relations: int = 46
    tags: int = 50
    dropout: float = 0.0

    def as_dict(self):
        return asdict(self)


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        x32 = x.float()
        return x32 * torch.rsqrt(x32.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        inner = shape.heads * shape.head_width
        self.heads, self.width = shape.heads, shape.head_width
        self.norm, self.wide_norm = RmsNorm(shape.d_model), RmsNorm(shape.d_model)
        self.q, self.k, self.v = (nn.Linear(shape.d_model, inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, shape.d_model, bias=False)
        self.wi = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.wo = nn.Linear(shape.d_ff, shape.d_model, bias=False)
        self.dropout = nn.Dropout(shape.dropout)
        nn.init.normal_(self.q.weight, std=(shape.d_model * shape.head_width) ** -0.5)
        for weight in (self.k.weight, self.v.weight, self.wi.weight):
            nn.init.normal_(weight, std=shape.d_model ** -0.5)
        nn.init.normal_(self.o.weight, std=0.3 * inner ** -0.5)
        nn.init.normal_(self.wo.weight, std=0.3 * shape.d_ff ** -0.5)

    def split(self, x):
        return x.view(x.shape[0], -1, self.heads, self.width).transpose(1, 2)

    def forward(self, x, bias):
        seen = self.norm(x)
        mixed = functional.scaled_dot_product_attention(
            self.split(self.q(seen)), self.split(self.k(seen)), self.split(self.v(seen)), attn_mask=bias, scale=1.0)
        x = x + self.dropout(self.o(mixed.transpose(1, 2).reshape(x.shape[0], -1, self.heads * self.width)))
        return x + self.dropout(self.wo(torch.relu(self.wi(self.wide_norm(x)))))


def buckets_of(distance, buckets, max_distance):
    """T5's relative position buckets, both directions; `distance` is key position minus query position."""
    buckets //= 2
    base = (distance > 0).long() * buckets
    distance = distance.abs()
    exact = buckets // 2
    far = exact + (torch.log(distance.float().clamp(min=1) / exact) / math.log(max_distance / exact)
                   * (buckets - exact)).long()
    return base + torch.where(distance < exact, distance, far.clamp(max=buckets - 1))


class Reader(nn.Module):
    """Encoder and heads. `states` first, then what is asked of them."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocab_size, shape.d_model)
        nn.init.normal_(self.embed.weight, std=0.5)
        self.position = nn.Embedding(shape.buckets, shape.heads)
        nn.init.normal_(self.position.weight, std=0.1)
        self.look_near()
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.encoder_layers))
        self.norm = RmsNorm(shape.d_model)
        self.dropout = nn.Dropout(shape.dropout)
        self.seeks, self.offers = nn.Linear(shape.d_model, shape.arc), nn.Linear(shape.d_model, shape.arc)
        self.agree = nn.Linear(shape.arc, shape.arc)
        self.child, self.parent = nn.Linear(shape.d_model, shape.relation), nn.Linear(shape.d_model, shape.relation)
        self.named = nn.Linear(shape.relation, shape.relations)
        self.near = nn.Embedding(shape.buckets, 1)     # how likely a head is that far away, whatever the words
        nn.init.zeros_(self.near.weight)
        self.tag = nn.Linear(shape.d_model, shape.tags)
        self.worth, self.keep = nn.Linear(shape.d_model, shape.keep), nn.Linear(shape.keep, 1)
        nn.init.normal_(self.agree.weight, std=shape.arc ** -1.0)

    def look_near(self):
        """Six heads begin by looking at neighbours: syntax is local, and finding that out takes a long while."""
        ahead = self.shape.buckets // 2
        views = [[1], [ahead + 1], [2], [ahead + 2], [1, 2, 3, 4], [ahead + 1, ahead + 2, ahead + 3, ahead + 4]]
        with torch.no_grad():
            for head, places in enumerate(views[:self.shape.heads]):
                self.position.weight[places, head] += 4.0 if len(places) == 1 else 2.0

    def distances(self, length, device):
        at = torch.arange(length, device=device)
        return buckets_of(at[None, :] - at[:, None], self.shape.buckets, self.shape.max_distance)

    def states(self, input_ids, attention_mask):
        bias = self.position(self.distances(input_ids.shape[1], input_ids.device)).permute(2, 0, 1)[None]
        bias = bias + (1.0 - attention_mask[:, None, None, :].float()) * NEGATIVE
        x = self.dropout(self.embed(input_ids))
        for layer in self.layers:
            x = layer(x, bias.to(x.dtype) if x.dtype != torch.float32 else bias)
        return self.dropout(self.norm(x))

    def arcs(self, states, attention_mask):
        """Logits [b, piece, head]."""
        seeks, offers = torch.relu(self.seeks(states)), torch.relu(self.offers(states))
        scores = self.agree(seeks).float() @ offers.float().transpose(1, 2)
        scores = scores + self.near(self.distances(states.shape[1], states.device)).squeeze(-1)[None]
        return scores + (1.0 - attention_mask[:, None, :].float()) * NEGATIVE

    def relations(self, states, head):
        """Logits [b, piece, relation] if `head` is the head of each piece."""
        parent = self.parent(states)
        parent = torch.gather(parent, 1, head[..., None].expand(-1, -1, parent.shape[-1]))
        return self.named(torch.relu(self.child(states) + parent))

    def kept(self, states):
        """How dear each piece is, as a logit: only the order within a statement means something."""
        return self.keep(torch.relu(self.worth(states))).squeeze(-1)


def load_checkpoint(path, device="cpu"):
    saved = torch.load(path, map_location=device, weights_only=True)
    model = Reader(Shape(**saved["shape"]))
    model.load_state_dict({name: value.float() for name, value in saved["model"].items()})
    return model, saved


def save_checkpoint(path, model, **more):
    """Writes beside and renames, so that an interrupted save leaves the last good one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    torch.save({"shape": model.shape.as_dict(), "model": model.state_dict(), **more}, half)
    half.replace(path)
