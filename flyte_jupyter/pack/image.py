"""The recipe of an image as a payload: plain data in a signed header, so that the Host reads it without unpickling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .envelope import seal, unseal

if TYPE_CHECKING:
    from ..config.image.image import Image
    from ..config.image.recipe import Recipe


def prepared(image: Image) -> tuple[Image, Recipe | None]:
    """The image as it travels, knowing its recipe, and the recipe itself where it is not in the store already.

    Raises:
        ConfigValueError: a file that it names is missing or cannot be used, or it has another Python.
    """
    if image.recipe is not None:
        return image, None
    from ..config.image.recipe_of import recipe_of

    recipe = recipe_of(image)
    return image.with_recipe("" if recipe.is_empty else recipe.digest), recipe


def seal_recipe(key: bytes, recipe: Recipe, uv: str | None) -> list[bytes | memoryview]:
    """The payload of a recipe.

    Args:
        uv: where the program is that builds it, as far as it is known.
    """
    return seal(key, {"kind": "image", "digest": recipe.digest, "recipe": recipe.to_json(), "uv": uv}, [])


def unseal_recipe(key: bytes, data: memoryview, *, digest: str) -> tuple[Recipe, str | None]:
    """Verify a recipe; with it, where uv is. Raises `PayloadError`."""
    from ..config.image.recipe import Recipe

    header: Mapping[str, Any] = unseal(
        key, data, what="recipe of an image", is_for={"kind": "image", "digest": digest}
    ).header
    return Recipe.from_json(header["recipe"]), header["uv"]
