/*
 * handlebars_pairs.js - templates and data at random, and what handlebars.js
 * makes of them
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * node handlebars_pairs.js SEED COUNT: a JSON object a line, as "belfryctl
 * template eval" reads it, with the answer in "output" or "error".  The same seed
 * gives the same lines.  Templates come from a grammar that knows everything the
 * language has; every eighth is then damaged, so that mistakes are compared, too.
 * Handlebars has to be in NODE_PATH.
 *
 * Left out is what says nothing of the language: where src/template/README.md has
 * a difference on purpose, where handlebars.js ends in a TypeError of its own or
 * at the end of its stack, and output that UTF-8 cannot have.
 */
"use strict";

const Handlebars = require("handlebars");

/* What {{log}} says is not compared here. */
Handlebars.log = () => {};

/* Unescaped values are put together as texts: {{{a}}}{{{b}}} of two numbers, which
 * are added up where nothing stands before them, differs on purpose. */
const compiler = Handlebars.JavaScriptCompiler.prototype;
const append = compiler.append;
compiler.append = function () {
  if (!this.isInline()) return append.call(this);
  this.replaceStack((value) => [" != null ? \"\" + ", value, " : \"\""]);
  this.pushSource(this.appendToBuffer(this.popStack()));
};

/* Partials that call themselves from loops may go on for ever. */
const USES_MAX = 1000;
const invoke = Handlebars.VM.invokePartial;
let uses = 0;
Handlebars.VM.invokePartial = function (...given) {
  if (++uses > USES_MAX) throw new RangeError("too many partials");
  return invoke.apply(this, given);
};

/* ---- chance ---------------------------------------------------------------- */

let state = 0;

/* mulberry32: at least 0, less than 1. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[below(list.length)];
const many = (most, make) => Array.from({ length: below(most + 1) }, make);

/* One of [weight, function], called with the rest. */
function choose(ways, ...args) {
  let n = random() * ways.reduce((sum, way) => sum + way[0], 0);
  for (const [weight, make] of ways) {
    n -= weight;
    if (n < 0) return make(...args);
  }
  return ways[0][1](...args);
}

/* ---- data ------------------------------------------------------------------ */

const NAMES = ["a", "b", "c", "x", "list", "items", "obj", "name", "f", "zero",
  "empty", "none", "n", "p1", "p2"];
const ODD_NAMES = ["with space", "0", "1", "10", "é", "this", "if", "a.b", "@k", "",
  "true", "12", "else", "length", "[x]", "not-so", "x/y", "root", "a\"b", "日本"];
const PROTOTYPE_NAMES = ["constructor", "toString", "hasOwnProperty", "__proto__",
  "valueOf", "__lookupGetter__"];
const TEXTS = ["", "text", "<b>&\"'`=</b>", "two\nlines\n", " ", "0", "ünï", "😀é",
  "{{a}}", "false", "p1", "p2", "a", "x", "\\", "\t", "&amp;", "1", "name", "\r\n"];
const NUMBERS = [0, 1, 2, -1, 1.5, -0.25, 1e21, 1e-7, 123456789, 0.1, 100, 1e15, -3e-9];

function leaf() {
  return choose([
    [6, () => pick(TEXTS)],
    [4, () => pick(NUMBERS)],
    [2, () => chance(0.5)],
    [1, () => null],
  ]);
}

function value(depth) {
  if (depth <= 0) return leaf();
  return choose([
    [4, leaf],
    [3, () => many(3, () => value(depth - 1))],
    [4, () => object(depth - 1)],
  ]);
}

function object(depth) {
  const made = {};
  for (let n = below(5); n >= 0; n--)
    made[chance(0.85) ? pick(NAMES) : pick(ODD_NAMES)] = value(depth);
  return made;
}

function data() {
  if (chance(0.03)) return value(2);
  const made = object(3);
  if (chance(0.8)) made.list = many(4, () => value(2));
  if (chance(0.6)) made.items = many(3, () => object(1));
  if (chance(0.6)) made.obj = object(2);
  if (chance(0.3)) made.name = pick(["p1", "p2", "inl", "none", "a"]);
  return made;
}

