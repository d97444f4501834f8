import { NotFoundError } from '@backstage/errors';
import type { Status } from '../openapi/status';
import type { Whoami } from '../openapi/whoami';
import type { EntraAccess } from '../service/entraAccess';
import { entraStates } from '../service/entraStates';
import { sessionsUnavailable } from '../service/sessionStoreAccess';
import { NOT_YET } from './checks';
import type { CatalogDirectory } from './directory';
import { coded } from '../service/coded';

const { version } = require('../../package.json') as { version: string };

/** The caller as the core sees it; group ids only as a number: a long list helps nobody */
export function whoami(entraAccess: EntraAccess, entityRef: string | undefined): Whoami {
  if (entityRef === undefined) return { type: 'service', note: 'service principals bypass the policy; see the README' };
  const { core } = entraAccess;
  const record = entraAccess.about(entityRef, principal => core.describe(principal));
  if (!record) throw notSignedIn(entraAccess, entityRef);
  const { groups, issuedAt: _, expiresAt, ...identity } = record;
  // Where nobody is asked for groups, an explanation tells what to set.
  const asked = entraAccess.graph.length > 0 || core.freshness.staleAfter > 0 || undefined;
  const standing = entraAccess.about(entityRef, principal => core.standing(principal));
  const live = standing?.live ? (core.members.groupsOf(record.tenantId, record.objectId) ?? []) : undefined;
  return {
    type: 'user',
    entityRef,
    ...identity,
    groups: {
      state: standing?.gap ? 'unknown' : live ? 'known' : groups.state,
      count: standing?.gap ? 0 : (live ?? groups.ids).length,
      reason: asked && entraAccess.about(entityRef, principal => entraAccess.whyUnknown(principal)),
    },
    owners: entraAccess.about(entityRef, principal => core.owners(principal)) ?? [],
    expiresAt: new Date(expiresAt * 1000).toISOString(),
    epoch: core.epoch,
  };
}

/** Nobody is known under a ref: there is no session, or it cannot be looked for */
export function notSignedIn(
  { sessions, asksFallback }: Pick<EntraAccess, 'sessions' | 'asksFallback'>,
  entityRef: string,
): Error {
  const answer = asksFallback ? 'the fallback policy decides' : 'everything is denied';
  const reason = `${entityRef} is not signed in through Entra Access, so ${answer}`;
  return sessionsUnavailable(sessions.store) ?? coded('not_signed_in', new NotFoundError(reason));
}

/** Ages in seconds, and what is wrong */
export function statusOf(entraAccess: EntraAccess, directory: CatalogDirectory, checks = NOT_YET): Status {
  const age = (at?: number) => (at === undefined ? null : Math.max(0, Math.round((Date.now() - at) / 1000)));
  const { core, keys, policyState, sessions } = entraAccess;
  return {
    version,
    core: { available: core.available, instance: core.instance, principals: core.principals },
    epoch: core.epoch,
    policy: {
      rules: core.ruleIds.length,
      ...(policyState.file ? { file: policyState.file } : {}),
      ageSeconds: age(policyState.loadedAt),
      ...(policyState.error ? { error: policyState.error } : {}),
      warnings: [...entraAccess.policyWarnings],
    },
    sessions: sessions.size,
    sessionStore: sessions.store,
    audit: entraAccess.audit.state,
    keys: keys.states.map(({ issuer, fetchedAt, trustedUntil, keys: count, error }) => ({
      issuer,
      keys: count,
      ageSeconds: age(fetchedAt),
      ...(trustedUntil === undefined ? {} : { trustedUntil: new Date(trustedUntil).toISOString() }),
      ...(error ? { error } : {}),
    })),
    graph: entraAccess.graph.map(({ tenant, state, lastSuccess, error, directoryRoles }) => ({
      tenant,
      state,
      lastSuccess: lastSuccess === undefined ? null : new Date(lastSuccess).toISOString(),
      ...(error ? { error } : {}),
      directoryRoles,
    })),
    // Where the directory is the source of groups: how far each tenant is known.
    ...(core.freshness.staleAfter > 0 ? { entra: entraOf(entraAccess) } : {}),
    ...(entraAccess.following ? { follow: entraAccess.following() } : {}),
    directory: {
      ageSeconds: age(directory.refreshedAt),
      epoch: entraAccess.directory.current,
      groups: directory.report?.groups ?? 0,
      owners: directory.report?.owners ?? 0,
      nested: directory.report?.nested ?? 0,
      problems: directory.report?.problems ?? [],
      ...(directory.error ? { error: directory.error } : {}),
    },
    checks,
  };
}

function entraOf({ breakGlass, core }: EntraAccess) {
  return {
    staleAfterSeconds: core.freshness.staleAfter,
    tenants: entraStates(core).map(({ tenant, stale, ageSeconds, error }) => ({
      tenant,
      stale,
      ageSeconds: ageSeconds ?? null,
      revoked: core.accounts.report(tenant)?.outOfForce ?? 0,
      ...(error === undefined ? {} : { error }),
    })),
    breakGlass: breakGlass.states.map(({ name, uses, lastUse }) => ({
      name,
      uses,
      lastUse: lastUse === undefined ? null : new Date(lastUse).toISOString(),
    })),
  };
}
