"""An automation in words."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from flyte_jupyter.config.values.trigger import Automation, Cron, FixedRate, OnArtifact
from flyte_jupyter.config.words import in_words


@pytest.mark.parametrize(
    ("automation", "expected"),
    [
        (Cron("* * * * *"), "every minute"),
        (Cron("*/15 * * * *", "Europe/Berlin"), "every 15 minutes"),
        (Cron("0 * * * ?"), "every hour"),
        (Cron("20 * * * *", "Asia/Kathmandu"), "every hour at minute 20 (Asia/Kathmandu)"),
        (Cron("0 6 * * *", "Europe/Berlin"), "every day at 06:00 (Europe/Berlin)"),
        (Cron("30 6,18 * * *"), "every day at 06:30 and 18:30 (UTC)"),
        (Cron("0 6 * * 1-5"), "every Monday to Friday at 06:00 (UTC)"),
        (Cron("0 6 * * mon,3,SAT-7"), "every Monday, Wednesday and Saturday to Sunday at 06:00 (UTC)"),
        (Cron("0 0 1 * *"), "on day 1 of every month at 00:00 (UTC)"),
        (Cron("*/7 * * * *"), "cron */7 * * * * (UTC)"),  # not every seven minutes: an hour has 60
        (Cron("0 */2 * * *"), "cron 0 */2 * * * (UTC)"),
        (Cron("0 0 * * 1-5/2"), "cron 0 0 * * 1-5/2 (UTC)"),
        (Cron("0 6 1 * 1"), "cron 0 6 1 * 1 (UTC)"),
        (FixedRate(1), "every minute"),
        (FixedRate(90), "every 90 minutes"),
        (
            FixedRate(5, datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc)),
            "every 5 minutes from 2026-01-02 03:04+00:00",
        ),
        (OnArtifact("model"), "when the artifact model appears"),
        (None, "on demand"),
    ],
)
def test_words(automation: Automation | None, expected: str) -> None:
    assert expected == in_words(automation)
