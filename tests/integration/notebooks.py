"""Notebooks for the tests of what is taken out of notebooks: their cells, and what to compare."""

from __future__ import annotations

START = """\
import flyte_jupyter as flyte

env = flyte.TaskEnvironment(name="my_env")
"""


def cells(text: str) -> list[str]:
    """The cells of a notebook that is written as one text, with `# %%` between them."""
    return [cell.strip("\n") for cell in text.split("# %%\n")]


CASES: dict[str, tuple[list[str], str]] = {
    "constants_helpers_and_classes": (
        [
            "%load_ext flyte_jupyter",
            START,
            *cells(r"""
import json, math
import os.path
from dataclasses import dataclass, field
RATE = 0.5  # per year
UNUSED = 1
# %%
# How a sum grows.
@dataclass
class Account:
    sum: float
    log: list[str] = field(default_factory=list)

    def grown(self, years: int) -> float:
        return self.sum * (1 + RATE) ** years
# %%
def rounded(x: float) -> float:
    return math.floor(x * 100) / 100
# %%
@env.task
def grow(sum: float, years: int = 2) -> float:
    return rounded(Account(sum).grown(years))
# %%
run = flyte.run(grow, 3.0)
"""),
        ],
        "flyte.run(grow, 10.0).outputs()",
    ),
    "defined_again": (
        [
            START,
            *cells(r"""
FACTOR = 2

def times(x: int) -> int:
    return x * FACTOR
# %%
@env.task
def scaled(x: int) -> int:
    return times(x)
# %%
flyte.run(scaled, 1).outputs()[0]
# %%
FACTOR = 5
# %%
def times(x: int) -> int:
    return x * FACTOR + 1
"""),
        ],
        "flyte.run(scaled, 3).outputs()",
    ),
    "called_while_it_was_another": (
        [
            START,
            *cells(r"""
base = 1

def next_base() -> int:
    return base + 1
# %%
first = next_base()
# %%
base = 10
# %%
@env.task
def both() -> list[int]:
    return [first, next_base()]
"""),
        ],
        "flyte.run(both).outputs()",
    ),
    "async_tasks": (
        [
            START,
            *cells(r"""
import asyncio
# %%
@env.task
async def square(x: int) -> int:
    await asyncio.sleep(0)
    return x * x
# %%
@env.task
async def total(n: int) -> int:
    return sum(await asyncio.gather(*(square(x) for x in range(n))))
# %%
run = await flyte.run.aio(total, 3)
run.outputs()[0]
"""),
        ],
        "flyte.run(total, 4).outputs()",
    ),
    "several_environments": (
        cells(r"""
import flyte_jupyter
from flyte_jupyter import Resources, TaskEnvironment
from datetime import timedelta
# %%
small = TaskEnvironment("small", resources=Resources(cpu=1), env_vars={"SIZE": "s"})
# %%
large = small.clone_with("large", env_vars={"SIZE": "l"}, depends_on=[small])
other = TaskEnvironment("unused")
# %%
import os

@small.task(timeout=timedelta(minutes=1))
def size() -> str:
    return os.environ['SIZE']
# %%
@large.task(retries=1)
def sizes() -> str:
    return os.environ['SIZE'] + size() + size.override(env_vars={'SIZE': 'x'})()
"""),
        "__import__('flyte_jupyter').run(sizes).outputs()",
    ),
    "own_decorators": (
        [
            START,
            *cells(r"""
import functools

def twice(function):
    @functools.wraps(function)
    def both(*args, **kwargs):
        return [function(*args, **kwargs)] * COUNT
    return both
# %%
COUNT = 2
# %%
@env.task
@twice
def word(w: str) -> list:
    return w.upper()
"""),
        ],
        "flyte.run(word, 'a').outputs()",
    ),
    "cells_as_tasks": (
        cells(r'''
%load_ext flyte_jupyter
import flyte_jupyter as flyte
# %%
%flyte_env words --env-vars LANG=en,MODE="a b" --cpu 1
# %%
import textwrap

lines = ["one", "two"]

def shout(line):
    return line.upper()
# %%
%%flyte_task --env words --retries 2 -o loud,count
# makes noise
import os

loud = [shout(line) for line in lines]
text = """
kept
  as it is
"""
count = len(text)
print(os.environ["MODE"])
# %%
%%time
%%flyte_task longest --env words -i loud
max(loud, key=len)
# %%
%%flyte_task --env words --timeout 1m --cpu 1
def joined(parts: list, by: str = " ") -> str:
    return textwrap.shorten(by.join(parts), 40)

async def size(text: str) -> int:
    return len(text)
# %%
loud, count
'''),
        "flyte.run(joined, ['a', 'b']).outputs()",
    ),
    "runs_by_magic": (
        [
            "%load_ext flyte_jupyter",
            START,
            *cells(r"""
n = 3
# %%
variables = {"A": "b c"}
# %%
%%flyte_task bigger --env-vars {variables} -o m
m = n + 1
# %%
import os


@env.task
def times(x: int, by: int = 2) -> str:
    return f"{x * by} {os.environ.get('A')}"
# %%
r = %flyte_run times(n, by=m) --retries 2
# %%
patient = %flyte_override times --retries 4 --env-vars A=d
# %%
%flyte_run patient(n)
"""),
        ],
        "flyte.run(patient, 1).outputs(), patient.retries.count",
    ),
    "tasks_made_by_functions": (
        [
            START,
            *cells(r"""
def make(factor):
    @env.task(retries=1)
    def scaled(x: int) -> int:
        return x * factor * SIZE
    return scaled

def careful(function):
    return env.task(retries=2)(function)

def endless(x):
    y = endless(x)
    return endless(y)

SIZE = 10
# %%
doubled, unused = make(2), endless
tripled = make(3)
# %%
@careful
def plus(x: int) -> int:
    return x + tripled(x)
# %%
flyte.run(tripled, 1).outputs()[0]
"""),
        ],
        "flyte.run(plus, 2).outputs(), flyte.run(tripled, 2).outputs()",
    ),
    "changed_objects": (
        [
            START,
            *cells(r"""
import random
random.seed(3)
# %%
names = ['c', 'a']
seen = {}
names.append('b')
names.sort()
settings = {'k': 1}
# %%
for number, name in enumerate(names):
    seen[name] = number
# %%
def register(name):
    settings[name] = len(name)

register('long')
print(settings)
# %%
rows = [{'x': '1'}, {'x': '2'}]
for row in rows:
    row['x'] = int(row['x'])
random.shuffle(names)
# %%
@env.task
def look() -> list:
    return [names, seen, settings, rows]
"""),
        ],
        "flyte.run(look).outputs()",
    ),
    "conditional_imports": (
        [
            START,
            *cells(r"""
try:
    import no_such_module_at_all as fast
except ImportError:
    fast = None
# %%
import sys
if sys.version_info >= (3, 0):
    WORD = 'new'
else:
    WORD = 'old'
# %%
with open('value.txt', 'w') as file:
    _ = file.write('7')
value = int(open('value.txt').read())
# %%
@env.task
def which() -> list:
    return [fast is None, WORD, value]
"""),
        ],
        "flyte.run(which).outputs()",
    ),
    "types_of_all_kinds": (
        [
            "from __future__ import annotations",
            START,
            *cells(r"""
from enum import Enum
from typing import NamedTuple, TypedDict, Literal, TYPE_CHECKING
class Color(Enum):
    RED = 'r'
    BLUE = 'b'

class Base:
    def name(self) -> str:
        return type(self).__name__

class Special(Base):
    pass

class Both(NamedTuple):
    color: Color
    name: str

class Row(TypedDict):
    x: int
# %%
@env.task
def typed(row: 'Row', color: Color = Color.RED, kind: Literal['a', 'b'] = 'a') -> Both:
    return Both(color, Special().name() + kind + str(row['x']))
"""),
        ],
        "flyte.run(typed, {'x': 1}).outputs()",
    ),
    "closures_and_defaults": (
        [
            START,
            *cells(r"""
from functools import partial
step = 3
add = lambda x, by=step: x + by
add_ten = partial(add, by=10)
# %%
def adder(n):
    def inner(x):
        return x + n + offset
    return inner

offset = 100
plus = adder(step)
# %%
counter = 0
def count():
    global counter
    counter += 1
    return counter
# %%
@env.task
def added(x: int = step) -> list[int]:
    return [add(x), add_ten(x), plus(x), count()]
# %%
step = 4
"""),
        ],
        "flyte.run(added).outputs()",
    ),
    "layout_of_all_kinds": (
        [
            START,
            *cells(r'''
a = 1; b = 2
TEXT = """one
  two
"""; c = 3
# %%
# not this

# this belongs to it
SIZE = (
    a,
    c,  # and this
)
# %%
@env.task
def text() -> str:
    # a comment
    return TEXT + str(SIZE)
# %%
flyte.run(text).outputs()[0];
# %%
# shown
flyte.run(
    text,
)  # "# no comment" is no comment
'''),
        ],
        "flyte.run(text).outputs()",
    ),
    "syntax_of_ipython": (
        [
            "%load_ext flyte_jupyter",
            START,
            *cells(r"""
!echo hello
%time N = 4
files = !echo a.txt
len?
# %%
%%time
def double(x: int) -> int:
    return 2 * x
# %%
%%capture out
K = 3
print(K)
# %%
%%writefile unused.txt
not python (
# %%
@env.task
def doubled() -> int:
    return double(N) * K
# %%
display(N)
flyte.run(doubled).outputs()[0]
"""),
        ],
        "flyte.run(doubled).outputs()",
    ),
    "ways_to_make_tasks": (
        [
            START,
            *cells(r"""
task = env.task

@task
def one() -> int:
    return 1

def two() -> int:
    return 2

second = env.task(two)
# %%
class Group:
    @env.task(retries=1)
    def three() -> int:
        return 3
# %%
patient = one.override(retries=4)
third = env.task(retries=2)(two)
"""),
        ],
        "[flyte.run(t).outputs()[0] for t in (one, second, Group.three, patient, third)], patient.retries.count",
    ),
    "modules_beside_it": (
        [
            START,
            *cells(r"""
import sys
import os
sys.path.insert(0, os.path.abspath('lib'))
# %%
import beside_the_notebook
from beside_the_notebook import thing as the_thing
# %%
@env.task
def said() -> str:
    return the_thing() + beside_the_notebook.__name__
"""),
        ],
        "flyte.run(said).outputs()",
    ),
    "star_imports": (
        [
            START,
            *cells(r"""
from math import *
from statistics import mean
# %%
@env.task
def root(x: float) -> float:
    return sqrt(x) + mean([1, 3])
"""),
        ],
        "flyte.run(root, 4.0).outputs()",
    ),
    "what_runs_have_given": (
        [
            START,
            *cells(r"""
@env.task
def fitted(rows: list[int]) -> int:
    return max(rows)
# %%
best = flyte.run(fitted, [1, 5, 2]).outputs()[0]
# %%
@env.task
def apply(x: int) -> int:
    return x * best
"""),
        ],
        "flyte.run(apply, 2).outputs()",
    ),
    "bound_in_many_ways": (
        [
            START,
            *cells(r"""
first, *rest = [1, 2, 3]
(low := 7)
for last in rest: pass
x: int = 5
x += 1
unset: int
# %%
import collections.abc, collections
squares = {n: n**2 for n in rest}
match first:
    case 1 as one:
        found = one
# %%
@env.task
def all_of_them() -> list:
    return [first, rest, low, last, x, squares, found, isinstance([], collections.abc.Sized)]
"""),
        ],
        "flyte.run(all_of_them).outputs()",
    ),
}
