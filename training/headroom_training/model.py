"""The network: a T5-small encoder with three heads and a two-layer decoder that points at spans.

T5's choices are kept where they matter for the runtime: RMS norm before each block, no biases, relative position
buckets shared by all layers, ReLU, attention logits without scaling (the scale lives in the initialisation).
The ratio enters at the keep head only, so that hidden states and the pooled embedding depend on the text alone.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional

NEGATIVE = -1e9
PLACES, SHARES = 16, 16
OUTSIDE = 4.0     # minus this is the keep logit that the decoder sees beyond either end of a text


@dataclass
class Shape:
    """Sizes of the network; the default is T5-small's."""

    vocab_size: int = 16000
    d_model: int = 512
    d_ff: int = 2048
    heads: int = 8
    head_width: int = 64
    encoder_layers: int = 6
    decoder_layers: int = 2
    embedding: int = 384      # width of the pooled sentence embedding
    pointer: int = 128        # width in which the decoder compares itself with source tokens
    keep_width: int = 128
    buckets: int = 32
    max_distance: int = 128
    max_tokens: int = 128
    rarities: int = 0         # classes of word rarity that the encoder is told (rarity.py); 0: not told

    def as_dict(self):
        return asdict(self)


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        x32 = x.float()
        return x32 * torch.rsqrt(x32.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class FeedForward(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.norm = RmsNorm(shape.d_model)
        self.wi = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.wo = nn.Linear(shape.d_ff, shape.d_model, bias=False)
        nn.init.normal_(self.wi.weight, std=shape.d_model ** -0.5)
        nn.init.normal_(self.wo.weight, std=0.3 * shape.d_ff ** -0.5)

    def forward(self, x):
        return x + self.wo(torch.relu(self.wi(self.norm(x))))


class Attention(nn.Module):
    """Multi-head attention without its residual; keys and values may come from elsewhere."""

    def __init__(self, shape):
        super().__init__()
        self.heads, self.width = shape.heads, shape.head_width
        inner = shape.heads * shape.head_width
        self.q = nn.Linear(shape.d_model, inner, bias=False)
        self.k = nn.Linear(shape.d_model, inner, bias=False)
        self.v = nn.Linear(shape.d_model, inner, bias=False)
        self.o = nn.Linear(inner, shape.d_model, bias=False)
        nn.init.normal_(self.q.weight, std=(shape.d_model * shape.head_width) ** -0.5)
        nn.init.normal_(self.k.weight, std=shape.d_model ** -0.5)
        nn.init.normal_(self.v.weight, std=shape.d_model ** -0.5)
        nn.init.normal_(self.o.weight, std=0.3 * inner ** -0.5)

    def split(self, x):
        return x.view(x.shape[0], -1, self.heads, self.width).transpose(1, 2)

    def keys_values(self, x):
        return self.split(self.k(x)), self.split(self.v(x))

    def attend(self, x, keys, values, bias):
        mixed = functional.scaled_dot_product_attention(self.split(self.q(x)), keys, values, attn_mask=bias, scale=1.0)
        return self.o(mixed.transpose(1, 2).reshape(x.shape[0], -1, self.heads * self.width))


class EncoderLayer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.norm = RmsNorm(shape.d_model)
        self.attention = Attention(shape)
        self.feed_forward = FeedForward(shape)

    def forward(self, x, bias):
        normed = self.norm(x)
        keys, values = self.attention.keys_values(normed)
        return self.feed_forward(x + self.attention.attend(normed, keys, values, bias))


def buckets_of(distance, buckets, max_distance, bidirectional):
    """T5's relative position buckets; `distance` is key position minus query position."""
    base = torch.zeros_like(distance)
    if bidirectional:
        buckets //= 2
        base = (distance > 0).long() * buckets
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = buckets // 2
    far = exact + (torch.log(distance.float().clamp(min=1) / exact) / math.log(max_distance / exact)
                   * (buckets - exact)).long()
    return base + torch.where(distance < exact, distance, far.clamp(max=buckets - 1))


class RatioFeatures(nn.Module):
    """What the keep head knows of the asked ratio: smooth bumps over its logarithm, 1:1 to 32:1."""

    def __init__(self, width, bumps=12):
        super().__init__()
        self.register_buffer("centres", torch.linspace(0, 5, bumps), persistent=False)
        self.out = nn.Linear(bumps, width)
        nn.init.normal_(self.out.weight, std=0.02)
        nn.init.zeros_(self.out.bias)

    def forward(self, ratio):
        log = torch.log2(ratio.float().clamp(1, 32))
        return self.out(torch.exp(-((log[:, None] - self.centres) ** 2) / 0.4))


class KeepHead(nn.Module):
    """The logit that a token stays at the asked ratio. A scale and a shift per ratio bend one hidden layer."""

    def __init__(self, shape):
        super().__init__()
        self.hidden = nn.Linear(shape.d_model, shape.keep_width)
        self.ratio = RatioFeatures(2 * shape.keep_width + 1)
        self.out = nn.Linear(shape.keep_width, 1)

    def forward(self, states, ratio):
        scale, shift, offset = self.ratio(ratio).split([self.out.in_features, self.out.in_features, 1], dim=-1)
        hidden = torch.relu(self.hidden(states) * (1 + scale[:, None]) + shift[:, None])
        return (self.out(hidden) + offset[:, None]).squeeze(-1)


class Encoder(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocab_size, shape.d_model)
        nn.init.normal_(self.embed.weight, std=0.5)
        self.position = nn.Embedding(shape.buckets, shape.heads)
        nn.init.normal_(self.position.weight, std=0.1)
        # Relative buckets alone cannot tell a first word from a last one, and what comes first matters more. Two small
        # tables say how far a token is from the start (logarithmic) and which part of its text it stands in.
        self.place, self.share = nn.Embedding(PLACES, shape.d_model), nn.Embedding(SHARES + 1, shape.d_model)
        nn.init.zeros_(self.place.weight)
        nn.init.zeros_(self.share.weight)
        if shape.rarities:
            self.rarity = nn.Embedding(shape.rarities, shape.d_model)
            nn.init.zeros_(self.rarity.weight)
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.encoder_layers))
        self.norm = RmsNorm(shape.d_model)
        self.keep = KeepHead(shape)
        self.project = nn.Linear(shape.d_model, shape.embedding)

    def states(self, input_ids, attention_mask, rarity=None):
        """Final states; `rarity` is needed where the shape has classes of it."""
        length = input_ids.shape[1]
        at = torch.arange(length, device=input_ids.device)
        buckets = buckets_of(at[None, :] - at[:, None], self.shape.buckets, self.shape.max_distance, True)
        bias = self.position(buckets).permute(2, 0, 1)[None]
        bias = bias + (1.0 - attention_mask[:, None, None, :].float()) * NEGATIVE
        place = torch.where(at < 8, at, (5 + torch.log2(at.float().clamp(min=8))).long().clamp(max=PLACES - 1))
        last = (attention_mask.sum(1, keepdim=True) - 1).clamp(min=1).float()
        share = (at[None].float() / last * SHARES).clamp(max=SHARES).long()
        x = self.embed(input_ids) + self.place(place)[None] + self.share(share)
        if self.shape.rarities:
            x = x + self.rarity(rarity)
        for layer in self.layers:
            x = layer(x, bias)
        return self.norm(x)

    def keep_position(self, share):
        """Draws the position tables towards their mean. Trained with them, the encoder is better at the rest; with
        them, it trusts the beginning of a text more than people's deletions of other kinds of text bear out."""
        with torch.no_grad():
            for table in (self.place.weight, self.share.weight):
                table.copy_(share * table + (1 - share) * table.mean(0))

    def pooled(self, states, attention_mask):
        mask = attention_mask[..., None].float()
        mean = (self.project(states).float() * mask).sum(1) / mask.sum(1).clamp(min=1)
        return mean / mean.pow(2).sum(-1, keepdim=True).clamp(min=1e-12).sqrt()


