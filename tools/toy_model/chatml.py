"""The chat format: how messages become token ids, in training and in the exported template."""

from __future__ import annotations

from bpe import IM_END, IM_START, Bpe

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

Message = dict[str, str]


def message_ids(bpe: Bpe, message: Message) -> list[int]:
    """One message with the line end that follows it."""
    body = bpe.encode(message["role"] + "\n" + message["content"])
    return [bpe.ids[IM_START], *body, bpe.ids[IM_END], *bpe.encode("\n")]


def prompt_ids(bpe: Bpe, messages: list[Message]) -> list[int]:
    """The conversation so far and the opening of the assistant's answer."""
    ids = [token for message in messages for token in message_ids(bpe, message)]
    return ids + [bpe.ids[IM_START], *bpe.encode("assistant\n")]


NEW_NAME_WEIGHT = 0.05  # what cannot be known: which name comes next, and how a new one goes on


def name_list_ids(bpe: Bpe, names: list[str], between: str) -> tuple[list[int], list[float]]:
    """The ids of a list of names, with weight on how those go on, and where they end,
    that were there before."""
    ids: list[int] = []
    weights: list[float] = []
    known: set[str] = set()
    for name in names:
        part = bpe.encode(" " + name)
        rest = bpe.encode(between)
        ids += part + rest
        sure = 1.0 if name in known else NEW_NAME_WEIGHT
        weights += [NEW_NAME_WEIGHT] + [sure] * (len(part) - 1)
        weights += [sure if at == 0 else NEW_NAME_WEIGHT for at in range(len(rest))]
        known.add(name)
    return ids, [0.0] + weights[1:]  # nothing stands before the first token


QUESTION_WEIGHT = 0.2  # reading is learned by guessing what people say, a little
OPENING_WEIGHT = 3.0  # the first words of an answer decide what it is about
N_OPENING = 3


def training_ids(bpe: Bpe, messages: list[Message]) -> tuple[list[int], list[float]]:
    """All ids and, for each, how much it counts that the model says it; answers count with their <|im_end|>."""
    ids: list[int] = []
    weights: list[float] = []
    for message in messages:
        part = message_ids(bpe, message)
        answered = message["role"] == "assistant"
        opening = 1 + len(bpe.encode(message["role"] + "\n"))
        n_text = len(part) - 1 - opening
        ids += part
        weights += [0.0] * opening
        weights += [OPENING_WEIGHT if answered and at < N_OPENING else 1.0 if answered else QUESTION_WEIGHT for at in range(n_text)]
        weights += [0.0]
    return ids, weights
