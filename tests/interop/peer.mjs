// The interop tests' other side: the jose package, run in the folder that has it in node_modules.
//
// Reads one JSON request {"op": …, …} on standard input, writes one JSON answer on standard output:
// {"ok": …}, or {"error": "…"} if the library refused. Keys come and go only that way, never as
// arguments or files.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const here = createRequire(`${process.cwd()}/`);
const jose = await import(pathToFileURL(here.resolve('jose')));

const privateKey = ({ pem, jwk }, alg) =>
  pem ? jose.importPKCS8(pem, alg, { extractable: true }) : jose.importJWK(jwk, alg, { extractable: true });

const publicKey = ({ pem, jwk }, alg) =>
  pem ? jose.importSPKI(pem, alg, { extractable: true }) : jose.importJWK(jwk, alg, { extractable: true });

const utf8 = (text) => new TextEncoder().encode(text);

const operations = {
  // A fresh key pair in every encoding that the library has for it.
  async generate({ alg }) {
    const options = { extractable: true, modulusLength: 2048, ...(alg === 'ECDH-ES' && { crv: 'X25519' }) };
    const pair = await jose.generateKeyPair(alg, options);
    return {
      private: {
        pkcs8_pem: { pem: await jose.exportPKCS8(pair.privateKey) },
        jwk: { jwk: await jose.exportJWK(pair.privateKey) },
      },
      public: {
        spki_pem: { pem: await jose.exportSPKI(pair.publicKey) },
        jwk: { jwk: await jose.exportJWK(pair.publicKey) },
      },
    };
  },

  // A JWT over the claims, signed with the private key.
  async sign({ key, alg, kid, claims }) {
    return new jose.SignJWT(claims).setProtectedHeader({ alg, kid }).sign(await privateKey(key, alg));
  },

  // The claims of a JWT, verified with the key that jose picks from the JWKS.
  async verify({ jwks, token }) {
    return (await jose.jwtVerify(token, jose.createLocalJWKSet(jwks))).payload;
  },

  // The claims of a JWT, verified with this key.
  async verify_with({ key, alg, token }) {
    return (await jose.jwtVerify(token, await publicKey(key, alg), { algorithms: [alg] })).payload;
  },

  // A JWE over the content, to the holder of the key.
  async seal_jwe({ key, header, content }) {
    const encrypt = new jose.CompactEncrypt(utf8(content)).setProtectedHeader(header);
    return encrypt.encrypt(await publicKey(key, header.alg));
  },

  // The content of a JWE.
  async open_jwe({ key, alg, token }) {
    const { plaintext } = await jose.compactDecrypt(token, await privateKey(key, alg));
    return new TextDecoder().decode(plaintext);
  },

  // A JWE to the public half, opened with the private one.
  async round_trip({ public: recipient, private: secret, alg }) {
    const encrypt = new jose.CompactEncrypt(utf8('content')).setProtectedHeader({ alg, enc: 'A256GCM' });
    const sealed = await encrypt.encrypt(await publicKey(recipient, alg));
    const { plaintext } = await jose.compactDecrypt(sealed, await privateKey(secret, alg));
    return new TextDecoder().decode(plaintext) === 'content';
  },

  async public_jwk({ key, alg }) {
    return jose.exportJWK(await publicKey(key, alg));
  },

  async private_jwk({ key, alg }) {
    return jose.exportJWK(await privateKey(key, alg));
  },

  async thumbprints({ jwks }) {
    return Promise.all(jwks.keys.map((key) => jose.calculateJwkThumbprint(key, 'sha256')));
  },
};

const request = JSON.parse(readFileSync(0, 'utf8'));
let answer;
try {
  answer = { ok: await operations[request.op](request) };
} catch (error) {
  // The tests decide whether a refusal is right.
  answer = { error: `${error.name}: ${error.message}` };
}
process.stdout.write(JSON.stringify(answer));
