/**
 * What Entra writes into tokens, per kind of caller and token version. Every claim here is one the real service
 * emits; values that it calls opaque (`aio`, `rh`, `uti`) are random.
 */
import { createHash, randomBytes } from 'node:crypto';
import { backstageApi, backstageCli, type Workload } from './applications';
import type { Issuer, TokenVersion } from './issuer';
import { transitiveGroups, type Agent, type Principal, type User } from './people';

export type Claims = Record<string, unknown>;

/** More groups than this and a JWT carries none of them, only a pointer */
const GROUP_LIMIT = 200;

/**
 * Facets are space-separated integers of which only some odd ones mean anything; the 2 is noise that a reader must
 * skip, 11 an agent identity, 13 an agent's own user account.
 */
const AGENT_ACTS = '2 11';
const AGENT_ACCOUNT_IS_SUBJECT = '2 13';

export function accessTokenClaims(
  principal: Principal,
  issuer: Issuer,
  version: TokenVersion,
  audience: string,
): Claims {
  const common = { aud: audience, ...issuerClaims(principal, issuer, version), ...opaqueClaims() };
  switch (principal.kind) {
    case 'user':
      return { ...common, ...delegatedClaims(principal, issuer, version, backstageCli) };
    case 'agent':
      return { ...common, ...agentClaims(principal, issuer, version) };
    case 'workload':
      return { ...common, ...workloadClaims(principal, version) };
    default:
      throw new Error(`unknown kind of principal: ${(principal as Principal).kind}`);
  }
}

/** No `scp`, no `azp`: what the client itself gets to know about its user */
export function idTokenClaims(user: User, issuer: Issuer, audience: string, nonce: string): Claims {
  return {
    aud: audience,
    ...issuerClaims(user, issuer, '2.0'),
    ...opaqueClaims(),
    ...identityClaims(user, issuer, '2.0'),
    nonce,
    sid: guid(),
  };
}

function issuerClaims(principal: Principal, issuer: Issuer, version: TokenVersion): Claims {
  return { iss: issuer.issuer(version), tid: principal.tenantId, ver: version };
}

function opaqueClaims(): Claims {
  return { aio: opaque(48), rh: `1.${opaque(36)}.`, uti: opaque(16) };
}

function delegatedClaims(
  user: User,
  issuer: Issuer,
  version: TokenVersion,
  client: { clientId: string; azpacr: string },
): Claims {
  return {
    ...identityClaims(user, issuer, version),
    ...clientClaims(client.clientId, client.azpacr, version),
    ...(version === '1.0' && { acr: '1', amr: ['pwd', 'mfa'] }),
    scp: backstageApi.scope,
  };
}

function agentClaims(agent: Agent, issuer: Issuer, version: TokenVersion): Claims {
  return {
    ...delegatedClaims(agent.user, issuer, version, { clientId: agent.identity.clientId, azpacr: '2' }),
    idtyp: 'user',
    xms_act_fct: AGENT_ACTS,
    xms_sub_fct: agent.ownAccount ? AGENT_ACCOUNT_IS_SUBJECT : '2',
    xms_par_app_azp: agent.identity.parentAppId,
    xms_idrel: '1',
  };
}

/** Never groups: Entra emits them only for users. No `roles` either if the app was granted none */
function workloadClaims(workload: Workload, version: TokenVersion): Claims {
  const agent = workload.autonomousAgent;
  return {
    ...clientClaims(workload.clientId, '1', version),
    idtyp: 'app',
    oid: workload.oid,
    sub: workload.oid,
    ...(workload.roles.length > 0 && { roles: workload.roles }),
    ...(agent && {
      xms_act_fct: AGENT_ACTS,
      xms_sub_fct: AGENT_ACTS,
      xms_par_app_azp: agent.parentAppId,
      xms_idrel: '7',
    }),
  };
}

function clientClaims(clientId: string, credential: string, version: TokenVersion): Claims {
  return version === '2.0' ? { azp: clientId, azpacr: credential } : { appid: clientId, appidacr: credential };
}

function identityClaims(user: User, issuer: Issuer, version: TokenVersion): Claims {
  const mailName = user.guest?.email ?? user.userName;
  return {
    name: user.name,
    oid: user.oid,
    sub: pairwiseSubject(user),
    ...(version === '2.0' ? { preferred_username: mailName } : { unique_name: mailName, upn: user.userName }),
    ...(user.guest && {
      idp: `${issuer.authority}/${user.guest.homeTenantId}/`,
      email: user.guest.email,
      acct: 1,
    }),
    ...groupClaims(user),
    ...(user.appRoles && { roles: user.appRoles }),
  };
}

/**
 * Entra leaves out a claim that has no value, so a user without groups has no `groups` at all, never an empty array
 * (hashicorp/vault-plugin-auth-jwt#269). Above the limit the list is left out as a whole and replaced by a pointer to
 * the retired Azure AD Graph, which nobody should follow.
 */
function groupClaims(user: User): Claims {
  const ids = transitiveGroups(user).map(group => group.id);
  if (ids.length === 0) return {};
  if (ids.length <= GROUP_LIMIT) return { groups: ids };
  const endpoint = `https://graph.windows.net/${user.tenantId}/users/${user.oid}/getMemberObjects`;
  return { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } };
}

/** `sub` differs per application, so it can't be compared across applications */
function pairwiseSubject(user: User): string {
  return createHash('sha256').update(`${user.oid} ${backstageApi.clientId}`).digest('base64url');
}

function opaque(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

function guid(): string {
  const hex = randomBytes(16).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
