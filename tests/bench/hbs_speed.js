/*
 * hbs_speed.js - the same as hbs_speed.c, of handlebars.js
 *
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * node hbs_speed.js TEMPLATE DATA WAY SECONDS; Handlebars has to be in NODE_PATH.
 */
"use strict";

const fs = require("fs");
const Handlebars = require("handlebars");

const STEP = 64;
const [source, text] = process.argv.slice(2, 4).map((path) => fs.readFileSync(path, "utf8"));
const [way, seconds] = process.argv.slice(4);
const data = JSON.parse(text);
const template = Handlebars.template(new Function("return " + Handlebars.precompile(source))());

const ways = {
  render: () => template(data),
  parse: () => template(JSON.parse(text)),
  compile: () => Handlebars.compile(source)(data),
};

function rate(run, seconds) {
  const start = process.hrtime.bigint();
  let rounds = 0, took = 0;
  do {
    for (let i = 0; i < STEP; i++) run();
    rounds += STEP;
    took = Number(process.hrtime.bigint() - start) / 1e9;
  } while (took < seconds);
  return rounds / took;
}

if (way === "output") {
  process.stdout.write(template(data));
} else {
  rate(ways[way], Number(seconds) * 2); /* until it is compiled to machine code */
  console.log(rate(ways[way], Number(seconds)).toFixed(0));
}
