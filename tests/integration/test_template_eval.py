# test_template_eval.py - belfryctl template eval: a question a line
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import subprocess
from pathlib import Path

import pytest

COMMAND = [Path(os.environ["BELFRY_BUILDDIR"]) / "belfryctl", "template", "eval",
           "--no-extras"]


def ask(text):
    """Lines of text in, answers as objects out."""
    environment = {"PATH": os.environ["PATH"], "BELFRY_CONF": "/nonexistent"}
    done = subprocess.run(COMMAND, input=text.encode(), capture_output=True,
                          env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


def one(**question):
    answer, = ask(json.dumps(question))
    return answer


def test_a_template_is_rendered():
    assert one(id=7, template="{{a}} {{{a}}}", data={"a": "<"}) == \
        {"id": 7, "output": "&lt; <"}


@pytest.mark.parametrize("identifier", [0, "x", None, {"a": [1]}, True])
def test_the_id_comes_back_as_it_is(identifier):
    assert one(id=identifier, template="") == {"id": identifier, "output": ""}


def test_what_may_be_missing_is_missing():
    assert one(template="{{a}}.{{b.c}}") == {"id": None, "output": "."}


@pytest.mark.parametrize("data, output", [
    ({"a": 1}, "1"), ([5], ""), ("text", ""), (None, ""), (0, "")])
def test_data_are_any_value(data, output):
    assert one(template="{{a}}", data=data)["output"] == output


def test_partials_take_the_options_of_the_template():
    question = {"template": "{{> p}}", "partials": {"p": "{{a}}"},
                "data": {"a": "&"}}
    assert one(**question)["output"] == "&amp;"
    assert one(**question, options={"noEscape": True})["output"] == "&"


@pytest.mark.parametrize("options, output", [
    ({}, "  &amp;\n"), ({"noEscape": 1}, "  &\n"),
    ({"preventIndent": True}, "  &amp;\n"), ({"noEscape": 0}, "  &amp;\n"),
    ({"nonsense": True}, "  &amp;\n"), (None, "  &amp;\n")])
def test_options_have_the_names_of_handlebars(options, output):
    assert one(template="  {{> p}}", partials={"p": "{{a}}\n"},
               data={"a": "&"}, options=options)["output"] == output


def test_an_error_names_its_place():
    assert one(id=1, template="ab\n{{#if}}") == {
        "id": 1, "error": one(template="ab\n{{#if}}")["error"]}
    assert one(template="ab\n{{x")["error"].startswith("template:2:")
    assert "partial p:1:" in one(template="{{> p}}",
                                 partials={"p": "{{"})["error"]


@pytest.mark.parametrize("line, identifier, said", [
    ('{"id": 3, "template": ', 3, "no JSON"),
    ('{"id": "a b", "template": "x" "y"}', "a b", "no JSON"),
    ("nonsense", None, "no JSON"),
    ("[1]", None, "no JSON object"),
    ("4", None, "no JSON object"),
    ('{"id": 4}', 4, '"template" is missing'),
    ('{"id": 5, "template": 1}', 5, '"template" is no string'),
    ('{"id": 6, "template": "", "partials": []}', 6, '"partials"'),
    ('{"id": 7, "template": "", "options": "x"}', 7, '"options"'),
])
def test_a_bad_line_is_answered_and_the_next_one_read(line, identifier, said):
    bad, good = ask(line + '\n\n{"id": 9, "template": "ok"}\n')
    assert bad["id"] == identifier and said in bad["error"]
    assert good == {"id": 9, "output": "ok"}


def test_the_last_line_needs_no_end():
    assert [a["id"] for a in ask('{"id":1,"template":""}\r\n'
                                 '{"id":2,"template":""}')] == [1, 2]


def test_an_answer_comes_before_the_next_question():
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        for number in range(3):
            question = {"id": number, "template": "{{a}}", "data": {"a": number}}
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {
                "id": number, "output": str(number)}
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_many_lines_of_every_length():
    lines = [json.dumps({"id": n, "template": "x" * (n * 37 % 5000)})
             for n in range(500)]
    assert [len(a["output"]) for a in ask("\n".join(lines))] == \
        [n * 37 % 5000 for n in range(500)]
