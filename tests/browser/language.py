"""A language of our own: a pack as translators make them, in which each text of ours stands between ⟦ and ⟧."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from tests.browser.conftest import ROOT

LOCALE = "eo"
"""Esperanto: JupyterLab translates settings to languages alone that it knows."""
_PACK = "jupyterlab_language_pack_eo"
_TEXTS = ("title", "description", "label", "jupyter.lab.setting-icon-label")
_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`\\$]|\\.)*`"
_CALL = re.compile(rf"\b(__|_n)\(\s*((?:{_STRING})(?:\s*[+,]\s*(?:{_STRING}))*)")


def messages() -> dict[str, list[str]]:
    """All texts of the front end, with what they are called in the language."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "labextension" / "src").rglob("*.ts*")):
        for kind, given in _CALL.findall(path.read_text()):
            texts: list[list[str]] = [[]]
            for part in re.findall(rf"{_STRING}|,", given):
                if part == ",":
                    texts.append([])
                else:
                    texts[-1].append(ast.literal_eval(f'"""{part[1:-1]}"""'))
            forms = ["".join(parts) for parts in texts][: 2 if kind == "_n" else 1]
            found[forms[0]] = [f"⟦{form}⟧" for form in forms]
    schema = json.loads((ROOT / "labextension" / "schema" / "plugin.json").read_text())
    contexts = ("schema", "settings", "menu")  # what translators are told of where a text stands
    return found | {f"{each}\4{text}": [f"⟦{text}⟧"] for text in of_schema(schema) for each in contexts}


def of_schema(schema: Any) -> list[str]:
    """Texts of the settings and the menus."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = schema.items() if isinstance(schema, dict) else ()
    named = [text for name, text in own if name in _TEXTS and isinstance(text, str)]
    return named + [text for part in parts for text in of_schema(part)]


def install_pack(site: Path, config: Path) -> None:
    """Put the pack into a folder for PYTHONPATH, and choose the language in a folder with the settings of Jupyter."""
    told = site / "jupyterlab_language_pack_eo-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: jupyterlab-language-pack-eo\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[jupyterlab.languagepack]\n{LOCALE} = {_PACK}\n")
    texts = site / _PACK / "locale" / LOCALE / "LC_MESSAGES"
    texts.mkdir(parents=True)
    (site / _PACK / "__init__.py").write_text("")
    head = {"domain": "flyte_jupyter", "language": LOCALE, "plural_forms": "nplurals=2; plural=(n != 1);"}
    found = messages()
    (texts / "flyte_jupyter.json").write_text(json.dumps({"": head, **found}))
    compiled = Catalog(locale=LOCALE)  # for the server, which translates the settings
    for text, forms in found.items():
        context, _, plain = text.rpartition("\4")
        if len(forms) == 1:
            compiled.add(plain, forms[0], context=context or None)
    with (texts / "flyte_jupyter.mo").open("wb") as file:
        write_mo(file, compiled)
    chosen = config / "lab" / "user-settings" / "@jupyterlab" / "translation-extension"
    chosen.mkdir(parents=True)
    (chosen / "plugin.jupyterlab-settings").write_text(json.dumps({"locale": LOCALE}))
