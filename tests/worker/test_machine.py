"""The machine's record: pauses grow, restarts forget nothing, and blame needs evidence."""

from pathlib import Path

import pytest

from momalisa.worker.blame import Blame
from momalisa.worker.job_end import Fault
from momalisa.worker.machine import Machine
from momalisa.worker.timing import Timing
from momalisa.worker.walk_ends import MOST_TRIES_AMONG_OTHERS, MOST_TRIES_OTHERWISE, try_again


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "machine.json"


def test_sound_machine_needs_no_proof_and_leaves_no_file(path: Path) -> None:
    machine = Machine(path, (1.0, 600.0))
    machine.note_success()
    assert not machine.needs_proof
    assert not path.exists()


def test_pauses_double_up_to_the_longest(path: Path) -> None:
    machine = Machine(path, (1.0, 30.0))
    pauses = []
    for _ in range(8):
        machine.note_fault("The disk is full.")
        pauses.append(round(machine.seconds_left))
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_restart_forgets_nothing(path: Path) -> None:
    for _ in range(3):
        Machine(path, (100.0, 600.0)).note_fault("The device failed.", "walk")
    again = Machine(path, (100.0, 600.0))
    assert (again.failures, again.problem_to_show) == (3, "The device failed.")
    assert again.needs_proof
    assert again.seconds_left > 300


def test_single_fault_is_not_shown(path: Path) -> None:
    machine = Machine(path, (1.0, 600.0))
    machine.note_fault("The device failed.")
    assert (machine.problem, machine.problem_to_show) == ("The device failed.", "")


def test_walk_alone_is_suspected_until_others_fail_too(path: Path) -> None:
    machine = Machine(path, (1.0, 600.0))
    machine.note_fault("It failed.", "poison")
    machine.note_proof()
    assert machine.is_only_suspect("poison")
    machine.note_fault("It failed.", "sound")
    assert not machine.is_only_suspect("poison")
    assert not machine.is_only_suspect("sound")


def test_success_puts_the_blame_on_the_walk(path: Path) -> None:
    machine = Machine(path, (1.0, 600.0))
    for walk in ("poison", "unlucky"):
        machine.note_fault("It failed.", walk)
    machine.note_success()
    machine.note_fault("It failed.", "poison")
    assert machine.is_only_suspect("poison")


def test_walk_is_given_up_after_more_tries_where_others_fail_too(path: Path) -> None:
    machine = Machine(path, (1.0, 600.0))
    fault = Fault(Blame.MACHINE, "A disk failed.", "It failed.")

    def most_tries() -> int:
        return int(try_again(fault, "poison", machine, Timing()).fields["most_tries"])

    machine.note_fault(fault.sentence, "poison")
    assert most_tries() == MOST_TRIES_OTHERWISE
    machine.note_fault(fault.sentence, "another")
    assert most_tries() == MOST_TRIES_AMONG_OTHERS


def test_proof_ends_the_pause_but_keeps_the_suspects(path: Path) -> None:
    machine = Machine(path, (1.0, 600.0))
    for walk in ("one", "two", "", "", ""):
        machine.note_fault("It failed.", walk)
    machine.note_proof()
    assert (machine.failures, machine.problem, machine.seconds_left) == (2, "", 0.0)
    assert not machine.needs_proof
    assert Machine(path, (1.0, 600.0)).needs_proof, "a new process proves it anew"


@pytest.mark.parametrize("damaged", [b"", b"{", b'{"failures": "many"}', b"[]"])
def test_damaged_file_is_a_blank_record(path: Path, damaged: bytes) -> None:
    path.write_bytes(damaged)
    assert Machine(path, (1.0, 600.0)).failures == 0


def test_disk_that_takes_nothing_is_remembered_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    machine = Machine(tmp_path / "file" / "machine.json", (1.0, 600.0))
    machine.note_fault("The disk is full.")
    assert machine.needs_proof
