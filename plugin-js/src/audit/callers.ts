import type { Authentication, Decision, PermissionInput, Principal } from '../core';
import type { AuditRecord } from './records';

type What = Omit<AuditRecord, 'at'>;

/** Who it is, by ids: of an agent both identities, of a job what its issuer says of it */
export function callerOf(principal: Principal | undefined): Partial<What> {
  if (!principal) return {};
  const { kind, issuer, tenantId, objectId, clientId, actor, pipeline } = principal;
  const job = pipeline && {
    ...pipeline.job,
    ...pipeline.published,
    trust: pipeline.trust,
    subject: pipeline.subject,
  };
  return {
    kind,
    issuer,
    identity: pipeline ? undefined : `${tenantId}/${objectId}`,
    client: clientId ?? undefined,
    agent: actor?.clientId,
    job,
  };
}

/** A token was refused: what it says of itself is not proved, and so not recorded, unless it was refused as `principal`'s */
export function refusedToken(answer: Authentication & { ok: false }, principal?: Principal): What {
  const { code, issuer } = answer;
  return { event: 'token-refused', result: 'DENY', code, issuer: issuer?.id, ...callerOf(principal) };
}

/** Somebody was let in, or not: `code` tells why not */
export function signedIn(principal: Principal, entityRef: string | undefined, code?: string): What {
  return {
    event: 'sign-in',
    result: code === undefined ? 'ALLOW' : 'DENY',
    principal: entityRef,
    ...callerOf(principal),
    code,
  };
}

/** Nobody was let in, and who came is not known, or not any more */
export function notSignedIn(entityRef?: string): What {
  return { event: 'sign-in', result: 'DENY', principal: entityRef };
}

/** A question to the policy and its answer */
export interface Answered {
  permission: PermissionInput;
  /** The caller; absent for a request without credentials */
  entityRef?: string;
  caller?: Principal;
  /** In their place, the service that asked, by its subject: `plugin:<id>`, or what `backend.auth.externalAccess` says */
  service?: string;
  result: Decision['effect'];
  rule?: string;
  /** Why no rule is named */
  reason?: string;
  /** A stable code, where there is one for it */
  code?: string;
  epoch: number;
  resource?: string;
  request?: string;
  plugin?: string;
}

/** A decision */
export function decided({ permission, entityRef, caller, service, result, rule, reason, ...rest }: Answered): What {
  const { name, action, resourceType } = permission;
  return {
    event: 'decision',
    result,
    principal: entityRef ?? service,
    ...(service === undefined ? callerOf(caller) : { kind: 'service' }),
    permission: name,
    action,
    resourceType,
    rule,
    reasons: reason === undefined ? undefined : [reason],
    ...rest,
  };
}
