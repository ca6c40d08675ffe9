"""The interface of a task: reading a signature, binding a call, checking what comes back.  Values: test_types.py."""

import asyncio
import collections
import dataclasses
import enum
import pickle
import subprocess
import sys
import textwrap
import typing
from typing import Any, NamedTuple, NewType

import cloudpickle
import pytest
import typing_extensions

from flyte_jupyter.annotations import EMPTY
from flyte_jupyter.errors import ConfigTypeError, ConfigValueError, RuntimeDataValidationError
from flyte_jupyter.interface import Input, Interface, Output, Outputs, ParameterKind

FUTURE = "from __future__ import annotations\n"
UserId = NewType("UserId", int)
Json = typing_extensions.TypeAliasType("Json", "dict[str, Json] | int")


@dataclasses.dataclass
class Row:
    x: int
    label: str = ""


class Score(NamedTuple):
    loss: float
    name: str


def of(source: str, **names: Any) -> Interface:
    """The interface of the function `f` in some source text."""
    namespace: dict[str, Any] = {"Row": Row, "Score": Score, "typing": typing, "UserId": UserId, "Json": Json, **names}
    exec(textwrap.dedent(source), namespace)
    return Interface.of(namespace["f"])


# --- declaration ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(): ...", "() -> None"),
        ("def f(x): ...", "(x: Any) -> None"),
        ("async def f(x: int, y: str = 'a') -> float: ...", "(x: int, y: str = 'a') -> float"),
        ("def f(x: int = None): ...", "(x: int | None = None) -> None"),
        ("def f(x: 'list[Row]') -> 'Row': ...", "(x: list[Row]) -> Row"),
        ("def f(x: list['Row'] | None) -> typing.Optional['Row']: ...", "(x: list[Row] | None) -> Row | None"),
        ("def f(x: typing.Annotated[dict[str, UserId], 'doc']): ...", "(x: dict[str, int]) -> None"),
        ("def f(x: typing.Literal['a', 1]): ...", "(x: Literal['a', 1]) -> None"),
        ("def f(x: Json): ...", "(x: dict[str, Any] | int) -> None"),
        ("def f() -> tuple[int, str]: ...", "() -> tuple[int, str]"),
        ("def f() -> tuple: ...", "() -> tuple"),
        ("def f() -> Score: ...", "() -> Score"),
        ("def f() -> typing.NoReturn: ...", "() -> None"),
        (f"{FUTURE}def f(x: Row | None) -> tuple[Row, int]: ...", "(x: Row | None) -> tuple[Row, int]"),
    ],
)
def test_declared(source: str, expected: str) -> None:
    assert str(of(source)) == expected


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("def f(*args): ...", ConfigValueError, "f: *args is not possible in a task"),
        ("def f(**kwargs): ...", ConfigValueError, "f: **kwargs is not possible in a task"),
        ("def f() -> tuple[int]: ...", ConfigTypeError, "f: tuple[int] cannot be the return annotation"),
        ("def f() -> tuple[int, ...]: ...", ConfigTypeError, "f: tuple[int, ...] cannot be the return annotation"),
        ("def f(x: 'Missing'): ...", ConfigTypeError, "annotation of 'x', 'Missing', cannot be used: name 'Missing'"),
        ("def f() -> 'Missing': ...", ConfigTypeError, "the annotation of the return value, 'Missing', cannot be used"),
        ("def f(x: '3'): ...", ConfigTypeError, "the annotation of 'x', '3', cannot be used: 3 is not a type"),
        ("def f(x: 'a b'): ...", ConfigTypeError, "the annotation of 'x', 'a b', cannot be used"),
        (
            "def f(x: [int]): ...",
            ConfigTypeError,
            "the annotation of 'x', [<class 'int'>], cannot be used: [<class 'int'>] is not",
        ),
    ],
)
def test_refused_when_declared(source: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as e:
        of(source)
    assert text in str(e.value)


def test_the_parts_of_an_interface() -> None:
    def f(a: int, /, b: str = "b", *, c: bool) -> Score:
        raise NotImplementedError

    assert Interface.of(f) == Interface(
        {
            "a": Input(int, EMPTY, ParameterKind.POSITIONAL_ONLY),
            "b": Input(str, "b"),
            "c": Input(bool, EMPTY, ParameterKind.KEYWORD_ONLY),
        },
        (Output("loss", float), Output("name", str)),
        Score,
    )


def test_a_local_class_in_an_annotation_that_is_text() -> None:
    class Local:
        pass

    def f(x: "Local") -> "list[Local]":  # not part of the closure
        raise NotImplementedError

    interface = Interface.of(f)
    assert (interface.inputs["x"].annotation, interface.outputs[0].annotation) == (Local, list[Local])


def test_a_closure_in_an_annotation_that_is_text() -> None:
    class Local:
        pass

    def make() -> Any:
        def f(x: "Local") -> None:
            print(Local)

        return f

    assert Interface.of(make()).inputs["x"].annotation is Local


# --- binding ----------------------------------------------------------------------------------------------------------

CALLS = "def f(x: int, rows: list[Row], *, rate: float = 1, note: str | None = None): ..."
TOO_MANY = "Too many positional arguments: 3 given, 2 possible; only by name: rate, note"


def test_bind_fills_in_defaults_and_converts() -> None:
    assert of(CALLS).bind("e.f", (1, [{"x": 2}]), {}) == {"x": 1, "rows": [Row(2)], "rate": 1.0, "note": None}


def test_bind_gives_the_very_object() -> None:
    rows = [Row(1)]
    assert of(CALLS).bind("e.f", (1,), {"rows": rows})["rows"] is rows


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "text"),
    [
        ((), {}, ConfigValueError, "Missing required inputs: x, rows"),
        ((1, [], 3), {}, ConfigValueError, TOO_MANY),
        ((1, []), {"ratte": 2.0}, ConfigValueError, "Unknown input 'ratte'; did you mean 'rate'?"),
        ((1, []), {"zzz": 2.0}, ConfigValueError, "Unknown input 'zzz'; there are: x, rows, rate, note"),
        ((1, []), {"x": 2}, ConfigValueError, "Given twice, by position and by name: x"),
        (("a", []), {}, ConfigTypeError, "Type conversion failed for variable 'x': expected int, got str 'a'"),
        (
            (1, [Row(1), {"x": "a"}]),
            {},
            ConfigTypeError,
            "Type conversion failed for variable 'rows': rows[1].x: expected int, got str 'a' (rows is list[Row])",
        ),
        (
            (True, [], 3),
            {"ratte": 2.0, "x": 1},
            ConfigValueError,
            (
                "4 problems\n"
                f"  - {TOO_MANY}\n"
                "  - Unknown input 'ratte'; did you mean 'rate'?\n"
                "  - Given twice, by position and by name: x\n"
                "  - Type conversion failed for variable 'x': expected int, got bool True"
                " (write int(...) if a number is meant)"
            ),
        ),
    ],
)
def test_bind_refuses(args: tuple[Any, ...], kwargs: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as e:
        of(CALLS).bind("e.f", args, kwargs)
    declared = "e.f(x: int, rows: list[Row], rate: float = 1, note: str | None = None) -> None"
    assert str(e.value) == f"e.f: {text}\nDeclared: {declared}"


def test_a_default_that_does_not_fit() -> None:
    with pytest.raises(ConfigTypeError, match=r"variable 'x' \(its default\): expected int, got str 'a'"):
        of("def f(x: int = 'a'): ...").bind("e.f", (), {})


def test_call_with_keeps_to_the_kinds_of_parameters() -> None:
    def f(a: int, /, b: int, *, c: int = 3) -> Any:
        return a, b, c

    interface = Interface.of(f)
    assert interface.call_with(f, interface.bind("e.f", (1,), {"b": 2})) == (1, 2, 3)
    assert interface.call_with(f, interface.bind("e.f", (), {"a": 1, "b": 2})) == (1, 2, 3)


def test_call_with_gives_the_coroutine() -> None:
    async def f(x: int) -> int:
        return x + 1

    assert asyncio.run(Interface.of(f).call_with(f, {"x": 1})) == 2


# --- outputs ----------------------------------------------------------------------------------------------------------

MISSED = "e.f returned int 1, but declares no outputs: did you miss a return type annotation?"
Plain = collections.namedtuple("Plain", "a b")  # noqa: PYI024 - users have these


@pytest.mark.parametrize(
    ("returns", "value", "outputs", "unpacked", "named"),
    [
        ("None", None, (), None, {"o0": None}),
        ("float", 1, (1.0,), 1.0, {"o0": 1.0}),
        ("Row", {"x": 1}, (Row(1),), Row(1), {"o0": Row(1)}),
        ("tuple[float, str]", (1, "a"), (1.0, "a"), (1.0, "a"), {"o0": 1.0, "o1": "a"}),
        ("tuple", (1, 2, 3), ((1, 2, 3),), (1, 2, 3), {"o0": (1, 2, 3)}),
        ("Score", Score(1, "a"), (1.0, "a"), Score(1.0, "a"), {"loss": 1.0, "name": "a"}),
        ("Score", (1, "a"), (1.0, "a"), Score(1.0, "a"), {"loss": 1.0, "name": "a"}),
        ("Plain", Plain(1, 2), (1, 2), Plain(1, 2), {"a": 1, "b": 2}),
    ],
)
def test_outputs(returns: str, value: Any, outputs: tuple[Any, ...], unpacked: Any, named: dict[str, Any]) -> None:
    interface = of(f"def f() -> {returns}: ...", Plain=Plain)
    checked = interface.check_outputs("e.f", value)
    assert checked == outputs
    assert [type(v) for v in checked] == [type(v) for v in outputs]
    assert interface.unpack(checked) == unpacked
    assert type(interface.unpack(checked)) is type(unpacked)
    assert interface.named(checked).named_outputs == named


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        ("def f(): ...", 1, MISSED),
        ("def f() -> None: ...", 1, MISSED),
        ("def f() -> list[int]: ...", [1, "a"], "e.f: output o0[1]: expected int, got str 'a'"),
        (
            "def f() -> tuple[int, str]: ...",
            ("a", 1),
            "e.f: output o0: expected int, got str 'a'; output o1: expected str, got int 1",
        ),
        ("def f() -> tuple[int, str]: ...", (1, "a", 2), "e.f returned 3 values, 2 are declared (o0: int, o1: str)."),
        ("def f() -> tuple[int, str]: ...", [1, "a"], "e.f returned list [1, 'a'], not a tuple (o0: int, o1: str)."),
        ("def f() -> Score: ...", ("a", "b"), "e.f: output loss: expected float, got str 'a'"),
    ],
)
def test_outputs_refused(source: str, value: Any, text: str) -> None:
    with pytest.raises(RuntimeDataValidationError) as e:
        of(source).check_outputs("e.f", value)
    assert str(e.value) == text


