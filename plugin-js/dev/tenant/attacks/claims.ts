/** Genuine signatures over claims that must not be accepted: most of them pass a verifier that only checks signatures. */
import { MICROSOFT_GRAPH_ID, workloads } from '../applications';
import { people } from '../people';
import { FOREIGN_TENANT_ID } from '../tenantIds';
import { withMembers, type AttackDefinition } from './scene';

/** Beyond any clock skew that a verifier may forgive */
const AN_HOUR = 3600;

export const claimAttacks: AttackDefinition[] = [
  {
    name: 'expired',
    title: 'expired an hour ago',
    expect: 'token_expired',
    forge: ({ tenant, victim, now }) => tenant.mintAccessToken(victim, { now: now - 2 * AN_HOUR, lifetime: AN_HOUR }),
  },
  {
    name: 'not-yet-valid',
    title: 'valid from an hour on',
    expect: 'token_not_yet_valid',
    forge: ({ mint, now }) => mint({ nbf: now + AN_HOUR, iat: now + AN_HOUR, exp: now + 2 * AN_HOUR }),
  },
  {
    name: 'ten-years',
    title: 'valid for ten years',
    expect: 'lifetime_too_long',
    forge: ({ tenant, victim }) => tenant.mintAccessToken(victim, { lifetime: 10 * 365 * 24 * AN_HOUR }),
  },
  {
    name: 'no-exp',
    title: 'never expires, because exp is missing',
    expect: 'claim_missing',
    forge: ({ mint }) => mint({ exp: undefined }),
  },
  {
    name: 'exp-string',
    title: 'exp is a string of digits',
    expect: 'claim_invalid',
    forge: ({ mint, now }) => mint({ exp: String(now + AN_HOUR) }),
  },
  {
    name: 'other-audience',
    title: 'a token for Microsoft Graph',
    expect: 'audience_mismatch',
    forge: ({ tenant, victim }) => tenant.mintAccessToken(victim, { audience: MICROSOFT_GRAPH_ID }),
  },
  {
    name: 'audience-prefix',
    title: 'an audience that only starts like ours',
    expect: 'audience_mismatch',
    forge: ({ tenant, victim }) => tenant.mintAccessToken(victim, { audience: 'api://backstage.attacker.example' }),
  },
  {
    name: 'foreign-tenant',
    title: "a good token of another tenant's user for our API",
    expect: 'tenant_not_allowed',
    forge: ({ tenant }) => tenant.mintAccessToken(people.frank),
  },
  {
    name: 'foreign-tid',
    title: 'our issuer, but the tid of another tenant',
    expect: 'tenant_not_allowed',
    forge: ({ mint }) => mint({ tid: FOREIGN_TENANT_ID }),
  },
  {
    name: 'other-issuer',
    title: 'an issuer that nobody configured',
    expect: 'issuer_untrusted',
    forge: ({ mint, victim }) => mint({ iss: `https://login.attacker.example/${victim.tenantId}/v2.0` }),
  },
  {
    name: 'issuer-template',
    title: 'the issuer is the literal template',
    expect: 'issuer_untrusted',
    forge: ({ mint, tenant }) => mint({ iss: `${tenant.authority}/{tenantid}/v2.0` }),
  },
  {
    name: 'id-token',
    title: 'an ID token where an access token is due',
    expect: 'token_kind_not_allowed',
    forge: ({ tenant, victim }) => tenant.mintIdToken(victim),
  },
  {
    name: 'app-without-oid',
    title: 'an app-only token without a service principal behind it',
    expect: 'claim_missing',
    forge: ({ tenant }) => tenant.mintAccessToken(workloads.scanner, { claims: { oid: undefined } }),
  },
  {
    name: 'unlisted-app',
    title: 'an app of the same tenant that nobody let in: Entra gives it a token all the same',
    expect: 'client_not_allowed',
    forge: ({ tenant }) => tenant.mintAccessToken(workloads.stranger),
  },
  {
    name: 'cnf',
    title: 'bound to a key (proof of possession), presented as a bearer token',
    expect: 'proof_of_possession_unsupported',
    forge: ({ mint, attackerKey }) => mint({ cnf: { kid: attackerKey.kid, xms_ksl: 'sw' } }),
  },
  {
    name: 'duplicate-oid',
    title: 'oid twice: one reader sees the first, another the last',
    expect: 'claim_duplicated',
    forge: ({ signAsEntra, headerText, payloadText }) =>
      signAsEntra(headerText, withMembers(payloadText, `"oid":"${people.adam.oid}"`)),
  },
  {
    name: 'duplicate-oid-escaped',
    title: 'oid twice, once spelled with an escape',
    expect: 'claim_duplicated',
    forge: ({ signAsEntra, headerText, payloadText }) =>
      signAsEntra(headerText, withMembers(payloadText, `"\\u006fid":"${people.adam.oid}"`)),
  },
  {
    name: 'tid-in-two-cases',
    title: 'tid and TID name different tenants',
    expect: 'claim_duplicated',
    forge: ({ signAsEntra, headerText, payloadText }) =>
      signAsEntra(headerText, withMembers(payloadText, `"TID":"${FOREIGN_TENANT_ID}"`)),
  },
];
