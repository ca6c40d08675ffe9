from __future__ import annotations

from datetime import timedelta

from flyte_jupyter import RetryStrategy, TaskEnvironment
from tests.unit.config.test_show import EVIL, Page

SIGNATURE = "shown.bills(rows: list[dict[str, float]], n: int = 3) -> float"

env = TaskEnvironment(
    "shown", description=EVIL, env_vars={"A_TOKEN": "hush", "MODE": "<b>"}, depends_on=[TaskEnvironment("shown-base")]
)


@env.task(retries=RetryStrategy(2), timeout=timedelta(minutes=10), short_name="Bills")
async def bills(rows: list[dict[str, float]], n: int = 3) -> float:
    """Mean length of bills, in <mm>.

    Not said.
    """
    return rows[0]["a"] * n


def text(page: str) -> str:
    read = Page(page)
    assert [] == read.open
    assert "script" not in read.tags
    return " ".join(read.text.split())


def test_an_environment_shows_its_settings_and_tasks() -> None:
    shown = text(env._repr_html_())
    assert shown.startswith(f"environment shown {EVIL}")
    assert "env_vars A_TOKEN=…, MODE=<b>" in shown
    assert "depends_on shown-base" in shown
    assert f"async {SIGNATURE} Mean length of bills, in <mm>." in shown
    assert "Not said" not in shown


def test_an_environment_with_nothing_says_so() -> None:
    bare = TaskEnvironment("bare")
    assert "environment bare nothing but its name is given no tasks yet" == text(bare._repr_html_())


def test_a_task_shows_its_signature_its_docs_and_its_configuration() -> None:
    shown = text(bills.override(queue="gpu")._repr_html_())
    assert shown.startswith(f"async {SIGNATURE} “Bills” Mean length of bills, in <mm>.")
    for row in ("retries 2 decorator", "timeout max_runtime 10 min decorator", "queue gpu override", "A_TOKEN=…"):
        assert row in shown
    given, others = shown.split(" defaults ")
    assert "cache disable default" in others
    assert "cache" not in given


def test_a_type_that_is_known_in_a_function_alone_is_shown_as_it_was_written() -> None:
    class Local:
        pass

    local_env = TaskEnvironment("shown-local")

    @local_env.task
    def of_local(x: Local) -> int:
        return 1

    assert text(of_local._repr_html_()).startswith("shown-local.of_local(x: 'Local') -> 'int'")


def test_credentials_are_in_no_text_either() -> None:
    assert "hush" not in repr(env) + repr(bills) + repr(bills.effective_config())
    assert "hush" not in bills.effective_config()._repr_html_()


def test_an_environment_of_many_tasks_stays_small() -> None:
    many = TaskEnvironment("shown-many")
    for number in range(1000):

        def one(x: int) -> int:
            return x

        one.__name__ = one.__qualname__ = f"one_{number}"
        one.__doc__ = "Fits. " * 1000
        many.task(one)
    shown = many._repr_html_()
    assert "and 900 more" in text(shown)
    assert 64 << 10 > len(shown.encode())
