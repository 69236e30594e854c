// oidc.mjs - npm's oidc-provider as issuer of access tokens
//
// SPDX-License-Identifier: BSD-2-Clause
//
// Prints its URL.  POST /rotate gives it other keys at once; /publish, /sign and /retire do so step
// by step: others beside those that sign, the others sign, those that signed before are gone.
// One client for each algorithm.  A number at the end of a resource, as in "urn:belfry:3", is for
// how many seconds its tokens are good.
import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

const algorithms = {
  RS256: ["rsa", { modulusLength: 2048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
  EdDSA: ["ed25519", {}],
};

const keys = () => Object.entries(algorithms).map(([alg, [type, options]]) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  kid: randomUUID(), use: "sig", alg,
}));

const make = (issuer, sets) => new Provider(issuer, {
  jwks: { keys: sets.flat() },
  clients: Object.keys(algorithms).map((alg) => ({
    client_id: alg, client_secret: "secret", redirect_uris: [],
    grant_types: ["client_credentials"], response_types: [],
  })),
  scopes: ["notifications:send", "templates:read"],
  extraTokenClaims: () => ({ tenant: "demo" }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (context, resource, client) => ({
        scope: "notifications:send templates:read", audience: "belfry",
        accessTokenTTL: Number(resource.split(":")[2] ?? 300),
        accessTokenFormat: "jwt", jwt: { sign: { alg: client.clientId } },
      }),
    },
  },
});

const steps = {
  "/rotate": () => [keys()],
  "/publish": ([old]) => [old, keys()],
  "/sign": ([old, fresh]) => [fresh, old],
  "/retire": ([fresh]) => [fresh],
};

let provider;
let sets = [keys()]; // the first one signs
const server = createServer((request, response) => {
  if (request.method === "POST" && request.url in steps) {
    sets = steps[request.url](sets);
    provider = make(provider.issuer, sets);
    response.end("done");
  } else {
    provider.callback()(request, response);
  }
});
server.listen(0, "127.0.0.1", () => {
  provider = make(`http://127.0.0.1:${server.address().port}`, sets);
  console.log(provider.issuer);
});
process.stdin.resume().on("end", () => process.exit(0));
