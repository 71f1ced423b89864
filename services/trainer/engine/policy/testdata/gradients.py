"""Writes gradients.json: gradients of a small Llama under the objectives, by PyTorch in float64.

    python3 gradients.py > gradients.json        (torch 2.x on the CPU; the tests themselves need none)

The network and the losses are written out here from the papers' formulas, apart from the engine's code. Weights are not
stored: both sides draw them from the same integer hash. Gradients are little-endian float32 in base64, by tensor name.
"""

import base64
import json
import math
import struct
import sys

import torch

torch.set_default_dtype(torch.float64)
MASK = 0xFFFFFFFF


def mix(i):
    z = (i + 0x9E3779B9) & MASK
    z = ((z ^ (z >> 16)) * 0x85EBCA6B) & MASK
    z = ((z ^ (z >> 13)) * 0xC2B2AE35) & MASK
    return z ^ (z >> 16)


def unit(i):
    return mix(i) / 2**32 - 0.5


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def names(c):
    q, kv, d, f = c["heads"] * c["hd"], c["kv"] * c["hd"], c["dim"], c["ffn"]
    out = [("model.embed_tokens.weight", (c["vocab"], d))]
    if not c["tied"]:
        out.append(("lm_head.weight", (c["vocab"], d)))
    linear = [("self_attn.q_proj", (q, d)), ("self_attn.k_proj", (kv, d)), ("self_attn.v_proj", (kv, d)),
              ("self_attn.o_proj", (d, q)), ("mlp.gate_proj", (f, d)), ("mlp.up_proj", (f, d)), ("mlp.down_proj", (d, f))]
    for l in range(c["layers"]):
        out += [(f"model.layers.{l}.{n}.weight", s) for n, s in linear]
    for l in range(c["layers"]):
        p = f"model.layers.{l}."
        out += [(p + "input_layernorm.weight", (d,)), (p + "post_attention_layernorm.weight", (d,))]
        if c["bias"]:
            out += [(p + "self_attn.q_proj.bias", (q,)), (p + "self_attn.k_proj.bias", (kv,)), (p + "self_attn.v_proj.bias", (kv,))]
    out.append(("model.norm.weight", (d,)))
    adapters = []
    if c["rank"]:
        for l in range(c["layers"]):
            for n, s in linear:
                adapters.append((f"model.layers.{l}.{n}.lora_A.weight", (c["rank"], s[1])))
                adapters.append((f"model.layers.{l}.{n}.lora_B.weight", (s[0], c["rank"])))
    return out, adapters


def draw(params, start):
    out, i = {}, start
    for name, shape in params:
        n = math.prod(shape)
        if name.endswith("norm.weight"):
            v = [f32(1 + 0.4 * unit(i + k)) for k in range(n)]
        elif name.endswith("bias"):
            v = [f32(0.4 * unit(i + k)) for k in range(n)]
        else:
            scale = 0.75 if ".lora_" in name else 3
            v = [f32(scale / math.sqrt(shape[-1]) * unit(i + k)) for k in range(n)]
        out[name] = torch.tensor(v).reshape(shape).requires_grad_()
        i += n
    return out


