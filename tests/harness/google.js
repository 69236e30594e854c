// google.js - a stand-in for Google: access tokens and FCM, over HTTP/2 and TLS
//
// SPDX-License-Identifier: BSD-2-Clause
//
// node google.js CERTIFICATE KEY: prints its port.  POST /control takes what it is to
// answer: {"token": ANSWER, "send": {TEXT IN THE BODY: ANSWER}}, where an ANSWER is
// {"status", "headers", "body", "times", "after_ms", "hold", "refuse"}; GET /control tells what it
// was asked.  "quiet": true keeps no requests (benchmarks); with "leave": N a connection
// ends at its Nth message.
"use strict";
const fs = require("fs");
const http2 = require("http2");

const state = { sessions: 0, first_ms: 0, last_ms: 0, tokens: 0, sends: 0, most: 0, running: 0,
                requests: [] };
let control = {};

function answer(stream, chosen, otherwise) {
    const a = chosen && (chosen.times === undefined || chosen.times-- > 0)
        ? chosen : otherwise;
    const body = a.body === undefined ? "" :
        typeof a.body === "string" ? a.body : JSON.stringify(a.body);
    const write = () => {
        if (a.hold || stream.closed || stream.destroyed)
            return;
        if (a.refuse) {
            stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
            return;
        }
        stream.respond({ ":status": a.status || 200,
                         "content-type": "application/json",
                         "content-length": Buffer.byteLength(body),
                         ...(a.headers || {}) });
        stream.end(body);
    };
    if (a.after_ms)
        setTimeout(write, a.after_ms);
    else
        write();
}

function take(stream, headers, body) {
    const path = headers[":path"];
    if (path === "/control") {
        if (headers[":method"] === "POST")
            control = JSON.parse(body);
        const told = JSON.stringify(state);
        if (control.zero)
            Object.assign(state, { sends: 0, most: 0, requests: [] });
        answer(stream, null, { body: told });
        return;
    }
    if (!control.quiet)
        state.requests.push({ path, headers, body });
    if (path === "/token") {
        state.tokens++;
        answer(stream, control.token, { body: { token_type: "Bearer",
            access_token: `token-${state.tokens}`, expires_in: 3599 } });
        return;
    }
    state.sends++;
    state.last_ms = performance.now();
    if (state.sends === 1)
        state.first_ms = state.last_ms;
    stream.session.sends = (stream.session.sends || 0) + 1;
    if (stream.session.sends === control.leave) {
        stream.session.destroy(undefined, http2.constants.NGHTTP2_INTERNAL_ERROR);
        return;
    }
    const rule = Object.keys(control.send || {}).find(
        (text) => body.includes(text) ||
            (headers.authorization || "").includes(text));
    answer(stream, rule === undefined ? rule : control.send[rule],
        { body: { name: `projects/p/messages/${state.sends}` } });
}

const server = http2.createSecureServer({
    cert: fs.readFileSync(process.argv[2]), key: fs.readFileSync(process.argv[3]) });
server.on("session", () => state.sessions++);
server.on("sessionError", () => {});
server.on("stream", (stream, headers) => {
    let body = "";
    state.running++;
    state.most = Math.max(state.most, state.running);
    stream.on("data", (piece) => { body += piece; });
    stream.on("end", () => take(stream, headers, body));
    stream.on("close", () => state.running--);
    stream.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
