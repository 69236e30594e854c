// meta.js - a webhook's body and its signature as Meta makes them
//
// SPDX-License-Identifier: BSD-2-Clause
//
// node meta.js SECRET < EVENTS: a line "sha256=...", then the body.  What is not ASCII is
// written as \uXXXX in small letters.
"use strict";
const crypto = require("crypto");
const fs = require("fs");

const body = JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8"))).replace(
    /[\u0080-\uffff]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
const digest = crypto.createHmac("sha256", process.argv[2]).update(body).digest("hex");
process.stdout.write(`sha256=${digest}\n${body}`);
