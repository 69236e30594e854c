# test_template_author.py - belfryctl template lint, render, test: no database
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEYS = sorted(p.parent.name for p in (ROOT / "templates").glob(
    "[a-z]*/template.json"))


def run(*arguments, stdin=None):
    return subprocess.run(
        [Path(os.environ["BELFRY_BUILDDIR"]) / "belfryctl", "-c", "/dev/null",
         "template", *map(str, arguments)], input=stdin, capture_output=True,
        text=True, timeout=60)


@pytest.fixture
def hello(tmp_path):
    """A directory that is well, with a layout beside it."""
    layout = tmp_path / "_layouts/main"
    layout.mkdir(parents=True)
    (layout / "template.json").write_text('{"name": "Main"}')
    (layout / "email.text.hbs").write_text("[{{> @partial-block}}]\n")
    top = tmp_path / "hello"
    (top / "de").mkdir(parents=True)
    (top / "template.json").write_text(json.dumps({
        "name": "Hello", "layout": "main",
        "variables": {"order": {"required": True}}}))
    (top / "sample.json").write_text('{"order": "42"}')
    for locale, word in (("", "Order"), ("de", "Bestellung")):
        (top / locale / "email.subject.hbs").write_text(word + " {{order}}\n")
        (top / locale / "email.text.hbs").write_text(word + " {{order}}")
        (top / locale / "sms.hbs").write_text(word + "\n")
    return top


def test_the_default_templates_are_clean():
    done = run("lint", "--strict", ROOT / "templates")
    assert (done.returncode, done.stdout) == (0, "0 errors, 0 warnings\n")
    done = run("test", ROOT / "templates")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("72 parts rendered")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("locale", ["en", "de", "de-AT"])
def test_the_default_templates_are_rendered(key, locale, tmp_path):
    done = run("render", ROOT / "templates" / key, "--locale", locale,
               "--out", tmp_path / "a/b")
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "a/b/email.html").read_text()
    assert f'<html lang="{locale[:2]}"' in html
    assert html.count("<title>") == html.count("</html>") == 1
    assert ("Fragen?" in html) == (locale != "en")
    assert "{{" not in html
    for part in ("push.json", "inapp.json"):
        json.loads((tmp_path / "a/b" / part).read_text())


def test_a_clean_directory(hello):
    done = run("lint", "--strict", hello)
    assert (done.returncode, done.stdout) == (0, "0 errors, 0 warnings\n")
    done = run("render", hello, "--locale", "de", "--part", "email.text")
    assert done.stdout == "[Bestellung 42]\n"
    done = run("render", hello, "--data", "-", "--part", "email.subject",
               stdin='{"order": "<7>"}')
    assert done.stdout == "Order <7>\n"


@pytest.mark.parametrize("path, text, place, severity, said, caret", [
    ("sms.hbs", "a\n{{#if x}}", "hello/sms.hbs:2:4", "error",
     "is not closed", "  {{#if x}}\n     ^\n"),
    ("de/sms.hbs", "a {{> no}}", "hello/de/sms.hbs:1:3", "error",
     'the partial "no" could not be found', "  a {{> no}}\n    ^\n"),
    ("sms.hbs", "Grüße\n  {{order}} {{prize}}", "hello/sms.hbs:2:15",
     "warning", '"prize" is not declared', "  {{order}} {{prize}}\n"),
    ("sms.hbs", "„{{order}}“", "hello/sms.hbs", "warning",
     "U+201E is not in the GSM alphabet", ""),
    ("sms.hbs", "x" * 460, "hello/sms.hbs", "warning", "4 segments", ""),
    ("email.subject.hbs", "s" * 151, "hello/email.subject.hbs", "warning",
     "151 characters", ""),
    ("push.json.hbs", "[", "hello/push.json.hbs", "error", "no JSON object",
     ""),
    ("inapp.json.hbs", '{"title": "a", "body": "b"}', "hello/de", "warning",
     "there is no inapp.json", ""),
    ("template.json", '{"name": "H", "variables": {"order": {}, "old": {}}}',
     "hello/template.json", "warning", '"old" is declared', ""),
    ("template.json", '{"name": "H", "layout": "none", "variables": '
     '{"order": {}}}', "hello/sms.hbs", "error",
     'the layout "none" is not in use', ""),
    ("messages.json", '{"a": "{{#if"}', "hello/messages.json", "error",
     'the message "a"', ""),
    ("sample.json", "{}", "hello/email.text.hbs:1:9", "warning",
     '"order" is not in the sample', "  Order {{order}}\n          ^\n"),
])
def test_what_is_wrong_is_told_with_its_place(hello, path, text, place,
                                              severity, said, caret):
    (hello / path).write_text(text)
    done = run("lint", hello)
    found = f"{hello.parent}/{place}: {severity}: "
    assert any(line.startswith(found) and said in line
               for line in done.stdout.splitlines()), done.stdout
    assert caret in done.stdout
    assert done.returncode == (7 if severity == "error" else 0)
    assert run("lint", "--strict", hello).returncode == 7


def test_every_problem_is_told_at_once(hello):
    (hello / "sms.hbs").write_text("{{#if x}}")
    (hello / "de/sms.hbs").write_text("{{/if}}")
    (hello / "email.text.hbs").write_text("{{prize}}{{> no}}")
    done = run("--json", "lint", hello)
    told = json.loads(done.stdout)
    assert told["errors"] == len([r for r in told["remarks"]
                                  if r["severity"] == "error"]) == 3
    assert done.returncode == 7


def test_expected_files_are_compared(hello):
    assert run("test", "--update", hello).returncode == 0
    assert (hello / "expected/de/email.text").read_text() == "[Bestellung 42]\n"
    done = run("test", hello)
    assert done.returncode == 0
    assert done.stdout == "6 parts rendered, 6 compared, 0 failed\n"
    (hello / "de/sms.hbs").write_text("Anders\n")
    done = run("test", hello)
    assert done.returncode == 1
    assert f"{hello}/expected/de/sms: " in done.stdout
    assert "-Bestellung\n+Anders\n" in done.stdout
    assert run("lint", "--strict", hello).returncode == 0
    (hello / "de/sms.hbs").write_text("{{> no}}")
    done = run("test", hello)
    assert (done.returncode, "1 failed" in done.stdout) == (1, True)


@pytest.mark.parametrize("line, status", [
    (("lint", "/nonexistent"), 4), (("lint",), 2),
    (("render", "/nonexistent"), 4), (("test", "/nonexistent"), 4),
    (("render", ROOT / "templates/welcome", "--locale", "de_AT"), 2),
    (("render", ROOT / "templates/welcome", "--part", "fax"), 2),
    (("render", ROOT / "templates/welcome", "--part", "whatsapp.json"), 4),
    (("render", ROOT / "templates/welcome", "--data", "/nonexistent"), 4),
    (("render", ROOT / "templates/welcome", "--out", "/proc/x"), 1),
])
def test_bad_lines(line, status):
    done = run(*line)
    assert done.returncode == status, done.stderr
    assert done.stderr.count("\n") >= 1


@pytest.mark.parametrize("command", ["render", "test"])
def test_a_template_that_was_pulled_alone_misses_its_layout(hello, command):
    (hello.parent / "_layouts/main").rename(hello.parent / "elsewhere")
    done = run(command, hello)
    assert done.returncode != 0
    assert f'{hello}/../_layouts/main: pull "layout:main" to there' in done.stderr
