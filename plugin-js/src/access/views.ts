import { NotFoundError } from '@backstage/errors';
import type { EntraAccess } from '../service/entraAccess';
import type { CatalogDirectory } from './directory';
import { coded } from '../service/coded';

const { version } = require('../../package.json') as { version: string };

/** The caller as the core sees it; group ids only as a number: a long list helps nobody */
export function whoami(entraAccess: EntraAccess, entityRef: string | undefined, principal: unknown) {
  const { type } = principal as { type?: string };
  if (entityRef === undefined) return { type, note: 'service principals bypass the policy; see the README' };
  const { core } = entraAccess;
  const record = entraAccess.about(entityRef, principal => core.describe(principal));
  if (!record) {
    throw coded(
      'not_signed_in',
      new NotFoundError(`${entityRef} is not signed in through Entra Access, so everything is denied`),
    );
  }
  const { groups, expiresAt, ...identity } = record;
  // Where nobody is asked for groups, an explanation tells what to set.
  const asked = entraAccess.graph.length > 0 || undefined;
  return {
    type,
    entityRef,
    ...identity,
    groups: {
      state: groups.state,
      count: groups.ids.length,
      reason: asked && entraAccess.about(entityRef, principal => entraAccess.whyUnknown(principal)),
    },
    owners: entraAccess.about(entityRef, principal => core.owners(principal)) ?? [],
    expiresAt: new Date(expiresAt * 1000).toISOString(),
    epoch: core.epoch,
  };
}

/** Ages in seconds, and what is wrong */
export function statusOf(entraAccess: EntraAccess, directory: CatalogDirectory) {
  const age = (at?: number) => (at === undefined ? null : Math.max(0, Math.round((Date.now() - at) / 1000)));
  const { core, keys, sessions } = entraAccess;
  return {
    version,
    core: { available: core.available, instance: core.instance, principals: core.principals },
    epoch: core.epoch,
    policy: { rules: core.ruleIds.length },
    sessions: sessions.size,
    keys: keys.states.map(({ issuer, fetchedAt, keys: count, error }) => ({
      issuer,
      keys: count,
      ageSeconds: age(fetchedAt),
      ...(error ? { error } : {}),
    })),
    graph: entraAccess.graph.map(({ tenant, state, lastSuccess, error, directoryRoles }) => ({
      tenant,
      state,
      lastSuccess: lastSuccess === undefined ? null : new Date(lastSuccess).toISOString(),
      ...(error ? { error } : {}),
      directoryRoles,
    })),
    directory: {
      ageSeconds: age(directory.refreshedAt),
      groups: directory.report?.groups ?? 0,
      owners: directory.report?.owners ?? 0,
      nested: directory.report?.nested ?? 0,
      problems: directory.report?.problems ?? [],
      ...(directory.error ? { error: directory.error } : {}),
    },
  };
}
