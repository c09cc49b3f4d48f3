"""Checks of single values in a walk's spec, with sentences for people."""

import re
import unicodedata
from typing import Any

from pydantic import BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

TEXT_LENGTH = 500
"""Most characters of a text."""

_TAG = re.compile(r"<\s*[/!a-zA-Z]")
_BLANKS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and signs that look like nothing, besides those that are not printable."""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def refusal(sentence: str) -> PydanticCustomError:
    """The error of a value that is refused, to be raised; `explain` finds the sentence."""
    return PydanticCustomError("walk", "{sentence}", {"sentence": sentence})


def check_text(text: object, *, what: str) -> str:
    """Normalise white space; reject other types, control characters, markup and long texts."""
    if not isinstance(text, str):
        raise refusal(f"{what} must be text.")
    _check_length(text, what)
    words = " ".join(unicodedata.normalize("NFC", text).split())
    _check_length(words, what)  # NFC makes two characters of some, as of Hindi's ड़
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _BIDI for c in words):
        raise refusal(f"{what} holds invisible control characters. Please type it anew.")
    if _TAG.search(words):
        raise refusal(f"{what} holds code such as <script>. Please describe a picture in words.")
    return words


def is_visible(text: str) -> bool:
    """Whether anything of a text can be seen: zero-width characters, say, cannot."""
    marks = unicodedata.normalize("NFC", text)
    return any(c.isprintable() and c not in _BLANKS and not _is_blank_mark(c) for c in marks)


def _is_blank_mark(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Mn"


def _check_length(text: str, what: str) -> None:
    if len(text) > TEXT_LENGTH:
        raise refusal(
            f"{what} has {len(text):,} characters; the model reads the first few dozen words. "
            f"Please keep it to {TEXT_LENGTH}."
        )


def check_integer(value: object, *, what: str, low: int, high: int) -> int:
    """Convert to an integer; reject anything else than one from `low` to `high`."""
    sentence = f"{what} must be a whole number from {low:,} to {high:,}."
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refusal(sentence)
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise refusal(sentence) from None
    if not isinstance(value, str) and number != value:
        raise refusal(sentence)
    if not low <= number <= high:
        raise refusal(f"{sentence[:-1]}, not {_format_number(number)}.")
    return number


def _format_number(number: int) -> str:
    digits = len(str(abs(number)))
    return f"{number:,}" if digits <= 12 else f"a number of {digits} digits"


def check_number(value: object, *, what: str, low: float, high: float) -> float:
    """Convert to a float; reject anything else than a number from `low` to `high`."""
    try:
        number = float("nan") if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not low <= number <= high:
        raise refusal(f"{what} must be a number from {low:g} to {high:g}.")
    return number


def integer_field(what: str, low: int, high: int) -> BeforeValidator:
    """The validator of a field that `check_integer` checks."""
    return BeforeValidator(lambda value: check_integer(value, what=what, low=low, high=high))


def number_field(what: str, low: float, high: float) -> BeforeValidator:
    """The validator of a field that `check_number` checks."""
    return BeforeValidator(lambda value: check_number(value, what=what, low=low, high=high))


def count_from_one(field: str) -> str:
    """A field's name as people count: `stops.1.prompt` is "stop 2, prompt"."""
    found = re.fullmatch(r"stops\.([0-9]+)(?:\.(.+))?", field)
    return f"stop {int(found[1]) + 1}" + (f", {found[2]}" if found[2] else "") if found else field


def explain(error: ValidationError) -> dict[str, str]:
    """Return a failed validation's sentences by field, such as `stops.0.prompt` or `frames`."""
    return {_field(problem["loc"]): _sentence(problem) for problem in error.errors()}


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "stops"


def _sentence(problem: Any) -> str:
    name = str(problem["loc"][-1]) if problem["loc"] else "walk"
    shown = "It" if name.isdecimal() else name.capitalize().replace("_", " ")
    match problem["type"]:
        case "walk":
            return str(problem["msg"])
        case "literal_error":
            return f"{shown} must be one of {problem['ctx']['expected']}."
        case "extra_forbidden":
            return f"A walk has no setting named “{name[:40]}”."
        case "bool_parsing" | "bool_type":
            return f"{shown} must be true or false."
        case "tuple_type":
            return f"{shown} must be a list."
        case "model_type" | "model_attributes_type":
            return f"{shown} must be an object with named values."
        case "missing":
            return f"The walk lacks its {name}."
        case _:
            return f"{shown}: {problem['msg']}."
