"""What is shown of a film: the promises of its WebP, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

STORED = "tests/test_stored_webps.py::test_"
WEBP_FILES = "momalisa/storage/webp_files.py"
SHOWN = "tests/film/test_shown.py::test_"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "A film without its WebP is whole",
        f"{STORED}a_film_without_its_webp_is_no_lost_film",
        (
            Edit(
                "momalisa/stored_films.py",
                '{"gif", "poster", "json", *stops}',
                '{"gif", "webp", "poster", "json", *stops}',
            ),
        ),
    ),
    Mutation(
        "A lost WebP is made of the frames, where these are at hand",
        f"{STORED}a_repair_makes_the_webp_and_the_poster_of_the_frames",
        (
            Edit(
                "momalisa/repair.py",
                "webp = _encode_from_cache(encode_shown_film, database, row.id, cache)",
                'webp = b""',
            ),
        ),
    ),
    Mutation(
        "A lost poster is made of the frames, not of the dithered GIF",
        f"{STORED}a_repair_makes_the_webp_and_the_poster_of_the_frames",
        (
            Edit(
                "momalisa/repair.py",
                "poster = _encode_from_cache(encode_shown_poster, database, row.id, cache)",
                'poster = b""',
            ),
        ),
    ),
    Mutation(
        "A film whose WebP cannot be made again plays its GIF",
        f"{STORED}without_its_frames_a_repaired_film_plays_its_gif",
        (
            Edit(
                "momalisa/repair.py",
                'if key != row.files.get("webp"):',
                "if key:",
            ),
        ),
    ),
    Mutation(
        "A walk whose end is tried again is stored, although its WebP comes out otherwise",
        f"{STORED}a_second_run_with_another_encoder_leaves_the_webp",
        (
            Edit(
                "momalisa/storage/outbox.py",
                'if name.suffix == ".webp":',
                'if name.stem == "poster":',
            ),
        ),
    ),
    Mutation(
        "A WebP of another program is not taken for a film",
        f"{STORED}a_webp_of_another_program_is_not_played",
        (Edit("momalisa/storage/interface.py", ' if _OWN_GIF.fullmatch(gif) else ""', ""),),
    ),
    Mutation(
        "Films that are stored with a WebP play it, whoever took them in",
        f"{STORED}a_webp_that_an_earlier_version_did_not_know_is_played",
        (Edit("momalisa/sync.py", "    hang_webps(database, rows, folders)\n", ""),),
    ),
    Mutation(
        "A picture that is cut short is reported",
        f"{STORED}a_picture_that_is_cut_short_is_told_and_made_anew",
        (Edit(WEBP_FILES, "announced > size)", "announced < size)"),),
    ),
    Mutation(
        "Zeros that a power cut left are no picture",
        f"{STORED}a_picture_that_is_cut_short_is_told_and_made_anew",
        (Edit(WEBP_FILES, "not any(start) or (", "("),),
    ),
    Mutation(
        "No history plays a WebP that is cut short",
        f"{STORED}a_history_that_is_rebuilt_plays_no_webp_that_is_cut_short",
        (
            Edit(
                "momalisa/sync.py",
                "    folders, damaged = _leave_out_damaged(storage, folders)\n",
                "    _, damaged = _leave_out_damaged(storage, folders)\n",
            ),
        ),
    ),
    Mutation(
        "A repair takes a WebP away that is cut short, where it cannot be made",
        f"{STORED}without_its_frames_a_film_whose_webp_is_cut_short_plays_its_gif",
        (
            Edit(
                "momalisa/repair.py",
                "                delete_cut_short(storage, row.webp)\n",
                "                pass\n",
            ),
        ),
    ),
    Mutation(
        "A film that is made again replaces pictures that are cut short",
        f"{STORED}a_film_that_is_made_again_replaces_a_webp_that_is_cut_short",
        (
            Edit(
                WEBP_FILES,
                "    elif _is_damaged(storage, found):\n        storage.replace",
                "    elif not found:\n        storage.replace",
            ),
        ),
    ),
    Mutation(
        "A film is made without holding all of its frames",
        f"{SHOWN}a_film_is_encoded_without_holding_its_frames",
        (
            Edit(
                "momalisa/film/encode.py",
                "lambda index: encode(frames[index]), range(len(frames))",
                "encode, list(frames)",
            ),
        ),
    ),
    Mutation(
        "A download without cached frames is made from the WebP",
        "tests/pages/test_downloads.py"
        "::test_a_download_is_made_from_the_webp_if_that_is_whole[whole]",
        (
            Edit(
                "momalisa/ui/http/downloads.py", "if webp := _stored_webp(walk):", "if webp := b'':"
            ),
        ),
    ),
    Mutation(
        "A download is not made from a WebP of another size",
        "tests/pages/test_downloads.py"
        "::test_a_download_is_made_from_the_webp_if_that_is_whole[of another size]",
        (Edit("momalisa/film/exports.py", " or not _are_shown_size(frames, spec)", ""),),
    ),
    Mutation(
        "The dither of a GIF is not sharpened",
        f"{SHOWN}the_dither_of_a_gif_is_not_sharpened",
        (Edit("momalisa/film/exports.py", "partial(enlarge, sharpen=False)", "enlarge"),),
    ),
    Mutation(
        "A page plays the GIF where the WebP is gone",
        "tests/browser/test_shown_films.py::test_a_film_plays_wherever_it_is_shown[bereft]",
        (Edit("momalisa/ui/history.py", '"fallback": gif} if webp', '"fallback": ""} if webp'),),
    ),
)
