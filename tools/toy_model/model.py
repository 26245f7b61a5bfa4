"""The toy model in PyTorch: the llama architecture. Projections that read the same input are one matrix here, because
fewer and larger products train faster; `gguf_tensors` takes them apart under GGUF's names."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    n_vocab: int = 1536
    n_ctx: int = 1024
    n_embd: int = 128
    n_layer: int = 4
    n_head: int = 4
    n_head_kv: int = 2
    n_ff: int = 512
    rope_base: float = 10000.0
    norm_eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.n_embd // self.n_head


class RmsNormFunction(torch.autograd.Function):
    """x / rms(x) * weight, with a backward pass written out because autograd's takes three times as long."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        scale = torch.rsqrt(x.norm(dim=-1, keepdim=True).square() / x.shape[-1] + eps)
        unit = x * scale
        ctx.save_for_backward(unit, scale, weight)
        return unit * weight

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        unit, scale, weight = ctx.saved_tensors
        product = grad * unit
        weight_grad = product.flatten(0, -2).sum(0)
        along = torch.matmul(product, weight).unsqueeze(-1) / unit.shape[-1]
        return (grad * weight - unit * along) * scale, weight_grad, None


class RmsNorm(nn.Module):
    def __init__(self, n: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return RmsNormFunction.apply(x, self.weight, self.eps)


def rope_table(shape: Shape) -> Tensor:
    """exp(i * position * frequency), complex, [n_ctx, 1, head_dim / 2]."""
    pair = torch.arange(0, shape.head_dim, 2, dtype=torch.float64)
    angle = torch.arange(shape.n_ctx, dtype=torch.float64)[:, None] * shape.rope_base ** (-pair / shape.head_dim)
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)[:, None, :]


def rope(x: Tensor, turns: Tensor) -> Tensor:
    """Rotates neighbouring pairs, as GGUF's llama stores them. x: [batch, token, head, head_dim]."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turns).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.attn_norm = RmsNorm(shape.n_embd, shape.norm_eps)
        self.attn_qkv = nn.Linear(shape.n_embd, (shape.n_head + 2 * shape.n_head_kv) * shape.head_dim, bias=False)
        self.attn_output = nn.Linear(shape.n_embd, shape.n_embd, bias=False)
        self.ffn_norm = RmsNorm(shape.n_embd, shape.norm_eps)
        self.ffn_gate_up = nn.Linear(shape.n_embd, 2 * shape.n_ff, bias=False)
        self.ffn_down = nn.Linear(shape.n_ff, shape.n_embd, bias=False)

    def attention(self, x: Tensor, turns: Tensor, mask: Tensor) -> Tensor:
        batch, tokens, _ = x.shape
        s = self.shape
        qkv = self.attn_qkv(x).view(batch, tokens, -1, s.head_dim)
        qk, v = qkv.split((s.n_head + s.n_head_kv, s.n_head_kv), dim=2)
        q, k = rope(qk, turns).transpose(1, 2).split((s.n_head, s.n_head_kv), dim=1)
        group = s.n_head // s.n_head_kv
        k, v = k.repeat_interleave(group, 1), v.transpose(1, 2).repeat_interleave(group, 1)
        scores = torch.matmul(q * s.head_dim**-0.5, k.transpose(-1, -2)) + mask
        mixed = torch.matmul(torch.softmax(scores, -1), v)
        return self.attn_output(mixed.transpose(1, 2).reshape(batch, tokens, s.n_embd))

    def feed_forward(self, x: Tensor) -> Tensor:
        gate, up = self.ffn_gate_up(x).float().chunk(2, dim=-1)
        return self.ffn_down(F.silu(gate) * up)

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attention(self.attn_norm(x), turns, mask)
        return x + self.feed_forward(self.ffn_norm(x))


class ToyModel(nn.Module):
    """token ids [batch, tokens] -> residual stream after the last norm; `logits` is the tied head."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.n_vocab, shape.n_embd)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.n_layer))
        self.output_norm = RmsNorm(shape.n_embd, shape.norm_eps)
        self.register_buffer("turns", rope_table(shape), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                residual = name.endswith(("attn_output.weight", "ffn_down.weight"))
                std = 0.04 / (2 * self.shape.n_layer) ** 0.5 if residual else 0.04
                nn.init.normal_(weight, std=std)

    def forward(self, ids: Tensor) -> Tensor:
        tokens = ids.shape[1]
        mask = torch.full((tokens, tokens), float("-inf")).triu(1)
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, self.turns[:tokens], mask)
        return self.output_norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.token_embd.weight)

    def gguf_tensors(self) -> dict[str, Tensor]:
        """Every tensor by its name in a GGUF file, in the order in which they are written; rows first."""
        s = self.shape
        n_q, n_kv = s.n_head * s.head_dim, s.n_head_kv * s.head_dim
        tensors = {"token_embd.weight": self.token_embd.weight}
        for at, block in enumerate(self.blk):
            q, k, v = block.attn_qkv.weight.split((n_q, n_kv, n_kv))
            gate, up = block.ffn_gate_up.weight.chunk(2)
            parts = {"attn_norm": block.attn_norm.weight, "attn_q": q, "attn_k": k, "attn_v": v,
                "attn_output": block.attn_output.weight,
                     "ffn_norm": block.ffn_norm.weight, "ffn_gate": gate, "ffn_up": up,
                     "ffn_down": block.ffn_down.weight}
            tensors |= {f"blk.{at}.{name}.weight": tensor for name, tensor in parts.items()}
        return {name: tensor.detach() for name,
            tensor in (tensors | {"output_norm.weight": self.output_norm.weight}).items()}
