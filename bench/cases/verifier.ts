/** Something that verifies tokens, and how it becomes a case. */
import assert from 'node:assert/strict';
import type { Case } from '../harness';
import { isRight, type Work } from '../sampling';
import type { Workload } from '../tokens';

/**
 * `Input` is what it gets for each token: mostly the token itself; raw signature checks get it taken apart.
 * `verify` answers something right for a good token ({@link isRight}); otherwise it throws or answers something that is not.
 */
export interface Verifier<Input = string> {
  name: string;
  prepare(token: string): Input;
  verify(input: Input): unknown;
  /** Whether it checks issuer, audience and dates; raw signature checks don't */
  checksClaims: boolean;
  /** More that must hold before it is timed */
  check?(): void | Promise<void>;
}

export interface AsyncVerifier<Input = string> extends Verifier<Input> {
  verify(input: Input): Promise<unknown>;
}

/** What most are given */
export const asIs = (token: string): string => token;

export function syncCase<Input>(verifier: Verifier<Input>, workload: Workload): Case {
  const next = inTurn(verifier, workload);
  return tokenCase(verifier, workload, { kind: 'sync', once: () => verifier.verify(next()) });
}

export function awaitedCase<Input>(verifier: AsyncVerifier<Input>, workload: Workload): Case {
  const next = inTurn(verifier, workload);
  return tokenCase(verifier, workload, { kind: 'awaited', once: () => verifier.verify(next()) });
}

export function inFlightCase<Input>(verifier: AsyncVerifier<Input>, workload: Workload, width: number): Case {
  const next = inTurn(verifier, workload);
  return tokenCase(verifier, workload, { kind: 'inFlight', width, once: () => verifier.verify(next()) });
}

/** The tokens one after the other: none comes again before all others have been there */
function inTurn<Input>({ prepare }: Verifier<Input>, { tokens }: Workload): () => Input {
  const inputs = tokens.map(prepare);
  let at = -1;
  return () => {
    at = at + 1 === inputs.length ? 0 : at + 1;
    return inputs[at] as Input;
  };
}

function tokenCase<Input>(verifier: Verifier<Input>, workload: Workload, work: Work): Case {
  return { name: verifier.name, work, check: () => checkVerifier(verifier, workload) };
}

async function checkVerifier<Input>(
  verifier: Verifier<Input>,
  { tokens, tampered, misdirected }: Workload,
): Promise<void> {
  for (const token of tokens)
    assert.ok(isRight(await verifier.verify(verifier.prepare(token))), 'refuses a good token');
  const bad = { ...tampered, ...(verifier.checksClaims && misdirected) };
  for (const [what, token] of Object.entries(bad)) assert.ok(!(await accepts(verifier, token)), `accepts ${what}`);
  await verifier.check?.();
}

/** Only for bad tokens: an exception counts as a refusal */
async function accepts<Input>(verifier: Verifier<Input>, token: string): Promise<boolean> {
  try {
    return isRight(await verifier.verify(verifier.prepare(token)));
  } catch {
    return false;
  }
}
