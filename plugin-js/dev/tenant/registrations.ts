/** App registrations as Graph shows them, each with switches to break it: what an administrator sees in the portal. */
import { backstageApi, workloads } from './applications';
import { HOME_TENANT_ID } from './tenantIds';

/** Of the registration's secrets Graph tells no more than this */
export interface SecretEntry {
  /** The first three characters */
  hint: string;
  /** Seconds since 1970 */
  endsAt: number;
}

export interface CertificateEntry {
  /** SHA-1 of the certificate, as base64 */
  thumbprint: string;
  /** Seconds since 1970 */
  endsAt: number;
}

/** A registration; tests may change it at any time */
export interface Registration {
  readonly appId: string;
  readonly tenantId: string;
  /** Object id of its service principal */
  readonly principalId: string;
  secrets: SecretEntry[];
  certificates: CertificateEntry[];
  redirectUris: { web: string[]; spa: string[]; publicClient: string[] };
  identifierUris: string[];
  requestedAccessTokenVersion: 1 | 2 | null;
  groupMembershipClaims: string | null;
  /** Application permissions on Microsoft Graph that an administrator has consented to */
  graphRoles: string[];
  /** Object ids of the groups that are assigned to it */
  assignedGroups: string[];
}

export interface Registrations {
  /** The web API, with which people also sign in */
  backstage: Registration;
  /** With which the backend asks Graph */
  groupReader: Registration;
}

const YEAR_SECONDS = 365 * 24 * 3600;

/** As a careful administrator leaves them */
export function healthyRegistrations(now: number): Registrations {
  const { groupReader } = workloads;
  return {
    backstage: registration(backstageApi.clientId, '9a47c2e0-6f1d-4b85-b3e9-70d5c8f2a164', {
      secrets: [{ hint: 'sim', endsAt: now + YEAR_SECONDS }],
      identifierUris: [backstageApi.appIdUri],
      groupMembershipClaims: 'SecurityGroup',
    }),
    groupReader: registration(groupReader.clientId, groupReader.oid, {
      secrets: [{ hint: groupReader.secret.slice(0, 3), endsAt: now + YEAR_SECONDS }],
      graphRoles: [...(groupReader.graphRoles ?? [])],
    }),
  };
}

function registration(appId: string, principalId: string, more: Partial<Registration>): Registration {
  return {
    appId,
    tenantId: HOME_TENANT_ID,
    principalId,
    secrets: [],
    certificates: [],
    redirectUris: { web: [], spa: [], publicClient: [] },
    identifierUris: [],
    requestedAccessTokenVersion: 2,
    groupMembershipClaims: null,
    graphRoles: [],
    assignedGroups: [],
    ...more,
  };
}

/** The registration of a client id, if one is described */
export function registrationOf(registrations: Registrations, clientId: string): Registration | undefined {
  return Object.values<Registration>({ ...registrations }).find(({ appId }) => appId === clientId.toLowerCase());
}
