"""Why is it not starting? One sentence, and what to ask for instead. Pure.

What can never start is told from what may: an image that its registry does not have, a service account that is not
there, more than any node has. For other things one waits: a node that is being added, a registry that does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .. import primary
from ..kueue import Place
from ..room import Room
from . import admission, placement, start
from .reason import Object, Reason, condition_of, told_at

__all__ = ["Reason", "of"]


def of(
    pod: Object | None,
    events: Iterable[Object],
    job: Object,
    *,
    rooms: Callable[[], Sequence[Room]] = list,
    place: Callable[[], Place] = Place,
) -> Reason | None:
    """Why an action has not started; None when there is nothing to say: it has, or it is just about to.

    Args:
        pod: the present pod of its Job, None when there is none yet.
        events: of the cluster, about that pod and that Job.
        rooms: says what nodes there are, as far as one may know; asked where there is too little on them.
        place: says where the Job stands in its queue; asked while Kueue holds it back.
    """
    told = sorted(events, key=told_at)
    if pod is None:
        return admission.suspended(job, place) or admission.refused(told)
    if condition_of(pod, "PodScheduled").get("status") == "False" or "nodeName" not in pod["spec"]:
        return placement.unscheduled(pod, told, rooms)
    if primary.state_of(pod, "running") or primary.state_of(pod, "terminated"):
        return None
    waiting = primary.state_of(pod, "waiting")
    wrong = start.image(pod, waiting, told) or start.missing(waiting, told) or start.container(waiting)
    return wrong or start.progress(pod, told)
