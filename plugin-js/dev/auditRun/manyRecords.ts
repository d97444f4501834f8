/** A trail of any length, made by the code that makes every trail: linked by the core, written by the store in its batches */
import type { EntraCore } from '../../src/core';
import type { AuditRecord } from '../../src/audit/records';
import type { AuditStore } from '../../src/audit/store';
import { AuditTrail } from '../../src/audit/trail';
import { RecordingLogger } from '../../e2e/support/logger';

/** Records that are asked for before the next ones; below what the trail lets wait */
const AT_ONCE = 5_000;

/** The records of a company: refusals and changes of some hundred people */
export function recordAt(at: number): Omit<AuditRecord, 'at'> {
  const oid = `5b9d0f63-27e4-4a8c-91f5-${(at % 500).toString(16).padStart(12, '0')}`;
  const denied = at % 3 === 0;
  return {
    event: 'decision',
    result: denied ? 'DENY' : 'ALLOW',
    principal: `user:default/${oid}`,
    kind: 'user',
    identity: `3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03/${oid}`,
    client: 'b8e14c70-d39a-4f26-8b51-7c0d9e2f6a35',
    issuer: 'entra-v2:3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1d03',
    permission: 'catalog.entity.refresh',
    action: 'update',
    resourceType: 'catalog-entity',
    resource: `component:default/service-${at % 1_000}`,
    rule: denied ? undefined : 'owners-manage',
    reasons: denied ? ['no rule allows it as things are'] : undefined,
    epoch: 1 + Math.floor(at / 10_000),
    plugin: 'catalog',
  };
}

/** Fills a store with `count` records behind the first, which every chain begins with; the trail stays open */
export async function manyRecords(core: EntraCore, store: AuditStore, count: number): Promise<AuditTrail> {
  const trail = new AuditTrail({ core, logger: new RecordingLogger(), expected: true, waitMs: 600_000 });
  await trail.attach(store);
  for (let at = 0; at < count; at += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, offset) => recordAt(at + offset));
    await Promise.all(some.map(record => trail.require(record)));
  }
  return trail;
}
