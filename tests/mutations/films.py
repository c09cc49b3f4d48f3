"""Films that are stored stay, and are found: the promises, and the edits that break them."""

from tests.mutations.mutation import Edit, Mutation

POWER = "tests/chaos/test_power_cuts.py::test_what_was_written_survives_a_power_cut"
BACKUP = "tests/db/test_backup.py::test_"

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "SQLite syncs its log at every commit",
        "tests/db/test_session.py::test_sqlite_is_set_up_to_last",
        (Edit("db/session.py", "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"),),
    ),
    Mutation(
        "PostgreSQL commits durably, even where its server does not by itself",
        "tests/db/test_session.py::test_postgresql_commits_durably_although_the_server_does_not",
        (Edit("db/session.py", '        event.listen(engine, "connect", _commit_durably)\n', ""),),
    ),
    Mutation(
        "The name of a new folder survives a power cut",
        f"{POWER}[a file of a storage]",
        (
            Edit(
                "db/files.py",
                "    for path in reversed(missing):\n        sync_folder(path.parent)\n",
                "",
            ),
        ),
    ),
    Mutation(
        "The name of a stored file survives a power cut",
        f"{POWER}[a file of a storage]",
        (
            Edit(
                "momalisa/storage/local.py",
                "\n            sync_folder(path.parent)\n",
                "\n",
            ),
        ),
    ),
    Mutation(
        "The bytes of a stored file survive a power cut",
        f"{POWER}[a file of a storage]",
        (Edit("momalisa/storage/local.py", "os.fsync(file.fileno())", "pass"),),
    ),
    Mutation(
        "A record that is replaced survives a power cut",
        f"{POWER}[a record that is replaced]",
        (
            Edit(
                "momalisa/storage/local.py",
                "\n                sync_folder(path.parent)\n",
                "\n",
            ),
        ),
    ),
    Mutation(
        "A film that the command walk writes survives a power cut",
        f"{POWER}[a film beside others]",
        (Edit("momalisa/files.py", "            os.fsync(file", "            (file"),),
    ),
    Mutation(
        "The name of a film that the command walk writes survives a power cut",
        f"{POWER}[a film beside others]",
        (Edit("momalisa/files.py", "        sync_folder(path.absolute().parent)", "        pass"),),
    ),
    Mutation(
        "The name of a backup survives a power cut",
        f"{POWER}[a backup of the history]",
        (Edit("db/backup.py", "    sync_folder(file.absolute().parent)\n", ""),),
    ),
    Mutation(
        "A history that is restored in the place of a damaged one survives a power cut",
        f"{POWER}[a history that is restored in the place of a damaged one]",
        (Edit("db/backup.py", "    sync_folder(history.parent)\n", ""),),
    ),
    Mutation(
        "A backup that finds no room names the disk without room",
        f"{BACKUP}a_disk_that_takes_no_copy_is_named[full-backup]",
        (Edit("db/backup.py", "& 0xFF != sqlite3.SQLITE_FULL:", ":"),),
    ),
    Mutation(
        "A home on a full disk can be saved",
        f"{BACKUP}a_home_on_a_full_disk_can_be_saved",
        (
            Edit(
                "momalisa/__main__.py",
                "except OSError as error:  # a full",
                "except KeyError as error:  # a full",
            ),
        ),
    ),
    Mutation(
        "No other process opens the history while a backup is restored",
        f"{BACKUP}nobody_opens_the_history_while_it_is_restored",
        (
            Edit(
                "db/backup.py",
                '    connection.execute("PRAGMA locking_mode = EXCLUSIVE")\n',
                "    pass\n",
            ),
        ),
    ),
    Mutation(
        "Films wait while the disk of their store is not mounted",
        "tests/worker/test_outages.py"
        "::test_film_waits_while_the_disk_of_its_store_is_not_mounted"
        "[mnt/disk-mnt/disk/store]",
        (Edit("momalisa/storage/local.py", "            self._check_is_not_away()\n", ""),),
    ),
    Mutation(
        "A mountpoint without its disk takes no film",
        "tests/worker/test_outages.py"
        "::test_film_waits_while_the_disk_of_its_store_is_not_mounted[mnt/disk-mnt/disk]",
        (
            Edit(
                "momalisa/storage/local.py",
                "films = self.root / FILMS_FOLDER  # a mountpoint",
                "films = self.root  # a mountpoint",
            ),
        ),
    ),
    Mutation(
        "A link to a film bears any id",
        "tests/pages/test_media.py::test_links_bear_any_id",
        (Edit("momalisa/ui/navigation.py", "{urlencode({'walk': walk_id})}", "walk={walk_id}"),),
    ),
    Mutation(
        "A download's link bears any id",
        "tests/pages/test_media.py::test_links_bear_any_id",
        (
            Edit(
                "momalisa/ui/http/downloads.py",
                "{quote(walk.id, safe='')}.{kind}",
                "{walk.id}.{kind}",
            ),
        ),
    ),
    Mutation(
        "The link to a stored file bears any id",
        "tests/pages/test_media.py::test_links_bear_any_id",
        (Edit("momalisa/storage/interface.py", "{quote(check_key(key))}", "{check_key(key)}"),),
    ),
    Mutation(
        "Weights that were replaced under the same name are loaded anew",
        "tests/models/test_holder.py::test_weights_that_were_replaced_are_loaded_anew",
        (Edit("momalisa/models/holder.py", "name, self._digest_of(name)", 'name, ""'),),
    ),
    Mutation(
        "Weights are told apart even if their files have the same size and time",
        "tests/models/test_registry.py::test_a_digest_tells_weights_of_equal_size_and_time_apart",
        (
            Edit(
                "momalisa/models/digest.py",
                "status.st_mtime_ns, status.st_ctime_ns",
                "status.st_mtime_ns, 0",
            ),
        ),
    ),
)