def test_outputs_object() -> None:
    outputs = Outputs((0.5, "m"), ("loss", "name"))
    assert (outputs[0], outputs.loss, outputs.o1, outputs.named_outputs["o0"]) == (0.5, 0.5, "m", 0.5)
    assert (outputs == (0.5, "m"), len(outputs), repr(outputs)) == (True, 2, "Outputs(loss=0.5, name='m')")
    assert repr(Interface({}).named(())) == "Outputs(o0=None)"
    copied = pickle.loads(pickle.dumps(outputs))
    assert (copied, copied.named_outputs) == (outputs, {"loss": 0.5, "name": "m"})
    with pytest.raises(AttributeError, match="there is no output 'o2'; there are: loss, name"):
        _ = outputs.o2


# --- pickling ---------------------------------------------------------------------------------------------------------


def test_plain_pickle_after_use() -> None:
    interface = of(CALLS)
    interface.bind("e.f", (1, []), {})
    assert pickle.loads(pickle.dumps(interface)) == interface


def notebook() -> dict[str, Any]:
    """Classes as a notebook's cells make them: in a module that no other process has."""

    class Color(enum.Enum):
        RED = 1

    @dataclasses.dataclass
    class Node:
        value: float
        next: "Node | None" = None

    class Pair(NamedTuple):
        node: Node
        color: Color

    names = {"Color": Color, "Node": Node, "Pair": Pair, "Id": NewType("Id", int)}
    for name, value in names.items():
        value.__module__ = "__main__"  # cloudpickle sends these by value
        value.__qualname__ = name
    return names


