"""The shape of a topic: what people say, what the toy answers, and what may follow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Intent:
    """Phrase templates for the user (any of them) and for the answer (any of them)."""

    asks: tuple[str, ...]
    replies: tuple[str, ...]
    weight: float = 1.0
    more: tuple[str, ...] = ()  # answers to "why?" or "tell me more" right after
