"""What a stranger may do: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

HOSTS, SIGN_IN, POLICY = (
    "momalisa/ui/http/hosts.py",
    "momalisa/ui/sign_in.py",
    "momalisa/ui/policy.py",
)
MEDIA, DETAIL = "momalisa/ui/http/media.py", "momalisa/ui/film_detail.py"
ANNOTATIONS = "momalisa/ui/annotations.py"
TESTS_OF_HOSTS, TESTS_OF_POLICY = "tests/pages/test_hosts.py", "tests/pages/test_policy.py"
TESTS_OF_SIGN_IN, FORGED = "tests/pages/test_sign_in.py", "test_a_forged_press_changes_nothing"
ROUTES = f"{TESTS_OF_POLICY}::test_routes_know_who_is_signed_in"

ADMINISTER = (
    Mutation(
        "Only an admin is told what a machine's fault is",
        "tests/pages/test_machine_notice.py::test_only_an_admin_is_told_what_a_machine_s_fault_is",
        (Edit("momalisa/ui/machine_notice.py", "sign_in.may(Action.ADMINISTER)", "True"),),
    ),
    Mutation(
        "Only an admin's page says how the app is",
        f"{TESTS_OF_SIGN_IN}::test_an_admin_s_page_says_how_the_app_is",
        (Edit("momalisa/ui/account.py", "if sign_in.may(Action.ADMINISTER):", "if True:"),),
    ),
)
"""What admins alone read."""

REACH = (
    Mutation(
        "The app listens on this machine only, unless it is told otherwise",
        f"{TESTS_OF_HOSTS}::test_the_server_is_for_this_machine_unless_it_is_told_otherwise",
        (Edit(".streamlit/config.toml", 'address = "localhost"  ', 'address = "0.0.0.0"    '),),
    ),
    Mutation(
        "A host name that is not the app's is refused",
        f"{TESTS_OF_HOSTS}::test_unknown_names_are_refused_on_routes_and_sockets",
        (Edit(HOSTS, "if not is_known(host, names):", "if not hosts:"),),
    ),
    Mutation(
        "A WebSocket under a host name that is not the app's is refused",
        f"{TESTS_OF_HOSTS}::test_unknown_names_are_refused_on_routes_and_sockets",
        (Edit(HOSTS, 'if scope["type"] == "lifespan" else', 'if scope["type"] != "http" else'),),
    ),
    Mutation(
        "Host names are checked on every route of the server, Streamlit's own included",
        f"{TESTS_OF_HOSTS}::test_the_server_refuses_unknown_names_before_anything_else",
        (Edit("streamlit_app.py", "        Middleware(hosts.guard_hosts),\n", ""),),
    ),
    Mutation(
        "What stands behind an IPv6 address in a host name makes it another name",
        f"{TESTS_OF_HOSTS}::test_unknown_names_are_refused_on_routes_and_sockets",
        (Edit("momalisa/host_names.py", ' or (bracket and after[:1] not in ("", ":"))', ""),),
    ),
    Mutation(
        "Pages of other sites cannot send requests or open WebSockets",
        f"{TESTS_OF_HOSTS}::test_other_origins_are_refused",
        (
            Edit(
                HOSTS,
                "if not _is_own_origin(headers, hosts[0], names):",
                "if not hosts[0]:",
            ),
        ),
    ),
    Mutation(
        "A page of another site cannot start an export with a picture in it",
        f"{TESTS_OF_HOSTS}::test_pictures_of_another_site_s_page_are_refused",
        (Edit(HOSTS, 'if _is_for_other_page(headers, scope["path"]):', "if not headers:"),),
    ),
    Mutation(
        "Without sign-in, and unless the gallery is opened, nobody from elsewhere is let in",
        f"{TESTS_OF_HOSTS}::test_without_sign_in_or_setting_strangers_get_a_sentence",
        (Edit(HOSTS, "if not (is_local(scope) or is_open()):", "if not hosts:"),),
    ),
    Mutation(
        "Who comes through a proxy does not count as sitting at this machine",
        f"{TESTS_OF_HOSTS}::test_without_sign_in_or_setting_strangers_get_a_sentence",
        (Edit(HOSTS, "        and not any(name in headers for name in FORWARDING_HEADERS)\n", ""),),
    ),
    Mutation(
        "Where the app has names of its own, nobody counts as sitting at this machine",
        f"{TESTS_OF_HOSTS}::test_behind_a_proxy_nobody_counts_as_local",
        (Edit(HOSTS, "        not settings().host_names\n        and client", "        client"),),
    ),
    Mutation(
        "A server that listens to others but lets none in says so at its start",
        f"{TESTS_OF_HOSTS}::test_the_server_says_at_start_that_it_is_closed",
        (Edit(HOSTS, "if is_loopback(address) or is_open():", "if is_open() or not is_open():"),),
    ),
    Mutation(
        "Routes of Streamlit that no page uses are closed, its upload among them",
        "tests/pages/test_streamlit_routes.py::test_unused_routes_take_and_tell_nothing",
        (
            Edit(
                "momalisa/ui/http/streamlit_routes.py",
                'if scope["type"] == "http" and _is_unused(scope["path"]):',
                "if not scope:",
            ),
        ),
    ),
)
"""Who reaches the app."""

RIGHTS = (
    Mutation(
        "Where sign-in is configured, who has not signed in can look only",
        f"{TESTS_OF_POLICY}::test_an_anonymous_visitor_can_look_only",
        (Edit(POLICY, '("view" if sign_in else "all")', '"all"'),),
    ),
    Mutation(
        "Secrets that cannot be read count as sign-in, and open the gallery to nobody",
        f"{TESTS_OF_SIGN_IN}::test_sign_in_is_configured_by_auth_or_damaged_secrets",
        (
            Edit(
                SIGN_IN,
                'return any(Path(path).exists() for path in st.get_option("secrets.files"))',
                "return False",
            ),
        ),
    ),
    Mutation(
        "A gallery for members shows no page to others",
        f"{TESTS_OF_POLICY}::test_a_members_only_gallery_shows_the_way_in",
        (Edit("momalisa/ui/shell.py", "if sign_in.may(Action.VIEW):", "if Action.VIEW:"),),
    ),
    Mutation(
        "A gallery for members shows no posters in the HTML of its pages",
        "tests/pages/test_prerender.py::test_a_gallery_for_members_has_no_posters_for_others",
        (
            Edit(
                "momalisa/ui/http/prerender.py",
                " and permission.is_allowed(HTTPConnection(scope), Action.VIEW)",
                "",
            ),
        ),
    ),
    Mutation(
        "Stored films of a gallery for members are not sent to others",
        ROUTES,
        (Edit(MEDIA, "permit(Action.VIEW, serve_stored_file)", "serve_stored_file"),),
    ),
    Mutation(
        "Frames of a gallery for members are not sent to others",
        ROUTES,
        (Edit(MEDIA, "permit(Action.VIEW, answer_in_time(serve_frame))", "serve_frame"),),
    ),
    Mutation(
        "Downloads of a gallery for members are not made for others",
        ROUTES,
        (
            Edit(
                "momalisa/ui/http/downloads.py",
                "permit(Action.VIEW, serve_download)",
                "serve_download",
            ),
        ),
    ),
    Mutation(
        "No proxy keeps for everybody what only members may see",
        ROUTES,
        (Edit("momalisa/ui/http/permission.py", '.replace("public", "private")', ""),),
    ),
    Mutation(
        "Who may not make walks cannot have single pictures painted",
        ROUTES,
        (
            Edit(
                "momalisa/ui/http/stills.py",
                "permit(Action.MAKE, answer_in_time(serve_still))",
                "serve_still",
            ),
        ),
    ),
    Mutation(
        "Who may not make walks cannot have a film read",
        ROUTES,
        (
            Edit(
                "momalisa/ui/gallery/import_film.py",
                "permit(Action.MAKE, handle_upload)",
                "handle_upload",
            ),
        ),
    ),
    Mutation(
        "Who may not make walks submits none, whatever their browser presses",
        f"{TESTS_OF_POLICY}::{FORGED}",
        (Edit("momalisa/ui/submit.py", "    sign_in.require(Action.MAKE)\n", ""),),
    ),
    Mutation(
        "Who may not annotate changes nothing on a film's label, whatever their browser sends",
        f"{TESTS_OF_POLICY}::{FORGED}",
        (Edit(ANNOTATIONS, "        sign_in.require(Action.ANNOTATE, walk)\n", ""),),
    ),
    Mutation(
        "Who may not vote casts no vote, whatever their browser presses",
        f"{TESTS_OF_POLICY}::{FORGED}",
        (Edit("momalisa/ui/compare/blind_vote.py", "    sign_in.require(Action.VOTE)\n", ""),),
    ),
    Mutation(
        "Only its maker or an admin calls a walk off",
        f"{TESTS_OF_SIGN_IN}::test_another_visitor_cannot_cancel",
        (Edit("momalisa/ui/submit.py", "            sign_in.require(Action.DELETE, walk)\n", ""),),
    ),
    Mutation(
        "Only its maker or an admin deletes a film",
        f"{TESTS_OF_SIGN_IN}::test_a_forged_press_deletes_nothing",
        (Edit(DETAIL, "if not sign_in.may(Action.DELETE, walk):", "if not walk:"),),
    ),
    Mutation(
        "The same subject at another provider is another maker",
        f"{TESTS_OF_SIGN_IN}::test_the_same_subject_at_another_provider_is_another_account",
        (Edit(SIGN_IN, "f\"{claims['iss']} {claims['sub']}\"", "f\"{claims['sub']}\""),),
    ),
    Mutation(
        "An admin is named by issuer and subject, and no other issuer's account is one",
        f"{TESTS_OF_SIGN_IN}::test_an_admin_named_by_issuer_and_subject_needs_no_email",
        (
            Edit(
                POLICY,
                "if account_name(claims) in listed:",
                "if account_name(claims).rpartition('|')[2] in "
                "[one.rpartition('|')[2] for one in listed]:",
            ),
        ),
    ),
    Mutation(
        "An e-mail address makes an admin only if the provider says that it is verified",
        f"{TESTS_OF_SIGN_IN}::test_an_unverified_email_is_no_admin",
        (Edit(POLICY, "return verified and ", "return "),),
    ),
    Mutation(
        "An address whose letters only look like an admin's is no admin's",
        f"{TESTS_OF_POLICY}::test_an_address_that_only_looks_like_an_admin_s_is_another",
        (Edit(POLICY, "return text.encode().lower().decode()", "return text.casefold()"),),
    ),
)
"""What a visitor may do."""

MUTATIONS: tuple[Mutation, ...] = (*REACH, *RIGHTS, *ADMINISTER)
"""All mutations, in the order in which they are told."""
