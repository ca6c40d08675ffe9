"""What is kept of a Job, and what it says of its own end."""

from __future__ import annotations

import pytest

from flyte_jupyter.pods import Failure, Phase
from flyte_jupyter.runners.kubernetes.known import end_of, kept, with_end

FAILURE = Failure(code="ImagePullError", kind="user", message="there is none", recoverable=False)


def test_a_job_that_is_deleted_says_how_it_has_ended() -> None:
    job = {**with_end(Phase.FAILED, FAILURE), "spec": {}}
    assert (Phase.FAILED, FAILURE) == end_of(job) == end_of(kept(job))


@pytest.mark.parametrize("said", [{}, {"flyte-jupyter/end": ""}, {"flyte-jupyter/end": "[]"}])
def test_one_that_was_deleted_by_somebody_else_says_nothing(said: dict[str, str]) -> None:
    assert end_of({"metadata": {"annotations": said}}) is None
