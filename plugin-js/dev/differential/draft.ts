/** A token before it is signed: members as raw JSON text, so that anything can be written twice, badly or not at all. */
import type { Purpose } from '../../src/core';
import type { Random } from './random';
import { AUDIENCES, DAEMON, ISSUERS, NOW, PORTAL, PRIVATE_KEYS, TENANT } from './trust';

/** Name and value as they stand in the text, quotes and all */
export interface Member {
  name: string;
  value: string;
}

export interface Draft {
  header: Member[];
  claims: Member[];
  key: keyof typeof PRIVATE_KEYS;
  purpose: Purpose;
  /** Seconds since the epoch at which it is judged */
  now: number;
  /** What was done to it, for the report */
  history: string[];
}

export const member = (name: string, value: unknown): Member => ({
  name: JSON.stringify(name),
  value: JSON.stringify(value),
});

export const textOf = (members: readonly Member[]): string =>
  `{${members.map(({ name, value }) => `${name}:${value}`).join(',')}}`;

/** Sets a member to raw JSON text in its place, or adds it */
export function set(members: Member[], name: string, value: string): void {
  const present = members.find(each => each.name === JSON.stringify(name));
  if (present) present.value = value;
  else members.push({ name: JSON.stringify(name), value });
}

export function remove(members: Member[], name: string): void {
  const at = members.findIndex(each => each.name === JSON.stringify(name));
  if (at >= 0) members.splice(at, 1);
}

export function numberOf(members: readonly Member[], name: string): number {
  return Number(members.find(each => each.name === JSON.stringify(name))?.value ?? NOW);
}

type Caller = 'person' | 'application' | 'agent' | 'sign-in';
const CALLERS: readonly Caller[] = ['person', 'person', 'person', 'application', 'agent', 'sign-in'];

/** What Entra would send: one of its callers in one of its two formats, always acceptable */
export function entraDraft(random: Random): Draft {
  const caller = random.pick(CALLERS);
  const v2 = caller === 'sign-in' || random.chance(75);
  const issuer = ISSUERS[v2 ? 0 : 1]!;
  const issued = NOW - random.below(3600);
  const claims = {
    // An ID token names its client in `aud`, so there it is a client id.
    aud: caller === 'sign-in' ? AUDIENCES[0] : random.pick(AUDIENCES),
    iss: issuer.issuer,
    iat: issued,
    nbf: issued,
    exp: issued + 3600 + random.below(24 * 3600),
    aio: random.bytes(24).toString('base64url'),
    oid: random.guid(),
    sub: random.bytes(32).toString('base64url'),
    tid: TENANT,
    uti: random.bytes(16).toString('base64url'),
    ver: v2 ? '2.0' : '1.0',
    ...callerClaims(caller, v2, random),
  };
  return {
    header: Object.entries({ typ: 'JWT', alg: 'RS256', kid: issuer.kid }).map(([name, value]) => member(name, value)),
    claims: Object.entries(claims).map(([name, value]) => member(name, value)),
    key: v2 ? 'a' : 'b',
    purpose: caller === 'sign-in' ? 'sign-in' : 'access',
    now: NOW,
    history: [`${caller} ${v2 ? 'v2.0' : 'v1.0'}`],
  };
}

function callerClaims(caller: Caller, v2: boolean, random: Random): Record<string, unknown> {
  const client = (id: string) => (v2 ? { azp: id, azpacr: '1' } : { appid: id, appidacr: '1' });
  const person = {
    name: random.pick(['Ada Example', 'Łukasz "Q" 𝄞', 'a\\b/c\n']),
    ...(random.chance(20)
      ? { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.windows.net/x' } } }
      : { groups: Array.from({ length: random.below(12) }, () => random.guid()) }),
    ...(random.chance(50) && { roles: ['Backstage.Admin', 'Reader'].slice(random.below(3)) }),
  };
  switch (caller) {
    case 'application':
      return { ...client(DAEMON), idtyp: 'app', roles: ['Catalog.Refresh'] };
    case 'agent':
      return { ...client(PORTAL), ...person, scp: 'access_as_user', idtyp: 'user', xms_act_fct: '2 11' };
    case 'sign-in':
      return { ...person, nonce: random.bytes(12).toString('base64url') };
    default:
      return { ...client(PORTAL), ...person, scp: 'access_as_user' };
  }
}
