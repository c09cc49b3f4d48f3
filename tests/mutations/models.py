"""Requests to the container, and checkpoints: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

SERVING, ACCESS = "momalisa/cloud/serving.py", "momalisa/cloud/access.py"
CHECK, REGISTRY = "momalisa/models/component_check.py", "momalisa/models/registry.py"
TESTS_OF_CONTAINER, TESTS_OF_ACCESS = "tests/cloud/test_limits.py", "tests/cloud/test_access.py"
TESTS_OF_CHECKPOINTS = "tests/models/test_hostile_checkpoints.py"
LOADED = f"{TESTS_OF_CHECKPOINTS}::test_a_hostile_checkpoint_is_refused_and_none_of_its_code_runs"
HOSTILE = f"{TESTS_OF_CHECKPOINTS}::test_a_hostile_checkpoint_is_refused_before_anything_is_loaded"
REBOUND = f"{TESTS_OF_ACCESS}::test_a_rebound_name_is_refused_without_a_token"

FAMILIES = "tests/models/test_families.py"

LORAS, TESTS_OF_LORAS = "momalisa/models/lora_files.py", "tests/models/test_lora_files.py"

WALKING = (
    Mutation(
        "A frame between two stops has the LoRA's weight in between",
        "tests/models/test_loras.py::test_between_two_stops_the_weight_is_in_between[sd]",
        (
            Edit(
                "momalisa/engine/lora_weights.py",
                "mixed = (1.0 - at) * starts + at * stops",
                "mixed = starts + 0.0 * at * stops",
            ),
        ),
    ),
    Mutation(
        "A file that would replace a model's weights is not loaded as a LoRA",
        f"{TESTS_OF_LORAS}::test_what_is_no_lora_is_refused_by_its_header",
        (
            Edit(
                LORAS,
                "if not names or not all(map(_MATRIX.search, names)):",
                "if not names:",
            ),
        ),
    ),
    Mutation(
        "A portrait is another frame than a square",
        "tests/engine/test_frame_cache.py::test_key_tells_shapes_apart_and_squares_as_ever",
        (
            Edit(
                "momalisa/engine/frame_cache.py",
                'conditions["height"] = spec.height',
                'conditions["size"] = spec.size',
            ),
        ),
    ),
    Mutation(
        "Noise that steps add goes from one seed to the other along the walk",
        "tests/engine/test_step_noise.py"
        "::test_between_two_stops_it_is_on_the_arc_and_batches_change_nothing",
        (
            Edit(
                "momalisa/engine/step_noise.py",
                "if noise is None or func is not torch.randn:",
                "if noise is not None or func is not torch.randn:",
            ),
        ),
    ),
    Mutation(
        "Predictions lead to an end though texts differ in length",
        f"{FAMILIES}::test_predictions_lead_to_an_end_though_texts_differ_in_length",
        (
            Edit(
                "momalisa/engine/prediction_mix.py",
                "for text in (conditions, toward.end)",
                "for text in (conditions, conditions)",
            ),
        ),
    ),
)

CONTAINER = (
    Mutation(
        "The container answers predictions only to who has its token",
        f"{TESTS_OF_ACCESS}::test_with_a_token_or_on_vertex_ai_any_name_will_do",
        (
            Edit(
                ACCESS,
                'if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):',
                "if not token:",
            ),
        ),
    ),
    Mutation(
        "Each route of the container but its health asks who sends",
        f"{TESTS_OF_CONTAINER}::test_predictions_ask_for_the_token_and_the_health_check_does_not",
        (
            Edit(
                SERVING,
                "        _check_sender(request)\n        card, _ = server.loaded_model()\n"
                "        return description",
                "        card, _ = server.loaded_model()\n        return description",
            ),
        ),
    ),
    Mutation(
        "The app sends the container's token",
        f"{TESTS_OF_ACCESS}::test_the_app_sends_the_token",
        (
            Edit(
                "momalisa/cloud/endpoint.py",
                "if token := settings().endpoint_token:",
                "if token := settings().endpoint_token * 0:",
            ),
        ),
    ),
    Mutation(
        "Without a token, and outside Vertex AI, the container listens on this machine only",
        f"{TESTS_OF_ACCESS}::test_without_a_token_only_this_machine_and_vertex_ai_ask",
        (
            Edit(
                ACCESS,
                'return "0.0.0.0" if token or _is_vertex(environment) else "127.0.0.1"',
                'return "0.0.0.0"',
            ),
        ),
    ),
    Mutation(
        "Without a token the container answers under no other site's name",
        REBOUND,
        (
            Edit(
                ACCESS,
                'if not is_known(parse_host(headers.get("host", "")), ()):',
                "if not headers and token:",
            ),
        ),
    ),
    Mutation(
        "Without a token the container answers no page in a browser",
        f"{TESTS_OF_ACCESS}::test_pages_of_other_sites_cannot_send_requests_without_a_token",
        (Edit(ACCESS, 'if "origin" in headers:', "if token:"),),
    ),
    Mutation(
        "A request whose body does not arrive in time is ended",
        f"{TESTS_OF_CONTAINER}::test_a_body_that_does_not_arrive_is_refused",
        (
            Edit(
                SERVING,
                "with body.scope, fail_after(READ_SECONDS):",
                "with body.scope, fail_after(1e9):",
            ),
        ),
    ),
    Mutation(
        "Requests whose bodies do not arrive make room for others",
        f"{TESTS_OF_CONTAINER}::test_bodies_that_do_not_arrive_make_room",
        (
            Edit(
                SERVING,
                "min(arriving, key=lambda body: body.rate).scope.cancel()",
                "pass",
            ),
        ),
    ),
    Mutation(
        "A request to the container has a largest size",
        "tests/cloud/test_bad_requests.py::test_too_large_a_body_is_refused",
        (Edit(SERVING, "if len(body) > most_bytes:", "if len(body) < 0:"),),
    ),
    Mutation(
        "Frames that cannot fit into an answer are refused before one is painted",
        f"{TESTS_OF_CONTAINER}::test_frames_that_do_not_fit_are_refused_before_or_soon_after_they_are_begun",
        (
            Edit(
                SERVING,
                "        _check_least_size([walk.spec for walk in walks], limit)\n",
                "        pass\n",
            ),
        ),
    ),
    Mutation(
        "Frames that will not fit into an answer are given up after the first",
        f"{TESTS_OF_CONTAINER}::test_frames_that_do_not_fit_are_refused_before_or_soon_after_they_are_begun",
        (
            Edit(
                SERVING,
                "if len(self._sizes) > 1 and estimate > TOLERANCE * self._limit:",
                "if estimate < 0:",
            ),
        ),
    ),
    Mutation(
        "No more frames are encoded than fit into an answer",
        f"{TESTS_OF_CONTAINER}::test_encoding_stops_where_the_answer_is_full",
        (
            Edit(
                SERVING,
                "        if limit < 0:\n            return None\n"
                "        pictures.append(picture)\n    return pictures\n",
                "        pictures.append(picture)\n    return pictures if limit >= 0 else None\n",
            ),
        ),
    ),
)
"""Requests to the container."""

CHECKPOINTS = (
    Mutation(
        "A visitor cannot tell which folders there are by naming them as models",
        f"{TESTS_OF_CHECKPOINTS}::test_a_visitor_cannot_tell_paths_apart",
        (
            Edit(
                REGISTRY,
                "return _check_ready(name, _from_names(name) or _from_hub(name))",
                "return find(name)",
            ),
        ),
    ),
    Mutation(
        "A class name that is no text is told in a sentence",
        f"{TESTS_OF_CHECKPOINTS}::test_any_value_of_the_class_name_is_refused_with_a_sentence",
        (Edit(CHECK, "    if not isinstance(family, str):", "    if not folder:"),),
    ),
    Mutation(
        "A checkpoint is checked before anything is loaded from it",
        LOADED,
        (Edit(REGISTRY, "        check_components(folder)\n", ""),),
    ),
    Mutation(
        "A checkpoint names components of known classes only",
        HOSTILE,
        (Edit(CHECK, "        and value[1] in allowed\n", ""),),
    ),
    Mutation(
        "A checkpoint names components of known libraries only",
        HOSTILE,
        (
            Edit(CHECK, "        and value[0] in _LIBRARIES\n", ""),
            Edit(CHECK, "        and value[1] in allowed\n", "        and value[1]\n"),
        ),
    ),
    Mutation(
        "A configuration names known classes only",
        HOSTILE,
        (Edit(CHECK, "if class_name is not None and not known:", "if known is None:"),),
    ),
    Mutation(
        "A checkpoint that brings code of its own is refused",
        HOSTILE,
        (Edit(CHECK, "if _CODE_SETTINGS & config.keys():", "if not where:"),),
    ),
    Mutation(
        "A checkpoint with weights in other folders is refused",
        HOSTILE,
        (Edit(CHECK, "        _check_weights(", "        (lambda *_: None)("),),
    ),
    Mutation(
        "A checkpoint that adapts other weights is refused",
        HOSTILE,
        (
            Edit(
                CHECK,
                'if "adapter_config.json" in files:',
                "if not name:",
            ),
        ),
    ),
    Mutation(
        "A scheduler whose tables would fill the memory is refused",
        HOSTILE,
        (Edit(CHECK, "    _check_noise_levels(where, config)\n", ""),),
    ),
    Mutation(
        "A model whose files are missing is refused with the command that brings them",
        "tests/models/test_folder_check.py::test_what_lacks_files_is_not_loaded",
        (Edit(REGISTRY, "        check_whole(folder)\n", ""),),
    ),
    Mutation(
        "A model whose weights have no place is refused before it is loaded",
        "tests/models/test_placement.py::test_what_has_no_place_is_refused_with_both_numbers",
        (
            Edit(
                "momalisa/models/placement.py",
                "if is_certainly_too_large(demand, machine):",
                "if False:",
            ),
        ),
    ),
    Mutation(
        "Large pictures are decoded in tiles where memory is short",
        "tests/models/test_placement.py::test_a_large_picture_is_decoded_in_tiles",
        (
            Edit(
                "momalisa/models/diffusers_pipeline.py",
                "self.free_memory, pixels=pixels",
                "2**60, pixels=pixels",
            ),
        ),
    ),
    Mutation(
        "Files that are not what the hub says are deleted",
        "tests/models/test_download.py::test_files_with_another_digest_are_deleted",
        (
            Edit(
                "momalisa/models/download.py",
                'wrong = [entry["path"] for entry in found.mismatches]',
                "wrong: list[str] = []",
            ),
        ),
    ),
    Mutation(
        "Pickled weights are not loaded, since they run code",
        "tests/models/test_registry.py::test_pickled_weights_are_not_loaded",
        (
            Edit(
                "momalisa/models/diffusers_pipeline.py",
                "use_safetensors=True, ",
                "",
            ),
            Edit(REGISTRY, "        check_whole(folder)\n", ""),
            Edit(
                "momalisa/models/placement.py",
                "weights = read_weights(folder)",
                "from momalisa.models.fit import Weights; weights = Weights(1, 1)",
            ),
        ),
    ),
)
"""Checkpoints."""

MUTATIONS: tuple[Mutation, ...] = (*CONTAINER, *CHECKPOINTS, *WALKING)
"""All mutations, in the order in which they are told."""
