# test_doc_examples.py - what stands in the documents works when it is pasted
#
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Lines that start or end a Belfry: the one of the tests runs already.
OTHERS = re.compile(r"^contrib/quickstart .*\n|^contrib/check .*\n", re.MULTILINE)
DOCUMENTS = ["README.md", "doc/api.md", "doc/email.md", "doc/operating.md",
             "doc/providers.md", "doc/recipients.md", "doc/templates.md",
             "doc/webhooks.md"]


def blocks(document):
    """The examples of a document in their order, but for those for root."""
    found = BLOCK.findall((ROOT / document).read_text())
    return [OTHERS.sub("", text) for text in found if "sudo " not in text]


def test_each_document_with_examples_is_run():
    with_some = {str(path.relative_to(ROOT))
                 for path in [ROOT / "README.md", *(ROOT / "doc").glob("*.md")]
                 if blocks(path.relative_to(ROOT))}
    assert with_some == set(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_examples_work(own_stack, tmp_path, document):
    """One after the other in an empty directory, after ". DIR/env".  A secret that is asked
    for is typed in."""
    environment = {k: v for k, v in os.environ.items()
                   if not k.startswith(("BELFRY_", "PG"))}
    for number, text in enumerate(blocks(document)):
        script = tmp_path / f"{number}.sh"
        script.write_text(f". {own_stack.directory}/env\nset -e\n{text}")
        done = subprocess.run(["sh", script], text=True, capture_output=True,
                              cwd=tmp_path, env=environment, timeout=60,
                              input="a-secret\n" * 5)
        assert done.returncode == 0, (text, done.stderr)
        assert '"status":4' not in done.stdout, (text, done.stdout)
        assert "not found" not in done.stderr, (text, done.stderr)
