import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import type { ConfigurationError, Mistake } from '../core';
import type { Place, Placed } from './documents';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A caller as somebody describes one: the core's record in shorter words, and which entity it is */
export interface DescribedPrincipal {
  /** For the core, which is its strict reader */
  record: Record<string, unknown>;
  tenantId?: string;
  /** Where it is said */
  entityRef?: string;
  place: Place;
  /** What the core finds wrong with the record, at the place where it is described */
  located(mistake: Mistake): ConfigurationError;
}

/**
 * Reads the description of a principal; `now` in seconds.
 *
 * It is the record that `POST /v1/tokens/inspect` shows, where the rest can be left out but never the groups: `groups` is also a
 * list of object ids, `unknown` or `none`, and `assurance.signedInAgo` (`10m`) stands for a time that moves on.
 * @throws ConfigurationError
 */
export function readPrincipal({ value, place }: Placed, now: number): DescribedPrincipal {
  if (!isMapping(value)) throw place.mistake('a principal is a mapping', 'such as { kind: user, tenantId: ... }');
  const { entityRef, groups, assurance, ...rest } = value;
  // An agent without one would pass for the person for whom it acts.
  if ((rest.kind === 'agent') !== (rest.actor !== undefined && rest.actor !== null)) {
    throw place
      .at('actor')
      .mistake(
        rest.kind === 'agent' ? 'is missing: an agent has a client id' : 'belongs to agents only',
        'actor: { clientId: <id> }, with `autonomous: true` for an agent that acts for nobody but itself',
      );
  }
  const tenantId = typeof rest.tenantId === 'string' ? rest.tenantId.toLowerCase() : undefined;
  const record = {
    issuer: `entra-v2:${tenantId}`,
    roles: [],
    ...rest,
    groups: readGroups(groups, place.at('groups')),
    ...(assurance === undefined
      ? {}
      : { assurance: readAssurance({ value: assurance, place: place.at('assurance') }, now) }),
    // Not what is asked: a question is about a live sign-in.
    expiresAt: now,
  };
  return {
    record,
    tenantId,
    entityRef: entityRef === undefined ? undefined : readRef(entityRef, place.at('entityRef')),
    place,
    located({ path, message, hint }) {
      const inside = path.replace(/^record/, '').replace(/^entity$/, '.entityRef');
      const written = Array.isArray(groups) ? inside.replace(/^\.groups\.ids/, '.groups') : inside;
      return place.within(written).mistake(message, hint ?? undefined);
    },
  };
}

function readGroups(groups: unknown, place: Place): unknown {
  if (Array.isArray(groups)) return { state: 'known', ids: groups };
  if (groups === 'unknown' || groups === 'none') return { state: groups, ids: [] };
  if (isMapping(groups)) return groups;
  throw place.mistake(
    groups === undefined ? 'is missing' : 'is neither a list nor `unknown` nor `none`',
    'list the object ids of all groups, `[]` for a member of none; `unknown` as in a token that leaves them out; `none` for what has no groups',
  );
}

function readAssurance({ value, place }: Placed, now: number): unknown {
  if (!isMapping(value) || value.signedInAgo === undefined) return value;
  const { signedInAgo, ...rest } = value;
  if (rest.signedInAt !== undefined) throw place.mistake('`signedInAt` and `signedInAgo` are one too many');
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(String(signedInAgo)) ?? [];
  if (number === undefined) throw place.at('signedInAgo').mistake('is not a time such as `90s`, `10m`, `8h` or `2d`');
  return { ...rest, signedInAt: Math.max(0, now - Number(number) * UNITS[unit]!) };
}

function readRef(ref: unknown, place: Place): string {
  try {
    if (typeof ref === 'string') return stringifyEntityRef(parseEntityRef(ref, { defaultKind: 'user' }));
  } catch {
    // Said below.
  }
  throw place.mistake('is not an entity reference', 'such as user:default/jane');
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