def frequencies(c):
    hd = c["hd"]
    f = [c["theta"] ** (-2 * i / hd) for i in range(hd // 2)]
    if c["rope"] == "linear":
        return [x / c["factor"] for x in f]
    if c["rope"] == "llama3":
        low, high, ctx = c["low"], c["high"], c["original"]
        out = []
        for x in f:
            wave = 2 * math.pi / x
            if wave > ctx / low:
                out.append(x / c["factor"])
            elif wave < ctx / high:
                out.append(x)
            else:
                s = (ctx / wave - low) / (high - low)
                out.append((1 - s) * x / c["factor"] + s * x)
        return out
    return f


def logits(c, w, ids):
    t, hd = len(ids), c["hd"]

    def norm(x, name):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * w[name]

    def linear(x, name):
        y = x @ w[name + ".weight"].T
        if name + ".bias" in w:
            y = y + w[name + ".bias"]
        if name + ".lora_A.weight" in w:
            y = y + c["alpha"] / c["rank"] * (x @ w[name + ".lora_A.weight"].T) @ w[name + ".lora_B.weight"].T
        return y

    angle = torch.arange(t)[:, None] * torch.tensor(frequencies(c))[None, :]
    cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)

    def rope(x):  # [heads, t, hd]
        a, b = x[..., : hd // 2], x[..., hd // 2:]
        return x * cos + torch.cat([-b, a], -1) * sin

    x = w["model.embed_tokens.weight"][ids]
    causal = torch.full((t, t), -torch.inf).triu(1)
    for l in range(c["layers"]):
        p = f"model.layers.{l}."
        h = norm(x, p + "input_layernorm.weight")
        q = rope(linear(h, p + "self_attn.q_proj").reshape(t, c["heads"], hd).transpose(0, 1))
        k = rope(linear(h, p + "self_attn.k_proj").reshape(t, c["kv"], hd).transpose(0, 1))
        v = linear(h, p + "self_attn.v_proj").reshape(t, c["kv"], hd).transpose(0, 1)
        share = c["heads"] // c["kv"]
        k, v = k.repeat_interleave(share, 0), v.repeat_interleave(share, 0)
        a = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(hd) + causal, -1) @ v
        x = x + linear(a.transpose(0, 1).reshape(t, -1), p + "self_attn.o_proj")
        h = norm(x, p + "post_attention_layernorm.weight")
        x = x + linear(torch.nn.functional.silu(linear(h, p + "mlp.gate_proj")) * linear(h, p + "mlp.up_proj"), p + "mlp.down_proj")
    head = w["model.embed_tokens.weight"] if c["tied"] else w["lm_head.weight"]
    return norm(x, "model.norm.weight") @ head.T


def score(c, w, row, temperature):
    """Log probs and entropies of the tokens from start on."""
    ls = torch.log_softmax(logits(c, w, torch.tensor(row["tokens"])) / temperature, -1)[row["start"] - 1: -1]
    nxt = torch.tensor(row["tokens"][row["start"]:])
    return ls.gather(1, nxt[:, None])[:, 0], -(ls.exp() * ls).sum(-1)


def policy_loss(h, rows, lps, ents):
    total, bonus, tokens = 0.0, 0.0, 0
    for row, lp, ent in zip(rows, lps, ents):
        w = torch.tensor(row["weight"])
        m = (w != 0).double()
        a = row["advantage"]
        old = torch.tensor(row["old"]) if row["old"] else lp.detach()
        lr = (lp - old) * m
        if h["sequence"]:
            lr = (lr.sum() / m.sum()).expand_as(lr)
        r = lr.exp()
        free = torch.clamp(r, max=h["delta"]) if h["delta"] else r
        term = -torch.minimum(free * a, torch.clamp(r, 1 - h["low"], 1 + h["high"]) * a)
        if h["dual"] and a < 0:
            term = torch.clamp(term, max=-h["dual"] * a)
        if h["kl"]:
            x = torch.tensor(row["ref"]) - lp
            term = term + h["kl"] * (x.exp() - x - 1)
        total = total + (w * term).sum()
        bonus, tokens = bonus + (m * ent).sum(), tokens + m.sum()
    return total - h["entropy"] * bonus / tokens


def dpo_loss(h, rows, lps):
    total = 0.0
    for i in range(0, len(rows), 2):
        s = [lps[i + k].sum() - torch.tensor(rows[i + k]["ref"]).sum() for k in (0, 1)]
        total = total + torch.nn.functional.softplus(-h["beta"] * (s[0] - s[1]))
    return total / (len(rows) // 2)


def case(name, seed, config=None, hyper=None, on_policy=False, kind="policy"):
    c = dict(vocab=24, dim=16, layers=2, heads=4, kv=2, hd=4, ffn=24, tied=True, bias=False, theta=10000.0, rope="",
             factor=0.0, low=0.0, high=0.0, original=0.0, rank=0, alpha=0.0)
    c.update(config or {})
    h = dict(low=0.2, high=0.2, kl=0.0, dual=0.0, delta=0.0, entropy=0.0, sequence=False, temperature=1.0, beta=0.0)
    h.update(hyper or {})
    base, adapters = names(c)
    w = draw(base, 1)
    w.update(draw(adapters, 1000003))
    rows = []
    for i in range(6):
        n = 7 + mix(seed * 100 + i) % 9
        rows.append(dict(tokens=[mix(seed * 1000 + 50 * i + k) % c["vocab"] for k in range(n)], start=2 + i % 3))
    scores = [score(c, w, r, h["temperature"]) for r in rows]
    for i, (row, (lp, _)) in enumerate(zip(rows, scores)):
        k = seed * 7000 + 100 * i
        n = len(row["tokens"]) - row["start"]
        jitter = lambda at: [f32(float(x) + 0.9 * unit(k + at + j)) for j, x in enumerate(lp.detach())]
        row["old"] = [] if on_policy else jitter(0)
        row["ref"] = jitter(30)
        row["advantage"] = 1.0 if on_policy else f32(3 * unit(k + 60))
        row["weight"] = [f32(0.02 + 0.02 * (unit(k + 61 + j) + 0.5)) if j == 0 or mix(k + 90 + j) % 5 else 0.0 for j in range(n)]
    lps, ents = [s[0] for s in scores], [s[1] for s in scores]
    loss = dpo_loss(h, rows, lps) if kind == "dpo" else policy_loss(h, rows, lps, ents)
    trained = adapters or base
    grads = torch.autograd.grad(loss, [w[n] for n, _ in trained])
    flat = {n: base64.b64encode(struct.pack(f"<{g.numel()}f", *g.flatten().tolist())).decode() for (n, _), g in zip(trained, grads)}
    return dict(name=name, kind=kind, config=c, hyper=h, rows=rows, loss=loss.item(), grad=flat)


llama3 = dict(rope="llama3", factor=8.0, low=1.0, high=4.0, original=16.0)
json.dump([
    case("sft", 1, on_policy=True),
    case("grpo", 2, dict(tied=False), dict(kl=0.1, high=0.28)),
    case("grpo dual clip delta", 3, None, dict(dual=1.1, delta=1.25, temperature=0.7)),
    case("grpo entropy", 4, dict(kv=1), dict(entropy=0.05, kl=0.05)),
    case("gspo", 5, dict(tied=False, **llama3), dict(sequence=True)),
    case("sft qwen2", 6, dict(bias=True, tied=False, theta=1e6), on_policy=True),
    case("grpo lora", 7, dict(rank=3, alpha=6.0, rope="linear", factor=4.0), dict(kl=0.1)),
    case("dpo", 8, None, dict(beta=0.3), kind="dpo"),
], sys.stdout, indent=1)
sys.stdout.write("\n")
