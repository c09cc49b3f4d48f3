"""Pictures that nobody made a walk from go, though nobody brings another."""

from datetime import timedelta

from db import stop_pictures
from db.clock import utc_now
from db.models import StopPicture
from db.session import reading, writing
from momalisa.settings import Settings
from tests.support.stub_worker import stub_worker

OLD, NEW = "a" * 64, "b" * 64


def test_pictures_that_were_not_used_for_long_go_without_another_upload(
    settings: Settings,
) -> None:
    with writing(settings.database) as session:
        for digest in (OLD, NEW):
            stop_pictures.keep(session=session, digest=digest, data=b"RIFF", width=3, height=2)
        long_ago = utc_now() - stop_pictures.KEPT - timedelta(hours=1)
        session.get_one(StopPicture, OLD).used_at = long_ago
    stub_worker(settings).run(once=True)
    with reading(settings.database) as session:
        found = [d for d in (OLD, NEW) if stop_pictures.find(session=session, digest=d)]
    assert found == [NEW]
