// browser.js - a browser and its push service: decrypts what was pushed to it
//
// SPDX-License-Identifier: BSD-2-Clause
//
// node browser.js CERTIFICATE KEY: prints a subscription, then for each message a line
// with its headers, the claims of its sender (whose signature is checked) and its text.
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const http2 = require("http2");

const browser = crypto.createECDH("prime256v1");
const auth = crypto.randomBytes(16);
browser.generateKeys();

const hkdf = (secret, salt, info, bytes) =>
    Buffer.from(crypto.hkdfSync("sha256", secret, salt, info, bytes));

// RFC 8188 and 8291: salt, record size, length and point of the sender, one record
function decrypt(body) {
    const salt = body.subarray(0, 16);
    const point = body.subarray(21, 21 + body[20]);
    const record = body.subarray(21 + body[20]);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"),
        browser.getPublicKey(), point]);
    const material = hkdf(browser.computeSecret(point), auth, info, 32);
    const key = hkdf(material, salt, "Content-Encoding: aes128gcm\0", 16);
    const nonce = hkdf(material, salt, "Content-Encoding: nonce\0", 12);
    const cipher = crypto.createDecipheriv("aes-128-gcm", key, nonce);
    cipher.setAuthTag(record.subarray(-16));
    const plain = Buffer.concat([cipher.update(record.subarray(0, -16)),
        cipher.final()]);
    if (plain[plain.length - 1] !== 2)
        throw new Error("not the last record");
    return plain.subarray(0, -1).toString();
}

// RFC 8292
function sender(authorization) {
    const [, token, point] = /^vapid t=(\S+), k=(\S+)$/.exec(authorization);
    const [head, claims, signature] = token.split(".");
    const raw = Buffer.from(point, "base64url");
    const key = crypto.createPublicKey({ format: "jwk", key: {
        kty: "EC", crv: "P-256", x: raw.subarray(1, 33).toString("base64url"),
        y: raw.subarray(33).toString("base64url") } });
    const good = crypto.verify("sha256", Buffer.from(`${head}.${claims}`),
        { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
    return { good, point, ...JSON.parse(Buffer.from(claims, "base64url")) };
}

const server = http2.createSecureServer({
    cert: fs.readFileSync(process.argv[2]), key: fs.readFileSync(process.argv[3]) });
server.on("sessionError", () => {});
server.on("stream", (stream, headers) => {
    const pieces = [];
    stream.on("data", (piece) => pieces.push(piece));
    stream.on("end", () => {
        const gone = headers[":path"] === "/gone";
        if (!gone)
            console.log(JSON.stringify({ headers,
                sender: sender(headers.authorization),
                text: decrypt(Buffer.concat(pieces)) }));
        stream.respond({ ":status": gone ? 410 : 201 });
        stream.end();
    });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({
    endpoint: `https://localhost:${server.address().port}/push/1`,
    keys: { p256dh: browser.getPublicKey("base64url"),
            auth: auth.toString("base64url") } })));
