/**
 * Ours: as published (`plugin-js/dist`), one core for all groups as in a real backend, keys found by `kid` in the
 * tenant's set. A verified token becomes a principal that is held in the core; claims are not handed out.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type * as Core from '../../plugin-js/src/core';
import { HOME_TENANT_ID } from '../../plugin-js/dev/tenant/tenantIds';
import { expected, jwks, type Workload } from '../tokens';
import { asIs, type AsyncVerifier, type Verifier } from './verifier';

const PLUGIN = join(__dirname, '..', '..', 'plugin-js');
export const CORE_MODULE = join(PLUGIN, 'dist', 'core', 'index.js');
export const WASM_FILE = join(PLUGIN, 'pkg', 'entra_access_core_bg.wasm');

export const wasmKilobytes = (): number => Math.round(statSync(WASM_FILE).size / 1000);

type EntraCore = Core.EntraCore;

export const configuration = JSON.stringify({
  // Entra itself signs with RS256 only: a cloud of the same address that may use ES256 too.
  tenants: [{ tenantId: HOME_TENANT_ID, cloud: 'bench', audiences: [expected.audience] }],
  clouds: { bench: { authority: 'https://login.microsoftonline.com', algorithms: ['RS256', 'ES256'] } },
  policy: { rules: [] },
});

/** `tokenCache: false`: each token is verified anew even if it comes again */
export function makeCore({ tokenCache }: { tokenCache: boolean }): EntraCore {
  if (!existsSync(CORE_MODULE)) throw new Error('the plugin is not built: run `node scripts/setup.mjs`');
  const { EntraCore } = require(CORE_MODULE) as typeof Core;
  const logger = { info: () => {}, error: (message: string) => assert.fail(message) };
  const core: EntraCore = new EntraCore({ configuration, logger, tokenCache });
  const issuer = core.issuers.find(({ id }) => id.startsWith('entra-v2:'));
  assert.ok(issuer && core.setKeys(issuer, jwks).ok);
  return core;
}

const once = <T>(make: () => T) => {
  let made: T | undefined;
  return () => (made ??= make());
};
const coldCore = once(() => makeCore({ tokenCache: false }));
const defaultCore = once(() => makeCore({ tokenCache: true }));

/** Every token as if never seen */
export function entraAccess({ tokens }: Workload): Verifier {
  const core = coldCore();
  return {
    name: 'entra-access',
    prepare: asIs,
    verify: token => core.authenticate(token).ok,
    checksClaims: true,
    check: () => checkCold(tokens[0] as string),
  };
}

/** With signatures checked in other threads */
export function entraAccessAsync(): AsyncVerifier {
  const core = coldCore();
  const verify = (token: string) => core.authenticateAsync(token);
  return { name: 'entra-access, async', prepare: asIs, verify, checksClaims: true };
}

/** With whatever the core remembers by default; looks at whom it answers for */
export function entraAccessRemembering({ tokens, objectIds }: Workload): Verifier {
  const core = defaultCore();
  const verify = (token: string) => core.authenticate(token).ok;
  const check = () => {
    for (const round of [1, 2]) {
      tokens.forEach((token, index) => {
        const answer = core.authenticate(Buffer.from(token).toString());
        const principal = answer.ok ? core.describe(answer.principal) : undefined;
        assert.equal(principal?.objectId, objectIds[index], `round ${round}: answers for somebody else`);
      });
    }
  };
  return { name: 'entra-access', prepare: asIs, verify, checksClaims: true, check };
}

/** Whether tokens of that kind are let in at all */
export function entraAccessTakes({ tokens }: Workload): boolean {
  return coldCore().authenticate(tokens[0] as string).ok;
}

/** The same token twice must be two signature checks: a core of its own, made while both ways to them are counted */
function checkCold(token: string): void {
  const { createVerify, verify } = crypto;
  let calls = 0;
  const counted = <F extends (...args: never[]) => unknown>(original: F) =>
    ((...args: Parameters<F>) => {
      calls += 1;
      return original(...args);
    }) as F;
  try {
    crypto.createVerify = counted(createVerify);
    crypto.verify = counted(verify) as typeof verify;
    const core = makeCore({ tokenCache: false });
    assert.ok(core.authenticate(token).ok && core.authenticate(token).ok);
    core.close();
  } finally {
    Object.assign(crypto, { createVerify, verify });
  }
  assert.equal(calls, 2, 'the signature was not checked each time: `tokenCache: false` is not honoured');
}
