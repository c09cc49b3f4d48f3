"""Pictures, records and files from outside: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

BUDGET, PROCESS = "momalisa/film/pixel_budget.py", "momalisa/limited_process.py"
EXPORTS, EMBEDDED = "momalisa/film/exports.py", "momalisa/film/embedded_text.py"
LOCAL, STORED = "momalisa/storage/local.py", "momalisa/stored_films.py"
TESTS_OF_GIFS, TESTS_OF_EXPORTS = "tests/film/test_foreign_gif.py", "tests/film/test_exports.py"
TESTS_OF_PROCESSES = "tests/test_limited_process.py"

MUTATIONS: tuple[Mutation, ...] = (
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
        (
            Edit(BUDGET, "    if width * height > FRAME_PIXELS:", "    if width < 0:"),
            Edit(BUDGET, "MAX_IMAGE_PIXELS = FRAME_PIXELS // 2", "MAX_IMAGE_PIXELS = None"),
        ),
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
        (Edit(EXPORTS, "if 3 * places * spec.pixels > FRAMES_LIMIT:", "if places < 0:"),),
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
        (Edit(EMBEDDED, "return record.read(RECORD_BYTES + 1)", "return record.read()"),),
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
        "tests/commands/test_walk.py::test_a_film_takes_the_place_of_no_device_or_pipe",
        (
            Edit(
                "momalisa/commands/walk.py",
                "if path.exists() and not path.is_file():",
                "if path.is_file() and not path.exists():",
            ),
        ),
    ),
)
"""All mutations, in the order in which they are told."""