/* ---- expressions ----------------------------------------------------------- */

let params = []; /* of the blocks around */
let how = {}; /* the options */

const segment = () => choose([
  [20, () => pick(NAMES)],
  [2, () => "[" + pick(ODD_NAMES).replace(/[\\\]]/g, "\\$&") + "]"],
  [1, () => "length"],
  [1, () => pick(["0", "1", "10", "-", "_", "é", "日本", "a-b", "$", "?"])],
  [how.strict || how.assumeObjects ? 0 : 0.5, () => pick(PROTOTYPE_NAMES)],
]);

const segments = () => {
  let text = segment();
  while (chance(0.25)) text += pick([".", ".", ".", "/"]) + segment();
  return text;
};

const up = () => "../".repeat(1 + (chance(0.3) ? 1 + below(2) : 0));

const dataPath = () => "@" + choose([
  [3, () => "index"],
  [3, () => "key"],
  [2, () => "first"],
  [2, () => "last"],
  [2, () => "root"],
  [3, () => "root." + segments()],
  [1, () => up() + pick(["index", "key", "root", "first", "last"])],
  [0.5, segments],
  [0.5, () => "root/" + segments()],
]);

const path = () => choose([
  [12, segments],
  [4, () => "this"],
  [2, () => "."],
  [2, () => "this." + segments()],
  [1, () => "./" + segments()],
  [1, () => "this/" + segments()],
  [3, () => up() + segments()],
  [1, () => up() + pick(["this", "."])],
  [1, () => ".."],
  [4, dataPath],
  [params.length > 0 ? 8 : 0, () => pick(params) + (chance(0.3) ? "." + segments() : "")],
]);

const string = () => {
  const quote = pick(["\"", "'"]);
  const text = pick(TEXTS.concat(NAMES, ODD_NAMES)).split(quote).join("\\" + quote);
  return text.endsWith("\\") ? quote + quote : quote + text + quote;
};

const number = () => pick(["0", "1", "2", "-1", "1.5", "00", "1.0", "-0", "12.50", "007"]);

const literal = () => choose([
  [4, string],
  [3, number],
  [1, () => "true"],
  [1, () => "false"],
  [1, () => "undefined"],
  [1, () => "null"],
]);

const subexpression = (depth) => "(" + space() + choose([
  [8, () => "lookup " + argument(depth - 1) + " " + argument(depth - 1)],
  [0.3, () => "lookup " + argument(depth - 1)],
  [0.3, () => path() + (chance(0.3) ? " " + argument(depth - 1) : "")],
  [0.3, () => "log " + argument(depth - 1)],
]) + space() + ")";

function argument(depth) {
  return choose([
    [8, path],
    [3, literal],
    [depth > 0 ? 3 : 0, () => subexpression(depth)],
  ]);
}

const pair = (depth) => (chance(0.9) ? pick(NAMES) : "[" + pick(NAMES) + "]") + "=" + argument(depth);

const pairs = (p) => chance(p) ? " " + Array.from({ length: 1 + below(3) }, () => pair(1)).join(" ") : "";

const space = () => chance(0.9) ? "" : pick([" ", "  ", "\n", "\t "]);

/* ---- statements ------------------------------------------------------------ */

const tilde = () => chance(0.08) ? "~" : "";
const open = (sign) => "{{" + tilde() + sign + space();
const close = () => space() + tilde() + "}}";
const tag = (sign, text) => open(sign) + text + close();

const text = () => choose([
  [4, () => pick(["x", "text", " ", "", "a b", "<p>", "&", "é"])],
  [3, () => pick(["\n", "\n\n", " \n", "\n  ", "\r\n", "  ", "\t", "\n\t", " \r\n "])],
  [0.7, () => pick(["\\", "\\\\", "{", "}", "}}", "\\{", "{ {", "--", "~"])],
  [0.3, () => pick(["\\{{x}}", "\\\\{{x}}", "\\\\\\{{x}}", "\\{{x}} {{a}}", "\\{{{x}}}"])],
]);

