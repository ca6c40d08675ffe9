"""Errors of magics: an error that is about the cell or its first line is shown in a few lines, without frames of ours
or of IPython. IPython asks an exception for `_render_traceback_`, and these exceptions answer.
"""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from typing import Any

from ...errors import ConfigError, RunInterrupted, user_frames
from ...pack.modules import is_place
from ..cells.extract import UnsupportedCell
from ..cells.places import at_line, with_source
from .magic import Magic, Use
from .options import OptionError
from .task import UndefinedNames


class CellSyntaxError(Exception):
    """What cannot be read. No `SyntaxError`, since IPython would show that with all frames up to here."""


def quietly(magic: Magic, use: Use) -> Any:
    """Run a magic; what goes wrong is shown as the user's own error."""
    try:
        return magic.run(use)
    except (OptionError, UnsupportedCell) as e:
        raise usage_error(magic, e) from None
    except UndefinedNames as e:
        line = linecache.getline(use.file()[0], e.line).strip()
        raise _shown(e, [f"Cell line {e.line}: {line}", f"NameError: {e}"]) from None
    except ConfigError as e:
        raise _shown(e, [f"{type(e).__name__}: {e}"]) from None
    except RunInterrupted:  # which says what has become of the run
        raise
    except (Exception, KeyboardInterrupt) as e:
        if not isinstance(e, SyntaxError):
            raise _shown(e, _frames(use, e)) from None
        is_of_cell = e.filename == use.file()[0]
        lines = _syntax(use.shell, e) if is_of_cell else _frames(use, e)
        raise _shown(CellSyntaxError(str(e)), lines) from None


def usage_error(magic: Magic, error: Exception) -> Exception:
    """What IPython shows as one line of its own."""
    from IPython.core.error import UsageError

    return UsageError(f"{magic.written}: {error}")


def _syntax(shell: Any, error: SyntaxError) -> Sequence[str]:
    return list(shell.SyntaxTB.structured_traceback(SyntaxError, error, []))


def _frames(use: Use, error: BaseException) -> Sequence[str]:
    """The traceback without our frames, and without those of the event loop above the cell's own; that of a line magic
    begins at its line.
    """
    found = user_frames(error.__traceback__)
    while found is not None and not is_place(found.tb_frame.f_code.co_filename) and found.tb_next is not None:
        found = found.tb_next
    frames = with_source(found)
    if frames is None:
        return [f"{type(error).__name__}: {error}"]
    file, above = use.file()
    if not use.body and frames.tb_frame.f_code.co_filename != file:
        frames = at_line(file, above + 1, frames)
    error.__cause__, error.__suppress_context__ = None, True
    return list(use.shell.InteractiveTB.structured_traceback(type(error), error, frames, tb_offset=0))


def _shown(error: BaseException, lines: Sequence[str]) -> BaseException:
    """`error`, which IPython will show as `lines`."""
    error._render_traceback_ = lambda: list(lines)  # type: ignore[attr-defined]  # IPython looks for it
    return error
