"""Checkpoints as people have them: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

COPIED, FAMILIES = "tests/models/test_copied_folders.py", "tests/models/test_families.py"
WEIGHTS, MEMORY = "momalisa/models/weights.py", "momalisa/models/card_memory.py"
FITTING, TESTS_OF_FITTING = "momalisa/models/weight_check.py", "tests/models/test_weight_check.py"
MISFIT = f"{TESTS_OF_FITTING}::test_weights_that_do_not_fit_are_told_with_the_command_that_helps"

NO_STATE_OF_WEIGHTS = Edit(
    "momalisa/models/measured.py", "(CONFIG, usual_file(name)):", "(CONFIG,):"
)
MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "Weights that are cut off are listed as damaged",
        f"{COPIED}::test_damaged_weights_are_listed_as_such_with_the_command_that_helps",
        (Edit(WEIGHTS, "(is_long_enough or has_all_bytes(path))", "bool(path)"),),
    ),
    Mutation(
        "Weights that are being copied are looked at anew until they are whole",
        f"{COPIED}::test_weights_are_whole_again_once_all_of_them_are_copied",
        (
            Edit(
                MEMORY,
                "            if card.is_settled:\n",
                "            if card:\n",
            ),
            NO_STATE_OF_WEIGHTS,
        ),
    ),
    Mutation(
        "Weights that were written over while nobody looked are looked at anew",
        "tests/models/test_card_memory.py"
        "::test_weights_that_were_written_over_since_are_looked_at_again",
        (NO_STATE_OF_WEIGHTS,),
    ),
    Mutation(
        "What would not be loaded is not listed as here",
        "tests/models/test_refused_folders.py"
        "::test_what_loading_refuses_is_listed_as_refused_with_the_same_reason",
        (
            Edit(
                "momalisa/models/measured.py",
                "        check_components(folder, index)\n",
                "        del index\n",
            ),
        ),
    ),
    Mutation(
        "What another program has read of a checkpoint is read again",
        "tests/models/test_card_memory.py::test_what_another_program_has_read_is_read_again",
        (Edit(MEMORY, 'if told["program"] == list(_program_state()):', "if told:"),),
    ),
    Mutation(
        "What would not be loaded is refused before its weights are brought",
        "tests/models/test_download.py"
        "::test_what_would_not_be_loaded_is_refused_before_its_weights_are_brought",
        (
            Edit(
                "momalisa/models/download.py",
                "        _check_loadable(hub_id, index.parent)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A large file that was broken off goes on where it was",
        "tests/models/test_download.py"
        "::test_a_file_that_was_broken_off_goes_on_where_it_was_at_the_next_try",
        (
            Edit(
                "momalisa/models/download.py",
                "        bring_large_files(hub_id, index.parent, missing)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "Frames that an earlier adapter painted otherwise are painted anew",
        "tests/models/test_registry.py::test_frames_of_two_families_alone_are_painted_anew",
        (
            Edit(
                "momalisa/models/digest.py",
                "if (revision := _revision(folder)) != 1:",
                "if (revision := _revision(folder)) < 1:",
            ),
        ),
    ),
    Mutation(
        "Weights that a text encoder lacks are not made up",
        MISFIT,
        (
            Edit(
                FITTING,
                "missing = {weight for weight in told[",
                "missing = {weight for weight in told and []} and {weight for weight in told[",
            ),
        ),
    ),
    Mutation(
        "Weights that do not fit a configuration are told in a sentence",
        MISFIT,
        (Edit("momalisa/models/registry.py", " or find_misfit(folder)\n", "\n"),),
    ),
    Mutation(
        "LoRAs of layers that see the tokens of all samples act on each sample alone",
        f"{FAMILIES}::test_loras_of_layers_that_see_all_samples_at_once_act_on_each_alone",
        (
            Edit(
                "momalisa/models/z_image.py",
                "for some in passes_of_one_weight(len(latents)):",
                "for some in (slice(len(latents)),):",
            ),
        ),
    ),
    Mutation(
        "Between texts of different lengths the shorter one holds its last token",
        f"{FAMILIES}::test_a_shorter_text_holds_its_last_token_with_loras_and_without",
        (
            Edit(
                "momalisa/engine/latents.py",
                "        return {prompt: self._encode(prompt) for prompt in prompts}\n",
                "        rows = self.runner.encode(list(prompts), *self._size)\n"
                "        return {p: rows[row : row + 1] for row, p in enumerate(prompts)}\n",
            ),
        ),
    ),
    Mutation(
        "A scheduler that needs SciPy is refused where that is not installed",
        f"{COPIED}::test_a_scheduler_that_needs_scipy_is_refused_where_that_is_not_installed",
        (Edit("momalisa/models/component_check.py", "    _check_packages(where, config)\n", ""),),
    ),
    Mutation(
        "A guess of a checkpoint's steps is told",
        "tests/models/test_distillation.py::test_a_word_in_its_name_makes_a_guess_that_is_told",
        (
            Edit(
                "momalisa/models/distillation.py",
                "return UsualSettings(steps, 1.0, doubt=doubt)",
                "return UsualSettings(steps, 1.0)",
            ),
        ),
    ),
)
