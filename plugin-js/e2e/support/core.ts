import { backstageApi } from '../../dev/tenant/applications';
import { groups } from '../../dev/tenant/people';
import type { Tenant } from '../../dev/tenant/tenant';
import type { EntraCore, Issuer, PermissionInput, Principal } from '../../src/core';

/** Owners write, Adam's group does everything, everybody reads */
export const POLICY = JSON.stringify({
  rules: [
    { id: 'everyone-reads', effect: 'allow', permissions: ['catalog.entity.read'] },
    { id: 'owners-manage', effect: 'allow', permissions: ['catalog.entity.*'], when: { owned: true } },
    { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
  ],
});

export const READ: PermissionInput = { name: 'catalog.entity.read', action: 'read', resourceType: 'catalog-entity' };
export const DELETE: PermissionInput = {
  name: 'catalog.entity.delete',
  action: 'delete',
  resourceType: 'catalog-entity',
};

/** As the msgraph provider annotates what it brings: trusted without a word of the operator */
export const FROM_ENTRA = { location: 'msgraph:test/1', origin: 'msgraph:test/1' };

/** Binds the payments team and the search engineers to catalog groups */
export const DIRECTORY = {
  groups: [
    { entityRef: 'group:default/payments', groupId: groups.payments.id, ...FROM_ENTRA },
    { entityRef: 'group:default/search', groupId: groups.searchEngineers.id, ...FROM_ENTRA },
  ],
  owners: ['group:default/payments', 'group:default/search'],
};

/** The section `entraAccess` that trusts the simulated tenant */
export function configurationOf({ authority, tenantId }: Pick<Tenant, 'authority' | 'tenantId'>): string {
  return JSON.stringify({
    tenants: [{ tenantId, cloud: 'lab', audiences: [backstageApi.clientId] }],
    clouds: { lab: { authority } },
    policy: { rules: [] },
  });
}

/** The v2.0 issuer, which comes first */
export function issuerOf(core: EntraCore): Issuer {
  const [issuer] = core.issuers;
  if (!issuer) throw new Error('no issuer is configured');
  return issuer;
}

/** Hands the published keys to the core as they are */
export async function giveKeys(core: EntraCore, tenant: Tenant): Promise<void> {
  // Tests keep this process busy for seconds, in which the simulator's side of a kept connection runs out.
  const response = await fetch(`${tenant.home.base}/discovery/v2.0/keys`, { headers: { connection: 'close' } });
  const outcome = core.setKeys(issuerOf(core), await response.text());
  if (!outcome.ok) throw new Error(outcome.error);
}

/** How refs are made where nothing else is configured */
export const TEMPLATE = 'user:default/{oid}';

/** The record of a principal as the core writes it */
export function recordOf(change: Partial<Principal> = {}): Principal {
  return {
    kind: 'user',
    issuer: 'entra-v2:3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03',
    tenantId: '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03',
    objectId: '5b9d0f63-27e4-4a8c-91f5-0c3e6d8a7b21',
    clientId: 'b8e14c70-d39a-4f26-8b51-7c0d9e2f6a35',
    actor: null,
    groups: { state: 'known', ids: [] },
    roles: [],
    name: null,
    expiresAt: 4_000_000_000,
    ...change,
  };
}

/** The record of a GitLab job, as the core writes it */
export function jobRecordOf(change: Partial<NonNullable<Principal['pipeline']>> = {}): Principal {
  const nobody = '00000000-0000-0000-0000-000000000000';
  return recordOf({
    kind: 'pipeline',
    issuer: 'pipeline:gitlab',
    tenantId: nobody,
    objectId: nobody,
    clientId: null,
    groups: { state: 'known', ids: [groups.payments.id] },
    pipeline: {
      type: 'gitlab',
      trust: 'payments-staging',
      subject: '42',
      published: {},
      job: { project_id: '42', job_id: '302' },
      ...change,
    },
  });
}