class DecoderLayer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.self_norm, self.self_attention = RmsNorm(shape.d_model), Attention(shape)
        self.cross_norm, self.cross_attention = RmsNorm(shape.d_model), Attention(shape)
        self.feed_forward = FeedForward(shape)

    def forward(self, x, past, cross, self_bias, cross_bias):
        """`past` and `cross` are (keys, values); returns the output and the keys and values with this step's."""
        normed = self.self_norm(x)
        keys, values = self.self_attention.keys_values(normed)
        keys, values = torch.cat([past[0].to(keys.dtype), keys], 2), torch.cat([past[1].to(values.dtype), values], 2)
        x = x + self.self_attention.attend(normed, keys, values, self_bias)
        x = x + self.cross_attention.attend(self.cross_norm(x), *cross, cross_bias)
        return self.feed_forward(x), (keys, values)


class Decoder(nn.Module):
    """Points at a start, an end, a start, …; each step sees the state of the token pointed at before."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.enter = nn.Linear(shape.d_model, shape.d_model, bias=False)
        self.phase = nn.Embedding(2, shape.d_model)
        self.remaining = nn.Linear(12, shape.d_model)
        self.register_buffer("centres", torch.linspace(0, 7, 12), persistent=False)
        self.position = nn.Embedding(shape.buckets, shape.heads)
        nn.init.normal_(self.position.weight, std=0.1)
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.norm = RmsNorm(shape.d_model)
        self.learned = shape.pointer - 3
        self.query = nn.Linear(shape.d_model, 2 * self.learned, bias=False)
        self.stop = nn.Linear(shape.d_model, 1)
        # What the encoder graph computes for the decoder once per text; three columns more are the keep logits of
        # the token before, the token, and the token after, so that even an untrained decoder starts where keeping
        # starts and ends where it ends.
        self.pointer_key = nn.Linear(shape.d_model, self.learned)
        nn.init.normal_(self.pointer_key.weight, std=0.3 * shape.d_model ** -0.5)
        self.hint = nn.Parameter(torch.tensor([[-0.5, 1.0, 0.2], [0.2, 0.5, -1.0]]))
        # Bias by distance from the last pointed token: 0 behind, 1..32 ahead (logarithmic), 33 nothing pointed yet.
        self.distance = nn.Parameter(torch.zeros(2, 34))
        with torch.no_grad():
            ahead = -torch.log1p(torch.arange(33).float())
            self.distance[:, :33] = ahead
            self.distance[:, 0] = -5.0

    def keys(self, states, keep, mask):
        """(pointer keys, [(cross keys, cross values) of each layer])."""
        inside = mask.to(keep.dtype)
        keep = keep.clamp(-6, 6) * inside - OUTSIDE * (1 - inside)
        edge = torch.full_like(keep[:, :1], -OUTSIDE)
        around = torch.stack([torch.cat([edge, keep[:, :-1]], 1), keep, torch.cat([keep[:, 1:], edge], 1)], -1)
        pointer = torch.cat([self.pointer_key(states).to(keep.dtype), around], -1)
        return pointer, [layer.cross_attention.keys_values(states) for layer in self.layers]

    def forward(self, previous, phase, remaining, position_of_previous, mask, pointer, cross, past):
        """All steps at once in training (t > 1), one in the runtime. Shapes: previous [b,t,d]; phase, remaining
        and position_of_previous [b,t]; mask [b,s]; past is empty in training."""
        shape, steps, behind = self.shape, previous.shape[1], past[0][0].shape[2]
        log = torch.log2(remaining.float().clamp(min=1))
        bumps = torch.exp(-((log[..., None] - self.centres) ** 2) / 0.6)
        x = self.enter(previous) + self.phase(phase) + self.remaining(bumps)
        keys_at = torch.arange(behind + steps, device=previous.device)
        steps_at = torch.arange(steps, device=previous.device) + behind
        gap = keys_at[None, :] - steps_at[:, None]
        self_bias = self.position(buckets_of(gap, shape.buckets, shape.max_distance, False)).permute(2, 0, 1)[None]
        self_bias = self_bias + (gap > 0)[None, None].float() * NEGATIVE
        cross_bias = (1.0 - mask[:, None, None, :].float()) * NEGATIVE
        present = []
        for layer, layer_past, layer_cross in zip(self.layers, past, cross):
            x, kept = layer(x, layer_past, layer_cross, self_bias, cross_bias)
            present.append(kept)
        x = self.norm(x)
        starts, ends = self.query(x).float().split(self.learned, dim=-1)
        ending = (phase == 1)[..., None]
        query = torch.cat([torch.where(ending, ends, starts) * self.learned ** -0.5, self.hint[phase]], -1)
        logits = query @ pointer.float().transpose(1, 2)
        logits = logits + self.distance_bias(phase, position_of_previous, mask.shape[1])
        logits = logits + (1.0 - mask[:, None, :].float()) * NEGATIVE
        stop = self.stop(x).float() + ending.float() * NEGATIVE
        return torch.cat([logits, stop], -1), present

    def distance_bias(self, phase, position_of_previous, length):
        at = torch.arange(length, device=phase.device)
        ahead = at[None, None, :] - position_of_previous[..., None]
        far = 17 + (torch.log2(ahead.float().clamp(min=16) / 16) * 5).long()
        bucket = torch.where(ahead < 0, torch.zeros_like(ahead),
                             torch.where(ahead < 16, ahead + 1, far.clamp(max=32)))
        bucket = torch.where(position_of_previous[..., None] < 0, torch.full_like(bucket, 33), bucket)
        return self.distance.reshape(-1)[phase[..., None] * 34 + bucket]


class Headroom(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.decoder = Decoder(shape)


def load_checkpoint(path, device="cpu", encoder_only=False):
    saved = torch.load(path, map_location=device, weights_only=True)
    model = Headroom(Shape(**saved["shape"]))
    part = model.encoder if encoder_only else model
    prefix = "encoder." if encoder_only else ""
    part.load_state_dict({name.removeprefix(prefix): value.float() for name, value in saved["model"].items()
                          if name.startswith(prefix)})
    return model, saved


def save_checkpoint(path, model, **more):
    """Writes beside and renames, so that an interrupted save leaves the last good one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    torch.save({"shape": model.shape.as_dict(), "model": model.state_dict(), **more}, half)
    half.replace(path)
