# test_templates.py - the default templates are whole, translated and sound
#
# SPDX-License-Identifier: BSD-2-Clause
import json
import re
from html.parser import HTMLParser

import pytest

from lint import mustache, source

TOP = source.ROOT / "templates"
KEYS = ["invoice-ready", "order-shipped", "password-reset", "security-alert",
        "verify-email", "welcome"]
CATEGORIES = {"account", "security", "orders", "billing"}
PARTS = {"email.subject.hbs": "text", "email.html.hbs": "html",
         "email.text.hbs": "text", "sms.hbs": "text",
         "push.json.hbs": "json", "inapp.json.hbs": "json"}
TRANSLATIONS = ["de"]
LOCALES = {"en": "", **{locale: locale for locale in TRANSLATIONS}}

# What stands in the data of every template beside its own variables.
GIVEN = {"recipient": {"name": "Ann", "email": "ann@example.org"},
         "unsubscribe_url": "https://b.example/u/x",
         "brand": {"name": "B", "color": "#000000", "url": "https://b.example",
                   "logo_url": "https://b.example/b.png", "footer": "B Ltd",
                   "support_email": "help@b.example"}}
DEFAULT_COLOR = "#1d4ed8"
HTML_MAX = 12 * 1024
VOID = {"meta", "br", "img", "hr", "link", "input", "col", "area", "wbr"}

GSM = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
       "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
GSM_TWICE = "^{}\\[~]|€"

each_key = pytest.mark.parametrize("key", KEYS)
each_locale = pytest.mark.parametrize("locale", LOCALES)
each_part = pytest.mark.parametrize("part", PARTS)
each_json_part = pytest.mark.parametrize("part", ["push.json.hbs",
                                                  "inapp.json.hbs"])


LAYOUT = TOP / "_layouts/default"
INLINE = re.compile(r"""\{\{#\*inline "(\w+)"\}\}\n?(.*?)\{\{/inline~?\}\}\n""",
                    re.DOTALL)
SLOT = re.compile(r"\{\{#> (\w+)\}\}\n?(.*?)\{\{/\1\}\}(\n?)", re.DOTALL)


def messages(locale):
    return {**json.loads((LAYOUT / "messages.json").read_text()),
            **json.loads((LAYOUT / LOCALES[locale] / "messages.json")
                         .read_text())}


def whole(key, locale, part):
    """The source of a part with its layout around it, as if it were written
    so."""
    text = (directory(key, locale) / part).read_text()
    if not (LAYOUT / part).exists():
        return text
    given = dict(INLINE.findall(text))
    layout = (LAYOUT / part).read_text()

    def slot(match):
        name, default, end = match.groups()
        text = given.get(name, default)
        return text if text.endswith("\n") else text + end
    layout = SLOT.sub(slot, layout)
    layout = layout.replace("{{> @partial-block}}\n", INLINE.sub("", text))
    for name, message in messages(locale).items():
        layout = layout.replace(f'{{{{t "{name}"}}}}', message)
    return layout


def directory(key, locale):
    return TOP / key / LOCALES[locale]


def about(key):
    return json.loads((TOP / key / "template.json").read_text())


def sample(key, locale):
    return json.loads((directory(key, locale) / "sample.json").read_text())


def bare(key, locale):
    """What a caller sends who gives only what is required."""
    data = sample(key, locale)
    return {name: data[name] for name, v in about(key)["variables"].items()
            if v["required"]}


def tree(key, locale, part):
    return mustache.parse(whole(key, locale, part))


def rendered(key, locale, part, data):
    return mustache.render(tree(key, locale, part), data,
                           mustache.ESCAPES[PARTS[part]])


def septets(text):
    """How long a short message is in the GSM alphabet, None when it needs
    another one."""
    if set(text) - set(GSM) - set(GSM_TWICE):
        return None
    return len(text) + sum(text.count(c) for c in GSM_TWICE)


def contrast_with_white(color):
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
               for c in parts]
    return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05)


def twisted(value):
    """The same data, every text with what JSON has to escape."""
    if isinstance(value, dict):
        return {k: twisted(v) for k, v in value.items()}
    if isinstance(value, list):
        return [twisted(v) for v in value]
    return f'{value}"\\\n\t\x01</script>'