const mustache = () => choose([
  [10, () => tag("", path())],
  [2, () => "{{" + tilde() + "{" + space() + path() + space() + "}" + tilde() + "}}"],
  [1, () => tag("&", path())],
  [3, () => tag("", subexpression(2).slice(1, -1).trim())],
  [1, () => tag("", literal())],
  [0.3, () => tag("", path() + " " + argument(1))],
  [0.2, () => tag("", path() + pairs(1))],
]);

const comment = () => choose([
  [2, () => "{{" + tilde() + "! " + pick(["note", "", "- x", "a } b"]) + tilde() + "}}"],
  [2, () => "{{" + tilde() + "!--" + pick([" note ", "", " {{a}} ", "-", " }} ", " -- "]) + "--" +
    tilde() + "}}"],
]);

function blockParams(most) {
  return chance(0.25) ? Array.from({ length: 1 + below(most) }, () => pick(["i", "v", "k", "a", "x"])) : [];
}

const as = (names) => names.length > 0 ? " as |" + names.join(" ") + "|" : "";

function within(names, make) {
  const before = params;
  params = params.concat(names);
  const made = make();
  params = before;
  return made;
}

/* The name and arguments of a block, and how many block parameters it takes. */
const head = () => choose([
  [5, () => ["if", " " + argument(2) + (chance(0.15) ? " includeZero=" + pick(["true", "false", "1", "f"]) : ""), 0]],
  [2, () => ["unless", " " + argument(2) + (chance(0.1) ? " includeZero=true" : ""), 0]],
  [6, () => ["each", " " + choose([[4, () => pick(["list", "items", "obj", "this", "."])], [3, () => argument(1)]]), 2]],
  [4, () => ["with", " " + choose([[3, () => pick(["obj", "items.0", "list.[1]"])], [3, () => argument(1)]]), 1]],
  [5, () => [path(), "", 0]],
  [0.3, () => [pick(["lookup"]), " " + argument(1) + " " + argument(1), 0]],
  [0.2, () => [pick(["if", "each", "with"]), "", 0]],
  [0.2, () => [literal(), "", 0]],
  [0.1, () => [path(), " " + argument(1), 0]],
]);

function otherwise(depth, level) {
  if (chance(0.6)) return "";
  if (chance(0.6) || level > 2)
    return pick([() => tag("else", ""), () => tag("^", "")])() + program(depth - 1);
  const [name, rest, most] = head();
  const names = most > 0 ? blockParams(most) : [];
  return open("else ") + name + rest + as(names) + close() +
    within(names, () => program(depth - 1)) + otherwise(depth, level + 1);
}

function block(depth) {
  const [name, rest, most] = head();
  if (chance(0.1))
    return tag("^", name + rest) + program(depth - 1) +
      (chance(0.3) ? tag("else", "") + program(depth - 1) : "") + tag("/", name);
  const names = most > 0 ? blockParams(most) : [];
  return open("#") + name + rest + as(names) + close() +
    within(names, () => program(depth - 1)) + otherwise(depth, 0) + tag("/", name);
}

const partialName = () => choose([
  [6, () => pick(["p1", "p2", "p3"])],
  [2, () => pick(["inl", "own"])],
  [1, () => pick(["\"p1\"", "[p 4]", "'p 4'", "dir/p5", "12", "a.b"])],
  [0.7, () => "@partial-block"],
  [0.1, () => pick(["missing", "obj", "constructor"])],
]);

const dynamicName = () => "(" + choose([
  [3, () => "lookup . \"name\""],
  [1, () => "lookup " + argument(1) + " " + argument(1)],
]) + ")";

const context = (p) => chance(p) ? " " + argument(1) : "";

const partial = () => tag(">", (how.explicitPartialContext || chance(0.85) ? partialName() : dynamicName()) + context(0.3) + pairs(0.25));

function partialBlock(depth) {
  const name = partialName();
  return open("#>") + name + context(0.2) + pairs(0.2) + close() + program(depth - 1) + tag("/", name);
}

const inline = (depth) => open("#*") + "inline " + pick(["\"inl\"", "\"own\"", "'p1'", "\"inl\"", "@key"]) +
  close() + program(depth - 1) + tag("/", "inline");

