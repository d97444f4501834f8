/** The two that are compared: our core in WebAssembly, and jose with the same expectations. */
import { createLocalJWKSet, jwtVerify, type JWTPayload } from 'jose';
import { EntraCore, type Authentication, type Principal } from '../../src/core';
import type { Sample } from './generator';
import { AUDIENCES, CONFIGURATION, ISSUERS, LEEWAY, LIFETIME } from './trust';

export type Ours = { ok: true; principal: Principal } | { ok: false; code: string };

/**
 * Two cores that know the keys of both issuers, judging at a moment that the caller sets: one as a backend runs it, which
 * remembers accepted tokens, and one that judges every token anew.
 */
export class OurJudge {
  readonly #cores: { remembering: EntraCore; forgetful: EntraCore };
  readonly #instances: number[];
  readonly #complaints: string[] = [];
  #now = 0;

  constructor() {
    this.#cores = { remembering: this.#core(true), forgetful: this.#core(false) };
    this.#instances = this.#all.map(core => core.instance);
  }

  judge(sample: Sample): Ours {
    return this.#at(sample, core => core.authenticate(sample.token, sample.purpose));
  }

  /** The same token asked in every other way; each must come to the same */
  async otherWays(sample: Sample): Promise<Record<string, Ours>> {
    const { forgetful } = this.#cores;
    const again = this.judge(sample);
    const anew = this.#at(sample, core => core.authenticate(sample.token, sample.purpose), forgetful);
    const answer = await forgetful.authenticateAsync(sample.token, sample.purpose);
    return { again, anew, 'in other threads': this.#at(sample, () => answer, forgetful) };
  }

  /** What the inspector says of it: the code, or `accepted` */
  inspect({ token, purpose, now }: Sample): { verdict: string; text: string } {
    this.#now = now;
    const inspection = this.#cores.remembering.inspect(token, purpose);
    return { verdict: inspection?.code ?? inspection?.verdict ?? 'unavailable', text: JSON.stringify(inspection) };
  }

  /** Whether the instances of the beginning still answer and have nothing to complain of */
  get unharmed(): boolean {
    const same = this.#all.every((core, at) => core.available && core.instance === this.#instances[at]);
    return same && this.#complaints.length === 0;
  }

  close(): void {
    this.#all.forEach(core => core.close());
  }

  get #all(): EntraCore[] {
    return Object.values(this.#cores);
  }

  #at({ now }: Sample, ask: (core: EntraCore) => Authentication, core = this.#cores.remembering): Ours {
    this.#now = now;
    const answer = ask(core);
    if (!answer.ok) return { ok: false, code: answer.code };
    const principal = core.describe(answer.principal);
    if (!principal) throw new Error('the core took in a caller that it does not know');
    return { ok: true, principal };
  }

  #core(tokenCache: boolean): EntraCore {
    const note = (message: string) => void this.#complaints.push(message);
    const clock = () => this.#now * 1000;
    const core = new EntraCore({
      configuration: CONFIGURATION,
      logger: { error: note, info: note },
      clock,
      tokenCache,
    });
    for (const issuer of core.issuers) {
      const trusted = ISSUERS.find(({ id }) => id === issuer.id);
      const outcome = core.setKeys(issuer, JSON.stringify(trusted?.jwks), END_OF_TIME);
      if (!outcome.ok) throw new Error(outcome.error);
    }
    return core;
  }
}

export type Theirs = { ok: true; payload: JWTPayload; issuer: string } | { ok: false; code: string };

/** jose's key sets have no age, so ours are never too old: milliseconds of the last second that the core can be told */
const END_OF_TIME = 0xffff_ffff * 1000;