class Page(HTMLParser):
    """Tags that do not match, tables that say nothing of their role, and
    what would be fetched from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.faults, self.attributes = [], [], {}
        self.tables = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.attributes.setdefault(tag, []).append(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("img", "script", "link", "iframe", "object", "form"):
            self.faults.append(f"<{tag}> has no place in a mail")
        if "src" in attrs or "background" in attrs:
            self.faults.append(f"<{tag}> fetches something")
        if tag == "table":
            self.tables.append([attrs.get("role"), False])
        if tag == "th" and self.tables:
            self.tables[-1][1] = True

    def handle_endtag(self, tag):
        if self.open[-1:] == [tag]:
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
        if tag == "table" and self.tables:
            role, headed = self.tables.pop()
            if (role == "presentation") == headed:
                self.faults.append("a table is neither layout nor data")


def test_the_directories():
    assert sorted(p.name for p in TOP.iterdir() if p.is_dir()) == [
        "_layouts", *KEYS]


@each_key
@each_locale
def test_files(key, locale):
    want = {*PARTS, "sample.json"}
    if not LOCALES[locale]:
        want |= {"template.json", *TRANSLATIONS}
    assert {p.name for p in directory(key, locale).iterdir()} == want


@each_key
def test_files_are_installed(key):
    listed = set((TOP / "local.mk").read_text().split())
    assert {source.name(p) for p in (TOP / key).rglob("*")
            if p.is_file()} - listed == set()


@each_key
def test_template_json(key):
    it = about(key)
    assert set(it) == {"name", "description", "category", "default_locale",
                       "layout", "variables"}
    assert it["layout"] == LAYOUT.name
    assert it["name"] and it["description"].endswith(".")
    assert it["category"] in CATEGORIES
    assert it["default_locale"] == "en"
    for name, variable in it["variables"].items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert name not in GIVEN
        assert set(variable) == {"required", "description", "example"}
        assert isinstance(variable["required"], bool)
        assert variable["description"].endswith(".")


@each_key
@each_locale
@each_part
def test_variables_are_declared(key, locale, part):
    examples = {name: v["example"]
                for name, v in about(key)["variables"].items()}
    assert mustache.used(tree(key, locale, part)) \
        - mustache.leaves({**GIVEN, **examples}) == set()


@each_key
def test_variables_are_used(key):
    found = set()
    for part in PARTS:
        found |= mustache.used(tree(key, "en", part))
    assert set(about(key)["variables"]) - found == set()


@each_key
@each_part
@pytest.mark.parametrize("locale", TRANSLATIONS)
def test_translations_say_the_same(key, part, locale):
    assert mustache.used(tree(key, locale, part)) \
        == mustache.used(tree(key, "en", part))


@each_key
@each_locale
def test_sample(key, locale):
    data = sample(key, locale)
    variables = about(key)["variables"]
    # Whether there is a way to unsubscribe is not for a sample to say.
    given = {n: f for n, f in GIVEN.items() if n != "unsubscribe_url"}
    assert set(data) == {*variables, *given}
    for name in variables:
        assert data[name], f"{name} is empty"
        assert type(data[name]) is type(variables[name]["example"])
    for name, fields in given.items():
        assert set(data[name]) == set(fields) - {"logo_url"}  # nothing to load


@each_key
@each_locale
@each_json_part
@pytest.mark.parametrize("change", [dict, twisted], ids=["plain", "twisted"])
def test_json_parts(key, locale, part, change):
    for data in (sample(key, locale), bare(key, locale)):
        it = json.loads(rendered(key, locale, part, change(data)))
        assert list(it) == ["title", "body", "url"]
        assert it["title"] and it["body"]
        assert all(isinstance(value, str) for value in it.values())


@each_key
@each_locale
def test_short_message(key, locale):
    text = rendered(key, locale, "sms.hbs", sample(key, locale)).strip()
    assert "\n" not in text
    assert septets(text) is not None, "not in the GSM alphabet"
    assert septets(text) <= 160


@each_key
@each_locale
@pytest.mark.parametrize("part", [p for p in PARTS if PARTS[p] != "html"])
def test_reads_well_with_little(key, locale, part):
    """With all that is optional and with none of it: no holes."""
    for data in (sample(key, locale), bare(key, locale)):
        text = rendered(key, locale, part, data)
        holes = re.findall(r"\S  +\S| [.,:;]|\(\)|,,|\n\n\n|^\s|None", text)
        assert holes == []
        assert text.endswith("\n") and not text.endswith("\n\n")


@each_key
@each_locale
def test_subject_is_one_line(key, locale):
    text = rendered(key, locale, "email.subject.hbs", sample(key, locale))
    assert text.count("\n") == 1 and len(text) < 80


@each_key
@each_locale
def test_html(key, locale):
    text = whole(key, locale, "email.html.hbs")
    assert len(text.encode()) < HTML_MAX
    assert max(map(len, text.split("\n"))) < 998
    assert "{{{" not in text and "url(" not in text and "@import" not in text
    for data in (sample(key, locale), bare(key, locale)):
        out = rendered(key, locale, "email.html.hbs", data)
        page = Page(out)
        assert page.faults == []
        assert page.attributes["html"][0]["lang"] == locale
        assert {"name": "color-scheme", "content": "light dark"} \
            in page.attributes["meta"]
        assert len(page.attributes["h1"]) == 1
        assert "style=\"\"" not in out and "href=\"\"" not in out


@each_key
@each_locale
def test_what_all_mails_share_stands_in_the_layout(key, locale):
    html = (directory(key, locale) / "email.html.hbs").read_text()
    assert set(dict(INLINE.findall(html))) == {"title", "preheader", "reason"}
    assert not re.search(r"<(html|head|style|body)\b", html)
    text = (directory(key, locale) / "email.text.hbs").read_text()
    assert set(dict(INLINE.findall(text))) == {"reason"}


@each_locale
def test_the_layout_is_translated(locale):
    here = json.loads((LAYOUT / LOCALES[locale] / "messages.json").read_text())
    assert set(here) == {"lang", "questions", "unsubscribe"}
    assert here["lang"] == locale
    assert (LAYOUT / LOCALES[locale] / "messages.json").relative_to(
        source.ROOT).as_posix() in (TOP / "local.mk").read_text()


@each_key
@each_locale
def test_button_can_be_read(key, locale):
    text = whole(key, locale, "email.html.hbs")
    fallbacks = set(re.findall(r"\{\{brand\.color\}\}\{\{else\}\}(#\w{6})",
                               text))
    assert fallbacks == {DEFAULT_COLOR}
    for color in (DEFAULT_COLOR, sample(key, locale)["brand"]["color"]):
        assert contrast_with_white(color) >= 4.5


@each_locale
@pytest.mark.parametrize("key, link, term", [
    ("password-reset", "reset_url", "expires_minutes"),
    ("verify-email", "verify_url", "expires_hours"),
])
def test_links_that_open_accounts(key, link, term, locale):
    """They can be read as text, say how long they last, and do not stand
    where a stolen session could find them."""
    html = whole(key, locale, "email.html.hbs")
    assert f">{{{{{link}}}}}</a>" in html
    for part in ("email.html.hbs", "email.text.hbs"):
        assert {link, term} <= mustache.used(tree(key, locale, part))
    for part in ("push.json.hbs", "inapp.json.hbs"):
        assert not {link, "code"} & mustache.used(tree(key, locale, part))


@each_key
def test_is_documented(key):
    assert f"`{key}`" in (source.ROOT / "doc/templates.md").read_text()


@pytest.mark.parametrize("text, paths", [
    ("{{a}} {{b.c}}", {"a", "b.c"}),
    ("{{#if a}}{{b}}{{else}}{{c}}{{/if}}", {"a", "b", "c"}),
    ("{{#each a}}{{this}}{{b}}{{/each}}", {"a", "a[]", "a[].b"}),
    ("{{#with a}}{{#if b}}{{c}}{{/if}}{{/with}}", {"a", "a.b", "a.c"}),
    ("{{! a }}{{#unless b}}{{/unless}}", {"b"}),
])
def test_used_itself(text, paths):
    assert mustache.used(mustache.parse(text)) == paths


@pytest.mark.parametrize("text", [
    "{{#if a}}", "{{/if}}", "{{#if a}}{{/each}}", "{{#loop a}}{{/loop}}",
    "{{else}}", "{{a b}}", "{{> part}}",
])
def test_the_reader_refuses(text):
    with pytest.raises(mustache.Bad):
        mustache.parse(text)


@pytest.mark.parametrize("text, want", [
    ("a {{x}}", 'a 1 & "2"'),
    ("{{#if no}}a{{else}}b{{/if}}", "b"),
    ("{{#if x}}\na\n{{/if}}\nb\n", "a\nb\n"),
    ("{{#each l}}\n* {{n}}\n{{/each}}\n", "* 1\n* 2\n"),
    ("{{#each none}}a{{else}}b{{/each}}", "b"),
    ("{{#unless no}}a{{/unless}}{{x.y}}", "a"),
])
def test_the_reader_renders(text, want):
    data = {"x": '1 & "2"', "no": "", "l": [{"n": 1}, {"n": 2}], "none": []}
    assert mustache.render(mustache.parse(text), data,
                           mustache.ESCAPES["text"]) == want


def test_lengths_and_contrast_themselves():
    assert septets("Grüße, 5 €") == 11
    assert septets("naïve") is None
    assert round(contrast_with_white("#000000")) == 21
    assert contrast_with_white("#eab308") < 4.5


@pytest.mark.parametrize("text, wrong", [
    ('<table role="presentation"><tr><td>a</td></tr></table>', 0),
    ('<table><tr><th scope="row">a</th></tr></table>', 0),
    ("<table><tr><td>a</td></tr></table>", 1),
    ('<p><img src="https://x.example/p.gif"></p>', 2),
    ("<p><b>a</p>", 3),
])
def test_the_page_check_itself(text, wrong):
    assert len(Page(text).faults) == wrong
