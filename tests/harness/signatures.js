// signatures.js - requests signed, and judged, as the providers' own libraries do it
//
// SPDX-License-Identifier: BSD-2-Clause
//
// Reads a list of requests and writes for each {"signature", "genuine"}: what the provider
// would send, and whether its library takes it from there.
//
//     {"kind": "twilio", "token", "url", "params" | "body"}
//     {"kind": "sendgrid", "key" (PKCS #8, PEM), "public" (base64), "timestamp", "body"}
"use strict";
const crypto = require("node:crypto");
const { EventWebhook } = require("@sendgrid/eventwebhook");
const { getExpectedTwilioSignature, webhook } = require("twilio/lib/webhooks/webhooks");

// Whether its middleware for Express lets the request pass.
function passes(request, signature) {
	let passed = false;
	const refusal = { type: () => refusal, status: () => refusal, send: () => refusal };
	webhook({ url: request.url }, request.token)({
		header: () => signature, body: request.params, rawBody: request.body,
	}, refusal, () => { passed = true; });
	return passed;
}

const signers = {
	twilio(request) {
		const signature = getExpectedTwilioSignature(request.token,
		    request.signed_url || request.url, request.params || {});
		return { signature, genuine: passes(request, signature) };
	},
	sendgrid(request) {
		const signature = crypto.sign("sha256",
		    Buffer.from(request.timestamp + request.body),
		    request.key).toString("base64");
		const library = new EventWebhook();
		const key = library.convertPublicKeyToECDSA(request.public);
		return { signature, genuine: library.verifySignature(key, request.body,
		    signature, request.timestamp) };
	},
};

const requests = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(requests.map((r) => signers[r.kind](r))));
