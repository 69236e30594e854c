// webhooks.js - verifies a request with the reference libraries of Standard Webhooks
//
// SPDX-License-Identifier: BSD-2-Clause
//
// Reads {"secret", "public_key", "headers", "body"} and writes what each library says.
const crypto = require("node:crypto");
const standard = require("standardwebhooks");
const svix = require("svix");

const said = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

const tried = (Webhook) => {
	try {
		new Webhook(said.secret).verify(said.body, said.headers);
		return "genuine";
	} catch (e) {
		return `${e}`;
	}
};

// Neither library knows v1a: node's own Ed25519 is asked.
const pair = () => {
	const raw = Buffer.from(said.public_key.slice("whpk_".length), "base64");
	const key = crypto.createPublicKey({ format: "jwk",
		key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") } });
	const signed = `${said.headers["webhook-id"]}.` +
	    `${said.headers["webhook-timestamp"]}.${said.body}`;
	return said.headers["webhook-signature"].split(" ").some((s) =>
	    s.startsWith("v1a,") && crypto.verify(null, Buffer.from(signed), key,
	        Buffer.from(s.slice(4), "base64")));
};

console.log(JSON.stringify(said.public_key ? { v1a: pair() } : {
	standardwebhooks: tried(standard.Webhook), svix: tried(svix.Webhook) }));
