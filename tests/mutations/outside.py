"""What comes from outside is hostile until checked: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

BUDGET, PROCESS = "momalisa/film/pixel_budget.py", "momalisa/limited_process.py"
EXPORTS, EMBEDDED = "momalisa/film/exports.py", "momalisa/film/embedded_text.py"
LOCAL, STORED = "momalisa/storage/local.py", "momalisa/stored_films.py"
SERVING, ACCESS = "momalisa/cloud/serving.py", "momalisa/cloud/access.py"
CHECK, REGISTRY = "momalisa/models/component_check.py", "momalisa/models/registry.py"
TESTS_OF_GIFS, TESTS_OF_EXPORTS = "tests/film/test_foreign_gif.py", "tests/film/test_exports.py"
TESTS_OF_PROCESSES = "tests/test_limited_process.py"
TESTS_OF_CONTAINER, TESTS_OF_ACCESS = "tests/cloud/test_limits.py", "tests/cloud/test_access.py"
TESTS_OF_CHECKPOINTS = "tests/models/test_hostile_checkpoints.py"
HOSTILE = f"{TESTS_OF_CHECKPOINTS}::test_a_hostile_checkpoint_is_refused_and_none_of_its_code_runs"
REBOUND = f"{TESTS_OF_ACCESS}::test_a_rebound_name_is_refused_without_a_token"

PICTURES = (
    Mutation(
        "A picture with too many pixels is refused by its header, before it is decoded",
        f"{TESTS_OF_GIFS}::test_no_other_reader_decodes_what_is_too_large",
        (
            Edit(BUDGET, "    if width * height > FRAME_PIXELS:", "    if width < 0:"),
            Edit(BUDGET, "MAX_IMAGE_PIXELS = FRAME_PIXELS // 2", "MAX_IMAGE_PIXELS = None"),
        ),
    ),
    Mutation(
        "A film with too many pixels in all its frames is refused by their headers",
        f"{TESTS_OF_GIFS}::test_too_many_pixels_are_refused_by_the_header",
        (Edit(BUDGET, "if width * height * frames > most:", "if frames < 0:"),),
    ),
    Mutation(
        "A frame that is larger than its film is refused",
        f"{TESTS_OF_GIFS}::test_a_frame_beyond_the_screen_is_refused",
        (Edit(BUDGET, "MAX_IMAGE_PIXELS = FRAME_PIXELS // 2", "MAX_IMAGE_PIXELS = None"),),
    ),
    Mutation(
        "A film from a bucket is decoded in a process with limits of its own",
        f"{TESTS_OF_GIFS}::test_a_film_is_decoded_within_limits_of_memory",
        (
            Edit(
                "momalisa/film/foreign_gif.py",
                "        found = limited_process.call(\n"
                '            f"{__name__}:decode_all", memory=MEMORY + len(data), seconds=SECONDS, '
                "path=str(path)\n"
                "        )\n",
                "        found = decode_all(str(path))\n",
            ),
        ),
    ),
    Mutation(
        "A file that is dropped is read in a process with limits of its own",
        f"{TESTS_OF_EXPORTS}::test_a_file_from_outside_is_read_within_limits_of_memory",
        (
            Edit(
                "momalisa/film/embedded_spec.py",
                "_parse_spec(text)\n\n\n@contextmanager",
                "_parse_spec(extract_text(path.read_bytes()))\n\n\n@contextmanager",
            ),
            Edit(
                "momalisa/film/embedded_spec.py",
                "        text = limited_process.call(\n"
                '            "momalisa.film.embedded_text:extract_text_of_file",\n'
                "            memory=READ_MEMORY,\n"
                "            seconds=READ_SECONDS,\n"
                "            path=str(path),\n"
                "        )\n",
                "",
            ),
        ),
    ),
    Mutation(
        "An export is made in a process with a limit of memory",
        f"{TESTS_OF_EXPORTS}::test_an_export_is_made_within_limits_of_memory",
        (Edit(EXPORTS, "        memory=EXPORT_MEMORY,\n", "        memory=2**40,\n"),),
    ),
    Mutation(
        "The process that reads from outside gets no more memory than it may have",
        f"{TESTS_OF_PROCESSES}::test_more_memory_than_allowed_is_refused",
        (Edit(PROCESS, "            (resource.RLIMIT_DATA, data),\n", ""),),
    ),
    Mutation(
        "The process that reads from outside is ended when its time is over",
        f"{TESTS_OF_PROCESSES}::test_a_process_that_hangs_is_ended",
        (
            Edit(
                PROCESS,
                "                if time.monotonic() > end:\n"
                "                    raise BadInput(TOO_MUCH)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "A process for which nobody waits any more is ended",
        f"{TESTS_OF_PROCESSES}::test_a_process_that_nobody_waits_for_is_ended",
        (Edit(PROCESS, "                if stopped():\n", "                if not stopped:\n"),),
    ),
    Mutation(
        "A walk whose frames would fill the memory is not exported",
        f"{TESTS_OF_EXPORTS}::test_a_walk_that_would_fill_the_memory_is_not_exported",
        (Edit(EXPORTS, "if 3 * places * spec.size**2 > FRAMES_LIMIT:", "if places < 0:"),),
    ),
    Mutation(
        "A film of another program whose frames would fill the memory is not converted",
        f"{TESTS_OF_GIFS}::test_a_film_of_many_large_frames_is_not_converted",
        (
            Edit(
                EXPORTS,
                "if 3 * image.width * image.height * frames > FRAMES_LIMIT:",
                "if frames < 0:",
            ),
        ),
    ),
    Mutation(
        "An archive is not unpacked beyond the size of a record",
        f"{TESTS_OF_EXPORTS}::test_a_zip_bomb_is_not_decompressed",
        (Edit(EMBEDDED, "return record.read(TEXT_LIMIT + 1)", "return record.read()"),),
    ),
    Mutation(
        "A film in a bucket that is far too large is not read",
        "tests/test_stored_films.py::test_what_is_far_too_large_is_not_read",
        (Edit(STORED, "    if size > FILM_BYTES:", "    if size < 0:"),),
    ),
    Mutation(
        "A record in a bucket that is far too large is not read",
        "tests/test_stored_films.py::test_what_is_far_too_large_is_not_read",
        (Edit(STORED, "if stored.size > RECORD_BYTES:", "if stored.size < 0:"),),
    ),
    Mutation(
        "Links to devices and named pipes in a store are no films",
        "tests/storage/test_local.py::test_what_is_no_file_is_neither_listed_nor_read",
        (
            Edit(
                LOCAL,
                "                    if path.is_file():\n"
                "                        yield self._stored_file(path)\n",
                "                    yield self._stored_file(path)\n",
            ),
        ),
    ),
    Mutation(
        "Links to devices and named pipes in a store are not read",
        "tests/storage/test_local.py::test_what_is_no_file_is_neither_listed_nor_read",
        (
            Edit(
                LOCAL,
                "    if path.exists() and not path.is_file():\n"
                '        raise FileNotFoundError(errno.ENOENT, "No file", str(path))\n',
                "",
            ),
        ),
    ),
    Mutation(
        "The command walk puts its film in the place of no device and no pipe",
        "tests/test_render.py::test_a_film_takes_the_place_of_no_device_or_pipe",
        (
            Edit(
                "momalisa/commands/walk.py",
                "if path.exists() and not path.is_file():",
                "if path.is_file() and not path.exists():",
            ),
        ),
    ),
)
"""Pictures, records and files."""

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
                "        return request_format",
                "        card, _ = server.loaded_model()\n        return request_format",
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
        (Edit(SERVING, "if len(body) > REQUEST_BYTES:", "if len(body) < 0:"),),
    ),
    Mutation(
        "Frames that cannot fit into an answer are refused before one is painted",
        f"{TESTS_OF_CONTAINER}::test_frames_that_cannot_fit_are_refused_before_they_are_painted",
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
        f"{TESTS_OF_CONTAINER}::test_frames_that_will_not_fit_are_given_up_after_the_first",
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
        HOSTILE,
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
        (Edit(CHECK, "            _check_weights(", "            (lambda *_: None)("),),
    ),
    Mutation(
        "A checkpoint that adapts other weights is refused",
        HOSTILE,
        (
            Edit(
                CHECK,
                'if (folder / name / "adapter_config.json").exists():',
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
        "Pickled weights are not loaded, since they run code",
        "tests/models/test_registry.py::test_pickled_weights_are_not_loaded",
        (
            Edit(
                "momalisa/models/unet_pipeline.py",
                "use_safetensors=True, ",
                "",
            ),
        ),
    ),
)
"""Checkpoints."""

MUTATIONS: tuple[Mutation, ...] = (*PICTURES, *CONTAINER, *CHECKPOINTS)
"""All mutations, in the order in which they are told."""
