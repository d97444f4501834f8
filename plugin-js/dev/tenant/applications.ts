/** Application registrations of the home tenant: the Backstage API, its client, and callers without a person. */
import { HOME_TENANT_ID } from './tenantIds';

/** The web API that tokens are meant for */
export const backstageApi = {
  /** `aud` of every v2.0 access token */
  clientId: '6d2f8a94-1b7c-4e50-9f3d-c84a0e5b7126',
  /** `aud` of v1.0 access tokens, unless the manifest says otherwise */
  appIdUri: 'api://backstage',
  scope: 'access_as_user',
} as const;

/** A public client (a CLI): no secret, so `azpacr` is `0` */
export const backstageCli = { clientId: 'b8e14c70-d39a-4f26-8b51-7c0d9e2f6a35', azpacr: '0' } as const;

/** Microsoft Graph's own application id: tokens for it must never be accepted by another API */
export const MICROSOFT_GRAPH_ID = '00000003-0000-0000-c000-000000000000';

/** A service principal that asks for tokens with a secret */
export interface Workload {
  readonly kind: 'workload';
  readonly key: string;
  readonly name: string;
  readonly tenantId: string;
  /** Object id of the service principal, not of the registration */
  readonly oid: string;
  readonly clientId: string;
  /** Works only here; a simulated secret, not a leaked one */
  readonly secret: string;
  readonly roles: readonly string[];
  /** Application permissions on Microsoft Graph */
  readonly graphRoles?: readonly string[];
  /** An autonomous AI agent rather than a plain daemon */
  readonly autonomousAgent?: AgentIdentity;
}

/** An AI agent's application; `parentAppId` is the blueprint that created it */
export interface AgentIdentity {
  readonly clientId: string;
  readonly oid: string;
  readonly parentAppId: string;
}

export const agentIdentity: AgentIdentity = {
  clientId: 'a5f03d8e-7c64-4b91-9e2a-1d8b6c0f4e73',
  oid: '3e9b7d15-c02f-4a86-8d5e-f6a419b0c728',
  parentAppId: 'c47a9e60-58d1-4f3b-b20e-95e6d7f1a834',
};

export const workloads = {
  scanner: workload('scanner', 'Nightly Scanner', {
    oid: '7f1c5e98-2d0a-4b64-a9f3-80e6b4d7c251',
    clientId: 'e92d6b40-8a5f-4c17-b3d8-4f0a7e1c9526',
    secret: 'simulated-secret-of-the-scanner',
    roles: ['Entity.Refresh.All'],
  }),
  /** Entra hands app-only tokens to any app of the tenant, permissions or not; this one has none */
  stranger: workload('stranger', 'Unrelated App', {
    oid: '48d0a7f2-e53b-4196-8c7d-b90f6e2a1d35',
    clientId: '15c8f3e7-6b92-4d0a-9e54-a7d2f0b8c461',
    secret: 'simulated-secret-of-the-stranger',
    roles: [],
  }),
  autonomousAgent: workload('autonomous-agent', 'Autonomous Agent', {
    oid: agentIdentity.oid,
    clientId: agentIdentity.clientId,
    secret: 'simulated-secret-of-the-agent',
    roles: ['Entity.Refresh.All'],
    autonomousAgent: agentIdentity,
  }),
  /** With which the backend asks Graph: the least that the calls need */
  groupReader: workload('group-reader', 'Backstage Group Reader', {
    oid: 'b52d7f09-83ea-4c16-a0d4-6e91c5f8b237',
    clientId: '0d9a6c35-e7f1-4b28-95ac-4f83e6d1b072',
    secret: 'simulated-secret-of-the-group-reader',
    roles: [],
    graphRoles: ['User.ReadBasic.All', 'GroupMember.Read.All', 'Application.Read.All', 'RoleManagement.Read.Directory'],
  }),
  /** With which the backend follows accounts and groups: the least that the calls need */
  directoryReader: workload('directory-reader', 'Backstage Directory Reader', {
    oid: '7c1e94d3-0b6a-4f85-9d27-a3f8e05c6b14',
    clientId: '5f30b8a7-c2d9-4e16-8b74-0d6f9a1e3c82',
    secret: 'simulated-secret-of-the-directory-reader',
    roles: [],
    graphRoles: ['User.Read.All', 'GroupMember.Read.All', 'RoleManagement.Read.Directory'],
  }),
};

/** The managed identity of the machine on which the backend would run */
export const managedIdentity: Workload = workload('managed-identity', 'backstage-vm', {
  oid: 'e4108bd6-5f72-4e39-bc85-d7a906f2c31b',
  clientId: '9c63f5e0-2a8d-4d17-8be4-107c5d9fa386',
  secret: '',
  roles: [],
  graphRoles: ['User.ReadBasic.All', 'GroupMember.Read.All', 'Application.Read.All'],
});

function workload(
  key: string,
  name: string,
  registration: Pick<Workload, 'oid' | 'clientId' | 'secret' | 'roles' | 'graphRoles' | 'autonomousAgent'>,
): Workload {
  return { kind: 'workload', key, name, tenantId: HOME_TENANT_ID, ...registration };
}
