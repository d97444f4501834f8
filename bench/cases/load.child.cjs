// One fresh process per sample: within one process V8 would find the compiled module again. Plain JavaScript, so that no
// compiler runs beside what is measured. Gets {subject, scene} on stdin, writes {readyUs, firstUs}.
const { readFileSync } = require('node:fs');
const crypto = require('node:crypto');

const { subject, scene } = JSON.parse(readFileSync(0, 'utf8'));
const logger = { info() {}, error() {} };

/** `before`: not measured. `ready`: up to a function of a token whose answer is truthy for a good one */
const subjects = {
  'read and compile the .wasm': {
    ready: () => {
      const compiled = new WebAssembly.Module(readFileSync(scene.wasmFile));
      return () => compiled;
    },
  },
  // The module and its instance, without the JavaScript around it.
  'entra-access': { before: () => require(scene.coreModule), ready: entraAccess },
  'entra-access, its modules included': { ready: () => entraAccess(require(scene.coreModule)) },
  'crypto.verify': {
    ready: () => {
      const key = crypto.createPublicKey(scene.publicKeyPem);
      return token => {
        const end = token.lastIndexOf('.');
        const [signed, signature] = [Buffer.from(token.slice(0, end)), Buffer.from(token.slice(end + 1), 'base64url')];
        return crypto.verify('sha256', signed, key, signature);
      };
    },
  },
  'fast-jwt': {
    ready: () => {
      const { createVerifier } = require('fast-jwt');
      const { issuer, audience } = scene.expected;
      return createVerifier({
        key: scene.publicKeyPem,
        algorithms: ['RS256'],
        allowedIss: issuer,
        allowedAud: audience,
      });
    },
  },
  jsonwebtoken: {
    ready: () => {
      const { verify } = require('jsonwebtoken');
      const key = crypto.createPublicKey(scene.publicKeyPem);
      return token => verify(token, key, { algorithms: ['RS256'], ...scene.expected });
    },
  },
  'jose 5': { ready: () => jose(require('jose')) },
  'jose 6': { ready: async () => jose(await import('jose6')) },
};

function entraAccess({ EntraCore }) {
  const core = new EntraCore({ configuration: scene.configuration, logger });
  core.setKeys(core.issuers[0], scene.jwks);
  return token => core.authenticate(token).ok;
}

function jose({ createLocalJWKSet, jwtVerify }) {
  const keys = createLocalJWKSet(JSON.parse(scene.jwks));
  return token => jwtVerify(token, keys, { algorithms: ['RS256'], ...scene.expected });
}

async function main() {
  const { before, ready: getReady } = subjects[subject];
  const prepared = before?.();
  const start = process.hrtime.bigint();
  const verify = await getReady(prepared);
  const ready = process.hrtime.bigint();
  const accepted = Boolean(await verify(scene.token));
  const first = process.hrtime.bigint();
  let refused = subject === 'read and compile the .wasm';
  try {
    refused ||= !(await verify(scene.tampered));
  } catch {
    refused = true;
  }
  if (!accepted || !refused) throw new Error(`${subject} does not answer rightly`);
  process.stdout.write(
    JSON.stringify({ readyUs: Number(ready - start) / 1000, firstUs: Number(first - ready) / 1000 }),
  );
}

main().catch(error => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
