"""A short run of the hostile inputs: the app answers each, and its parsers raise sentences only."""

import sys

import pytest

from tests.chaos import fuzz_parsers, hostile


@pytest.mark.timeout(600)
def test_hostile_inputs_break_nothing() -> None:
    findings = hostile.run(120)
    assert findings.figures["broken"] == []
    assert {"400", "404"} <= findings.figures["statuses"].keys()  # some pass the door


@pytest.mark.skipif(sys.platform != "linux", reason="Atheris is installed on Linux only")
def test_the_fuzzer_finds_what_a_parser_does_not_expect() -> None:
    assert fuzz_parsers.fuzz(["self_test"], 10_000)
