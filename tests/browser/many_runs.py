"""Many runs in a store: copies of one that was made for real."""

from __future__ import annotations

import json
from pathlib import Path

from flyte_jupyter.pods import run_name


def copy_runs(home: Path, run: str, number: int, notebooks: int) -> None:
    """Write as many older runs like one that has ended, a minute apart, in so many notebooks.

    Each appears as a whole: a server that looks at one without its record does not look again.
    """
    runs = home / "store" / "runs"
    record = json.loads((runs / run / "record.json").read_bytes())
    status = (runs / run / "actions" / "a0" / "status.json").read_text()
    path = Path(record["notebook"]["path"])
    for index in range(1, number + 1):
        created = record["created"] - 60 * index
        name = run_name(int(created * 1000), f"{index:05}")
        draft = home / "draft"
        folder = draft / "actions" / "a0"
        folder.mkdir(parents=True)
        events = [{**event, "at": event["at"] - 60 * index} for event in json.loads(status.replace(run, name))]
        (folder / "status.json").write_text(json.dumps(events))
        notebook = {**record["notebook"], "path": str(path.with_name(f"{index % notebooks}.ipynb"))}
        made = {**record, "run": name, "created": created, "notebook": notebook}
        (draft / "record.json").write_text(json.dumps(made))
        draft.rename(runs / name)
