"""Canonical bytes of arrays and data frames: of what they hold, however it lies in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from .canonical import buffer, joined, scalar

Tell = Callable[[Any], bytes]


def content(obj: Any, tell: Tell) -> bytes | None:
    """An array of numpy, or an object of pandas; None for anything else. `tell` gives the bytes of what is in it."""
    kind, module = type(obj), str(type(obj).__module__)
    if module == "numpy" and kind.__name__ in ("ndarray", "memmap"):
        return _array(obj, tell)
    if kind.__name__ == "MaskedArray" and module.startswith("numpy.ma"):
        mask = sys.modules["numpy"].ma.getmaskarray(obj)  # what it hides is no value
        return joined("masked", map(tell, (obj.filled(), mask, obj.fill_value)))
    if module.startswith("pandas."):
        pandas: Any = sys.modules["pandas"]
        if kind is pandas.DataFrame:
            columns = (tell(obj.iloc[:, i].array) for i in range(obj.shape[1]))
            return joined("frame", [tell(obj.columns), tell(obj.index), tell(obj.attrs), *columns])
        if kind is pandas.Series:
            return joined("series", [tell(obj.name), tell(obj.index), tell(obj.attrs), tell(obj.array)])
        if kind is pandas.arrays.NumpyExtensionArray:
            return _array(obj.to_numpy(), tell)
    return None


def _array(array: Any, tell: Tell) -> bytes:
    numpy: Any = sys.modules["numpy"]
    shape = map(scalar, array.shape)
    if array.dtype.hasobject:
        items: Iterator[bytes] = iter([tell(array.tolist())])
    else:
        flat = numpy.ascontiguousarray(array).reshape(-1)
        items = iter([buffer(flat.view(numpy.uint8).data if flat.itemsize else b"")])
    return joined("array", [repr(array.dtype).encode(), *shape, *items])
