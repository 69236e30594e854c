# test_size.py - functions and files stay small enough to be read
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from lint import source

FUNCTION_LINES = 100
FILE_LINES = 800
PROVIDER_LINES = 249  # to show how little another one takes

SOURCES = [*source.files(".c", ".h", ".def"), *source.files(".py"),
           *source.files(".sql", under="sql")]


@pytest.mark.parametrize("path", source.files(".c", ".h"), ids=source.name)
def test_function_length(path):
    long = [f"{line}: {name} has {length} lines"
            for name, line, length in source.functions(path.read_text())
            if length > FUNCTION_LINES]
    assert long == []


@pytest.mark.parametrize("path", SOURCES, ids=source.name)
def test_file_length(path):
    assert len(path.read_text().split("\n")) <= FILE_LINES


@pytest.mark.parametrize("name", ["slack", "teams", "telegram", "ntfy", "webpush"])
def test_a_provider_is_one_small_file(name):
    path = source.ROOT / f"src/provider/{name}.c"
    assert len(path.read_text().splitlines()) <= PROVIDER_LINES


@pytest.mark.parametrize("path", source.files(".c", ".h"), ids=source.name)
def test_form(path):
    """No trailing blanks, no // comments, one line end at the end."""
    text = path.read_text()
    assert text.endswith("\n") and not text.endswith("\n\n")
    wrong = [i for i, line in enumerate(text.split("\n"), 1)
             if line != line.rstrip() or line.lstrip().startswith("//")]
    assert wrong == []


def test_the_check_itself():
    body = "".join(f"\tcall({i});\n" for i in range(7))
    text = ('static const char *x[] = {\n\t"}",\n};\n\n/*\n{\n*/\n'
            "static int\nnumbers_add(struct numbers *n,\n    int last)\n{\n"
            + body + "}\n")
    assert source.functions(text) == [("numbers_add", 11, 7)]
