"""Works from museums: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

FETCHING, COLLECTION = "momalisa/works/fetching.py", "momalisa/works/collection.py"
CONNECTIONS = "momalisa/works/connections.py"
TESTS, TESTS_OF_FETCHING = "tests/works/test_museums.py", "tests/works/test_fetching.py"
STAYS = f"{TESTS_OF_FETCHING}::test_a_fault_that_stays_is_a_sentence_and_nothing_is_stored"

MUTATIONS = (
    Mutation(
        "A redirect to another host than the museum's is not followed",
        STAYS,
        (
            Edit(
                FETCHING,
                "                if not is_allowed(url, hosts):",
                "                if False:",
            ),
        ),
    ),
    Mutation(
        "An address that only begins like a museum's host is refused",
        f"{TESTS_OF_FETCHING}::test_only_a_museums_own_addresses_are_allowed",
        (
            Edit(
                FETCHING,
                'f"https://{url.host}{url.path}".startswith(hosts)',
                'f"https://{url.host}".startswith(tuple(h.rpartition("/api")[0] for h in hosts))',
            ),
        ),
    ),
    Mutation(
        "An address without anything unusual is not the museum's for that",
        f"{TESTS_OF_FETCHING}::test_only_a_museums_own_addresses_are_allowed",
        (Edit(FETCHING, "return address.startswith(hosts) and ", "return "),),
    ),
    Mutation(
        "A picture's address in a record is kept only if it is the museum's own",
        f"{TESTS}::test_a_record_sends_us_nowhere",
        (
            Edit(
                "momalisa/works/museum.py",
                'return address if is_allowed(address, self.pictures) else ""',
                "return address",
            ),
        ),
    ),
    Mutation(
        "A work that is not marked as free is not offered",
        f"{TESTS}::test_only_free_works_with_a_picture_are_offered",
        (Edit(COLLECTION, "    if work.withheld:\n", "    if not work.picture:\n"),),
    ),
    Mutation(
        "A work of the Rijksmuseum with other rights beside the free ones is not offered",
        f"{TESTS}::test_rights_that_are_not_clearly_free_are_not",
        (
            Edit(
                "momalisa/works/work.py",
                'return licences.pop() if len(licences) == 1 else ""',
                'return next(filter(None, licences), "")',
            ),
        ),
    ),
    Mutation(
        "A museum's picture that is too large, damaged or none leaves nothing behind",
        f"{TESTS}::test_a_faulty_picture_is_a_sentence_and_nothing_is_stored",
        (Edit(COLLECTION, "            source.unlink(missing_ok=True)", "            pass"),),
    ),
    Mutation(
        "A museum that sends byte by byte holds nothing up",
        f"{TESTS_OF_FETCHING}::test_a_museum_that_drips_is_left",
        (Edit(CONNECTIONS, "left = self.end - time.monotonic()", "left = 3600.0"),),
    ),
    Mutation(
        "An answer that a museum does not document is not kept",
        f"{TESTS}::test_a_faulty_search_is_a_sentence_and_nothing_is_stored",
        (
            Edit(FETCHING, "        found = parse(answer)\n", ""),
            Edit(FETCHING, "        return found\n", "        return parse(answer)\n"),
        ),
    ),
    Mutation(
        "A museum that asks to wait is asked again when it says",
        f"{TESTS_OF_FETCHING}::test_a_fault_that_passes_is_not_seen",
        (Edit(FETCHING, "if not tries_left or pause > LONGEST_WAIT:", "if True:"),),
    ),
    Mutation(
        "A museum is asked no faster than it allows",
        f"{TESTS_OF_FETCHING}::test_the_pace_is_the_museums",
        (Edit(FETCHING, "                self._await_turn()\n", ""),),
    ),
    Mutation(
        "What a museum's record says cannot rewrite the screen",
        f"{TESTS_OF_FETCHING}::test_what_a_record_says_cannot_rewrite_the_screen",
        (
            Edit(
                "momalisa/works/fields.py",
                'plain = "".join(c if c.isprintable() else " " for c in plain)',
                "pass",
            ),
        ),
    ),
)