/** jose knows one issuer and its keys at a time, as our profiles do: it accepts if it does so for one of them */
const joses = ISSUERS.map(({ id, issuer, jwks }) => {
  const keys = createLocalJWKSet(jwks);
  const options = {
    issuer,
    audience: AUDIENCES,
    algorithms: ['RS256'],
    clockTolerance: LEEWAY,
    maxTokenAge: LIFETIME,
    requiredClaims: ['exp', 'iat', 'iss', 'aud', 'tid', 'oid', 'ver'],
  };
  return (token: string, now: number) =>
    jwtVerify(token, keys, { ...options, currentDate: new Date(now * 1000) }).then(({ payload }) => ({ payload, id }));
});

export async function joseJudge({ token, now }: Sample): Promise<Theirs> {
  let code = 'ERR_JWKS_NO_MATCHING_KEY';
  for (const jose of joses) {
    try {
      const { payload, id } = await jose(token, now);
      return { ok: true, payload, issuer: id };
    } catch (error) {
      const reason = (error as { code?: string }).code ?? (error as Error).name;
      // That the other issuer has no such key says nothing.
      if (reason !== 'ERR_JWKS_NO_MATCHING_KEY') code = reason;
    }
  }
  return { ok: false, code };
}

/** Where our record of the caller differs from the claims as jose read them; empty when it does not */
export function differences(
  principal: Principal,
  { payload, issuer }: { payload: JWTPayload; issuer: string },
): string[] {
  const claims = payload as Record<string, unknown>;
  const lower = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : value);
  // An ID token is for the client that it names as its audience.
  const client =
    (claims.ver === '1.0' ? claims.appid : claims.azp) ?? [claims.aud].flat().find(aud => aud === AUDIENCES[0]);
  const overage = pointsElsewhere(claims);
  const listed = Array.isArray(claims.groups) && principal.groups.state === 'known';
  const expected: Record<string, [unknown, unknown]> = {
    issuer: [principal.issuer, issuer],
    tid: [principal.tenantId, lower(claims.tid)],
    oid: [principal.objectId, lower(claims.oid)],
    exp: [principal.expiresAt, Number(claims.exp) + LEEWAY],
    client: [principal.clientId, lower(client)],
    actor: [principal.actor?.clientId ?? null, principal.kind === 'agent' ? lower(client) : null],
    name: [principal.name, claims.name ?? null],
    roles: [principal.roles.join('\0'), ((claims.roles as string[]) ?? []).join('\0')],
    groups: [setOf(principal.groups.ids), listed ? setOf((claims.groups as unknown[]).map(lower)) : ''],
    // Unknown is never empty: a list is known only when the token has it and points to no other.
    known: [
      principal.groups.state === 'known',
      isPerson(principal, claims) && Array.isArray(claims.groups) && !overage,
    ],
    kind: [principal.kind, kindOf(claims)],
  };
  return Object.entries(expected).flatMap(([what, [ours, theirs]]) => (Object.is(ours, theirs) ? [] : [what]));
}

/** Order and repetition of groups mean nothing */
const setOf = (ids: unknown[]) => [...new Set(ids)].sort().join();

/** Overage (Microsoft Entra: groups overage claim): anything but a clear no says that groups were left out */
function pointsElsewhere({ hasgroups, _claim_names: names }: Record<string, unknown>): boolean {
  if (hasgroups !== undefined && hasgroups !== false) return true;
  if (names === undefined) return false;
  const isObject = typeof names === 'object' && names !== null && !Array.isArray(names);
  return !isObject || Object.hasOwn(names, 'groups');
}

const isPerson = ({ kind }: Principal, claims: Record<string, unknown>) =>
  kind === 'user' || (kind === 'agent' && claims.idtyp !== 'app');

function kindOf({ idtyp, xms_act_fct: actor = '', xms_sub_fct: subject = '' }: Record<string, unknown>): string {
  const facets = (text: unknown) => String(text).split(' ');
  const agent = facets(actor).includes('11') || facets(subject).some(facet => facet === '11' || facet === '13');
  return agent ? 'agent' : idtyp === 'app' ? 'workload' : 'user';
}
