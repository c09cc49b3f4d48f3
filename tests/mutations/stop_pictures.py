"""Pictures as stops: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

ROUTES, NAMED = "momalisa/ui/http/stop_pictures.py", "momalisa/works/named_picture.py"
WORKER = "momalisa/worker/worker.py"
REQUESTS = "momalisa/cloud/request_pictures.py"
TESTS, TESTS_OF_NAMES = "tests/pages/test_stop_pictures.py", "tests/works/test_stop_images.py"
TESTS_OF_WALKS, TESTS_OF_REQUESTS = "tests/test_picture_walks.py", "tests/test_endpoint_pictures.py"

MUTATIONS = (
    Mutation(
        "Only those who may make walks put pictures into the history",
        "tests/pages/test_policy.py::test_routes_know_who_is_signed_in",
        (Edit(ROUTES, "permit(Action.MAKE, take_in_upload)", "take_in_upload"),),
    ),
    Mutation(
        "A picture from a visitor may have so many bytes and no more",
        f"{TESTS}::test_a_file_that_is_too_large_is_a_sentence",
        (
            Edit(ROUTES, "stop_pictures.MOST_BYTES, keep)", "2**40, keep)"),
            Edit("momalisa/stop_pictures.py", "    if size > MOST_BYTES:", "    if size < 0:"),
        ),
    ),
    Mutation(
        "A visitor who brings many pictures pushes out none of others",
        "tests/pages/test_own_pictures.py::test_ones_own_oldest_go_and_others_stay",
        (
            Edit(
                "momalisa/ui/own_pictures.py",
                "            if other == maker:",
                "            if True:",
            ),
        ),
    ),
    Mutation(
        "Pictures that no walk came to use go, though no visitor brings another",
        "tests/worker/test_housekeeping.py::test_pictures_that_were_not_used_for_long_go_without_"
        "another_upload",
        (Edit(WORKER, "            self._housekeeping.tidy_if_due()\n", ""),),
    ),
    Mutation(
        "An address that is no museum's is asked nothing",
        f"{TESTS}::test_a_work_that_is_not_offered_is_a_sentence",
        (Edit(NAMED, "        if museum.own_picture(_whole(address)):", "        if museum:"),),
    ),
    Mutation(
        "A work that is not free is no stop by its picture's address either",
        f"{TESTS_OF_NAMES}::test_an_address_of_a_picture_that_is_not_free_is_no_stop",
        (Edit(NAMED, "work is not None and not work.licence", "work is None"),),
    ),
    Mutation(
        "With a deleted walk goes the noise that its picture was painted from",
        f"{TESTS_OF_WALKS}::test_a_deleted_walk_leaves_nothing_of_its_picture_unless_another_film_"
        "has_it",
        (
            Edit(
                "momalisa/engine/frame_cache.py",
                "                noise.unlink(missing_ok=True)",
                "                pass",
            ),
        ),
    ),
    Mutation(
        "A request brings no more pictures than a walk can have",
        f"{TESTS_OF_REQUESTS}::test_what_is_no_usable_picture_is_a_sentence_that_names_the_field",
        (Edit(REQUESTS, "MOST = STOPS[1]", "MOST = 10**6"),),
    ),
)
