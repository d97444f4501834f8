import { UNTIL_CLAIM } from './pipelineLife';

/** Four times what Node accepts as the headers of one request: nothing that came over HTTP is longer */
const MAX_TOKEN_LENGTH = 64 * 1024;

/** What a token says about itself */
export interface Claimed {
  readonly issuer?: string;
  readonly subject?: string;
  /** Seconds since the epoch */
  readonly issued?: number;
  readonly expires?: number;
  /** Ours, in the Backstage tokens of pipelines */
  readonly until?: number;
  /** Client ids under both names, in lower case: v2.0 tokens have `azp`, v1.0 tokens `appid` */
  readonly clients: readonly string[];
  /** Whether it says that an application acts by itself */
  readonly appOnly: boolean;
  /** Whether the client has declared that it understands claims challenges: the capability `cp1` */
  readonly takesChallenges: boolean;
}

/** A page of a client brings the same token with every call: so many that were read last are not read again, unless they are long */
const RECENT = 64;
const MAX_RECENT_LENGTH = 8 * 1024;
const recent = new Map<string, Claimed>();

/**
 * What a token says about itself, without any proof: good for choosing who shall judge it, and for nothing else.
 *
 * Lenient on purpose. A token that looks like ours to a lenient reader goes to the core, which is strict; the other way
 * round a broken token of ours would be shown to verifiers that know less about it. `undefined` for what is no token.
 */
export function unverifiedClaims(token: string): Claimed | undefined {
  const known = recent.get(token);
  if (known !== undefined) return known;
  const claims = read(token);
  if (claims !== undefined && token.length <= MAX_RECENT_LENGTH) keep(token, claims);
  return claims;
}

/** The oldest gives way */
function keep(token: string, claims: Claimed): void {
  if (recent.size >= RECENT) recent.delete(recent.keys().next().value as string);
  recent.set(token, claims);
}

function read(token: string): Claimed | undefined {
  const start = token.indexOf('.') + 1;
  const end = token.indexOf('.', start);
  if (token.length > MAX_TOKEN_LENGTH || start === 0 || end === -1) return undefined;
  const claims = parse(Buffer.from(token.slice(start, end), 'base64url').toString('utf8'));
  if (!claims) return undefined;
  const text = (name: string) => {
    const value = claims[name];
    return typeof value === 'string' ? value : undefined;
  };
  const seconds = (name: string) => {
    const value = claims[name];
    return Number.isSafeInteger(value) ? (value as number) : undefined;
  };
  return Object.freeze({
    issuer: text('iss'),
    subject: text('sub'),
    issued: seconds('iat'),
    expires: seconds('exp'),
    until: seconds(UNTIL_CLAIM),
    clients: Object.freeze([text('azp'), text('appid')].flatMap(client => (client ? [client.toLowerCase()] : []))),
    appOnly: text('idtyp') === 'app' && !text('scp'),
    takesChallenges: [claims.xms_cc].flat().some(each => typeof each === 'string' && each.toLowerCase() === 'cp1'),
  });
}

function parse(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