def test_works_in_a_process_without_the_module(tmp_path: Any) -> None:
    interface = of(
        """
        def f(
            node: Node,
            nodes: list[Node],
            color: typing.Optional[Color],
            mode: typing.Literal["a", "b"] = "a",
            ids: typing.Annotated[dict[str, Id] | None, lambda: 0] = None,
        ) -> Pair: ...
        """,
        **notebook(),
    )
    (tmp_path / "interface").write_bytes(cloudpickle.dumps(interface))
    program = """
        import pickle, sys
        interface = pickle.load(open(sys.argv[1], "rb"))
        node = {"value": 1, "next": {"value": 2}}
        bound = interface.bind("e.f", (), {"node": node, "nodes": [{"value": 3}], "color": "RED"})
        print(bound)
        print(interface.unpack(interface.check_outputs("e.f", (bound["node"], bound["color"]))))
        try:
            interface.bind("e.f", (bound["node"], [{"value": ""}], 1), {"mode": "c", "ids": {"a": "b"}})
        except TypeError as e:
            print(e)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "interface")],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.splitlines(), done.stderr) == (
        [
            (
                "{'node': Node(value=1.0, next=Node(value=2.0, next=None)), 'nodes': [Node(value=3.0, next=None)], "
                "'color': <Color.RED: 1>, 'mode': 'a', 'ids': None}"
            ),
            "Pair(node=Node(value=1.0, next=Node(value=2.0, next=None)), color=<Color.RED: 1>)",
            "e.f: 3 problems",
            (
                "  - Type conversion failed for variable 'nodes': nodes[0].value: expected float, got str '' "
                "(nodes is list[Node])"
            ),
            "  - Type conversion failed for variable 'mode': expected one of 'a', 'b' (Literal), got str 'c'",
            (
                "  - Type conversion failed for variable 'ids': ids['a']: expected int, got str 'b' "
                "(ids is dict[str, int] | None)"
            ),
            (
                "Declared: e.f(node: Node, nodes: list[Node], color: Color | None, mode: Literal['a', 'b'] = 'a', "
                "ids: dict[str, int] | None = None) -> Pair"
            ),
        ],
        "",
    )


@pytest.mark.parametrize(
    "source", ["def f(): return 1", "async def f(x): return x", "def f(x):\n  if x:\n    return x"]
)
def test_a_value_without_a_return_annotation_is_warned_of(source: str) -> None:
    with pytest.warns(UserWarning, match="f returns a value but has no return annotation"):
        of(source)


@pytest.mark.parametrize("source", ["def f(): pass", "async def f(): return", "def f(x):\n  if x:\n    return None"])
def test_nothing_returned_needs_no_annotation(source: str) -> None:
    assert () == of(source).outputs


def test_inputs_without_annotation_take_anything() -> None:
    assert {"a": 4, "b": [2]} == of("def f(a, b=[2]): pass").bind("e.f", (4,), {})


def test_a_setting_is_no_input() -> None:
    with pytest.raises(
        ConfigValueError, match=r"Unknown input 'retries'; it is a setting: task.override\(retries=...\)"
    ):
        of("def f(x: int) -> int: ...").bind("e.f", (1,), {"retries": 3})
