r"""Weights of words in prompts, as people type them: `(red boat)1.4`, `fog--`, `\(plain\)`.

The signs are those of compel (https://github.com/damian0815/compel), which applies the weights.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from momalisa.errors import BadInput

WEIGHT = (0.0, 4.0)
SIGNS = {"+": 1.1, "-": 0.9}
"""By what each sign after a word multiplies its weight."""
DECIMALS = 6
"""Digits after the point of a weight."""

_TOKEN = re.compile(
    r"(?P<space>\s+) | (?P<open>\() | \)(?P<signs>\++|-+)?(?P<number>[\d.]*\d)?"
    r"| (?P<word>(?:\\. | \\$ | [^\s()\\])+)",
    re.VERBOSE,
)
_WEIGHED_WORD = re.compile(r"(?P<word>.*\w.*?)(?<!\\)(?P<signs>\++|-+)(?P<rest>[,;:.!?]*)")


class WeightedWords(NamedTuple):
    """A part of a prompt, with the white space before it, and how much it counts."""

    text: str
    weight: float = 1.0


class WeightedPrompt(tuple[WeightedWords, ...]):
    """A prompt in parts that differ in weight."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The prompt without signs."""
        return "".join(part.text for part in self)

    @property
    def is_plain(self) -> bool:
        """Whether all words count alike, as without signs."""
        return all(part.weight == 1.0 for part in self)


def parse_prompt(prompt: str) -> WeightedPrompt:
    """The parts of a prompt. Raises BadInput, with a sentence, for signs that mean nothing."""
    parts: list[WeightedWords] = []
    opened: list[int] = []
    for token in _TOKEN.finditer(prompt):
        match token.lastgroup:
            case "space":
                parts.append(WeightedWords(" "))
            case "open":
                opened.append(len(parts))
            case "word":
                parts += _read_word(token["word"])
            case _ if opened:
                weight = _read_weight(token["signs"] or "", token["number"] or "")
                start = opened.pop()
                parts[start:] = [WeightedWords(text, own * weight) for text, own in parts[start:]]
            case _:
                raise BadInput(_UNBALANCED.format("closes", "opened"))
    if opened:
        raise BadInput(_UNBALANCED.format("opens", "closed"))
    return WeightedPrompt(_join(parts))


_UNBALANCED = (
    "With weights of words, a parenthesis that {} is also {}, as in (red)1.3. "
    r"A plain one is written \( or \)."
)


def _read_word(word: str) -> Iterator[WeightedWords]:
    """A word, and where it has a weight its punctuation apart."""
    found = _WEIGHED_WORD.fullmatch(word)
    if found is None:
        yield WeightedWords(_unescape(word))
        return
    yield WeightedWords(_unescape(found["word"]), _read_weight(found["signs"], ""))
    if found["rest"]:
        yield WeightedWords(found["rest"])


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _read_weight(signs: str, number: str) -> float:
    """The weight that a parenthesis or a word is followed by."""
    if number and (signs or number.count(".") > 1):
        raise BadInput(
            f"“{signs}{number}” is no weight. Please write it as in (red)1.3, red++ or red-."
        )
    return SIGNS[signs[0]] ** len(signs) if signs else float(number or 1.0)


def _join(parts: Iterable[WeightedWords]) -> Iterator[WeightedWords]:
    """Neighbours of the same weight as one; white space goes with the words after it."""
    text, weight, space = "", 1.0, ""
    for part in parts:
        if part.text == " ":
            space = " " if text else ""
            continue
        own = _check_weight(part)
        if text and own != weight:
            yield WeightedWords(text, weight)
            text, space = space, ""
        text, weight, space = text + space + part.text, own, ""
    if text:
        yield WeightedWords(text, weight)


def _check_weight(part: WeightedWords) -> float:
    low, high = WEIGHT
    weight = round(part.weight, DECIMALS)
    if not low <= weight <= high:
        raise BadInput(
            f"“{part.text[:40]}” has the weight {weight:g}; please give one from {low:g} to "
            f"{high:g}."
        )
    return weight