function raw() {
  const name = pick(["a", "none", "obj", "list", "f", "x"]);
  return "{{{{" + name + "}}}}" + pick([" {{a}} ", "", "\n{{#if}}\n", " {{{{b}}}} {{x}} {{{{/b}}}} ", "\\{{a}}"]) +
    "{{{{/" + name + "}}}}";
}

/* A tag that has its line for itself. */
const onALine = (make) => (...args) => pick(["\n", "\n  ", "\n\t", "\r\n "]) + make(...args) +
  pick(["\n", " \n", "\r\n", ""]);

function statement(depth) {
  return choose([
    [8, text],
    [8, mustache],
    [1.5, comment],
    [0.7, onALine(comment)],
    [depth > 0 ? 6 : 0, block],
    [depth > 0 ? 2 : 0, onALine(block)],
    [2, partial],
    [1.5, onALine(partial)],
    [depth > 0 ? 1.5 : 0, partialBlock],
    [depth > 0 ? 0.5 : 0, onALine(partialBlock)],
    [depth > 0 ? 1 : 0, inline],
    [depth > 0 ? 0.5 : 0, onALine(inline)],
    [0.2, raw],
  ], depth);
}

const program = (depth) => many(depth > 1 ? 5 : 3, () => statement(depth)).join("");

/* ---- damage ---------------------------------------------------------------- */

const PIECES = ["{{", "}}", "{{{", "}}}", "{{{{", "}}}}", "{{/", "{{#", "{{else}}", "{{^}}", "~", "\\",
  "(", ")", "|", " as |x|", "=", "@", ".", "..", "/", "[", "]", "\"", "'", "!", "--", "&", ">", "*", "#",
  "^", "\n", " ", "\t", "{", "}", "true", "null", "1", "-", "this", "else", "if", ",", ";", "%", "\u00a0"];

function damage(source) {
  for (let n = 1 + below(2); n > 0; n--) {
    const at = below(source.length + 1), len = 1 + below(3);
    source = choose([
      [3, () => source.slice(0, at) + source.slice(at + len)],
      [4, () => source.slice(0, at) + pick(PIECES) + source.slice(at)],
      [2, () => source.slice(0, at) + pick(PIECES) + source.slice(at + len)],
      [1, () => source.slice(0, at) + source.slice(below(source.length + 1), at + 20) + source.slice(at)],
    ]);
  }
  return source;
}

/* ---- pairs ----------------------------------------------------------------- */

const OPTIONS = ["compat", "strict", "noEscape", "preventIndent", "ignoreStandalone",
  "explicitPartialContext", "assumeObjects", "knownHelpersOnly"];

function options() {
  const made = {};
  if (chance(0.35)) made[pick(OPTIONS)] = true;
  if (chance(0.05)) made[pick(OPTIONS)] = true;
  if (made.compat) made.strict = made.assumeObjects = false;
  return made;
}

function partials() {
  const made = {};
  for (const name of ["p1", "p2", "p3", "p 4", "dir/p5", "12", "a.b", "inl", "own"])
    if (chance(0.95)) made[name] = program(name === "p3" ? 2 : 1);
  return made;
}

function question(id) {
  how = options();
  let template = program(3);
  if (chance(0.12)) template = damage(template);
  template = template.toWellFormed();
  return { id, template, data: data(), partials: partials(), options: how };
}

/* What handlebars.js says; null when the pair says nothing of the language. */
function answer(question) {
  uses = 0;
  try {
    const compiled = Handlebars.compile(question.template, question.options);
    const output = compiled(question.data, { partials: { ...question.partials } });
    return output.length < 1 << 16 && output.isWellFormed() ? { output } : null;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return null;
    return { error: error.message };
  }
}

function main(seed, count) {
  for (let id = 0; id < count; id++) {
    state = (seed * 1000003 + id) | 0;
    const asked = JSON.parse(JSON.stringify(question(id)));
    const said = answer(asked);
    if (said !== null) process.stdout.write(JSON.stringify({ ...asked, ...said }) + "\n");
  }
}

main(Number(process.argv[2]), Number(process.argv[3]));
