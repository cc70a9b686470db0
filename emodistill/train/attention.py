"""Causal attention over a tree of sequences, in blocks of queries, with its gradient.

A block reads only the keys up to its own end, so the upper triangle is never computed beyond the block. Probabilities
are computed again for the gradient instead of being kept: they would be most of what a layer keeps.
Heads H share G ≤ H key heads (grouped queries); d is a head's width.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from emodistill.train.tree import Branch, Tree

_ROWS = 128  # queries a block


def attend(q: Tensor, k: Tensor, v: Tensor, tree: Tree, scale: float) -> Tensor:
    """Attention outputs [tokens, H, d] of q [tokens, H, d] over k, v [tokens, G, d], each token over its path."""
    out = torch.empty_like(q, memory_format=torch.contiguous_format)
    for branch in tree.branches:
        keys, values = _along(k, branch), _along(v, branch)  # [G, path, d]
        for rows, end in _blocks(branch):
            p = _probabilities(_grouped(q[rows], k.shape[1], scale), keys[:, :end], rows)
            out[rows] = _ungrouped(torch.bmm(p, values[:, :end]), q.shape[1])
    return out


def attend_backward(
    grad: Tensor, out: Tensor, q: Tensor, k: Tensor, v: Tensor, tree: Tree, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of q, k, v for the gradient of `attend`'s result `out`."""
    dq = torch.empty_like(q, memory_format=torch.contiguous_format)
    dk, dv = (torch.zeros_like(t, memory_format=torch.contiguous_format) for t in (k, v))
    heads, groups = q.shape[1], k.shape[1]
    inner = (grad * out).sum(-1)  # [tokens, H], Σ_j P_ij ∂L/∂P_ij
    for branch in tree.branches:
        keys, values = _along(k, branch), _along(v, branch)
        dkeys, dvalues = torch.zeros_like(keys), torch.zeros_like(values)
        for rows, end in _blocks(branch):
            queries, g = _grouped(q[rows], groups, scale), _grouped(grad[rows], groups, 1.0)
            p = _probabilities(queries, keys[:, :end], rows)
            dvalues[:, :end].baddbmm_(p.transpose(1, 2), g)
            ds = torch.bmm(g, values[:, :end].transpose(1, 2))
            ds.sub_(_grouped(inner[rows, :, None], groups, 1.0)).mul_(p)
            dq[rows] = _ungrouped(torch.bmm(ds, keys[:, :end]), heads).mul_(scale)
            dkeys[:, :end].baddbmm_(ds.transpose(1, 2), queries)
        _scatter(dk, dkeys, branch)
        _scatter(dv, dvalues, branch)
    return dq, dk, dv


def _blocks(branch: Branch) -> Iterator[tuple[slice, int]]:
    """(rows of the tree, how many keys of the path they may see at most)."""
    for start in range(branch.start, branch.stop, _ROWS):
        stop = min(start + _ROWS, branch.stop)
        yield slice(start, stop), branch.shared + stop - branch.start


def _along(t: Tensor, branch: Branch) -> Tensor:
    return t[branch.path].transpose(0, 1).contiguous()


def _scatter(into: Tensor, along: Tensor, branch: Branch) -> None:
    """Add [G, path, d] to where the path's tokens lie; the sequence's own ones lie side by side."""
    into[branch.start : branch.stop] += along[:, branch.shared :].transpose(0, 1)
    if branch.shared:
        into.index_add_(0, branch.path[: branch.shared], along[:, : branch.shared].transpose(0, 1))


def _grouped(t: Tensor, groups: int, scale: float) -> Tensor:
    """[rows, H, d] to [G, H/G · rows, d]: queries that share their keys side by side."""
    rows, heads, width = t.shape
    together = t.reshape(rows, groups, heads // groups, width).permute(1, 2, 0, 3)
    return (together * scale if scale != 1.0 else together).reshape(groups, -1, width)


def _ungrouped(t: Tensor, heads: int) -> Tensor:
    groups, _, width = t.shape
    return t.reshape(groups, heads // groups, -1, width).permute(2, 0, 1, 3).reshape(-1, heads, width)


def _probabilities(queries: Tensor, keys: Tensor, rows: slice) -> Tensor:
    """softmax over the keys of a block whose last columns are the block itself: [G, H/G · rows, keys]."""
    count = rows.stop - rows.start
    scores = torch.bmm(queries, keys.transpose(1, 2))
    later = torch.full((count, count), float("-inf"), dtype=scores.dtype, device=scores.device).triu_(1)
    scores.view(scores.shape[0], -1, count, scores.shape[-1])[..., -count:] += later
    return scores.softmax(-1)
