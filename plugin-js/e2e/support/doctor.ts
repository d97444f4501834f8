import { pipelinesOf } from '../../dev/ci/trust';
import { OVERAGE_GRAPH } from '../../dev/story/overageGraph';
import { backstageApi, workloads } from '../../dev/tenant/applications';
import { groups } from '../../dev/tenant/people';
import type { Tenant } from '../../dev/tenant/tenant';
import { EntraCore } from '../../src/core';
import { examine, subjectOf, type CatalogLook, type Finding, type PolicyReview, type Subject } from '../../src/doctor';
import { GroupResolver } from '../../src/graph';
import { readSettings } from '../../src/service/configuration';
import { FROM_ENTRA } from './core';
import { RecordingLogger } from './logger';

export const BASE_URL = 'https://backstage.contoso.example';
export const CALLBACK = `${BASE_URL}/api/auth/microsoft/handler/frame`;
/** Of the interactive sign-in; nobody gets anything for it */
export const SIGN_IN_SECRET = 'simulated-secret-of-the-sign-in';
/** What must stand in no output */
export const SECRETS = [SIGN_IN_SECRET, workloads.groupReader.secret];

const RULES = [
  { id: 'everyone-reads', effect: 'allow', permissions: ['catalog.entity.read'] },
  { id: 'owners-manage', effect: 'allow', permissions: ['catalog.entity.*'], when: { owned: true } },
  { id: 'platform-admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
];

type Section = Record<string, any>;

/** The configuration of a company with everything that the doctor looks at, in good health */
export function healthyConfig(tenant: Tenant): Section {
  tenant.registrations.backstage.redirectUris.web = [CALLBACK];
  return {
    backend: { baseUrl: BASE_URL },
    auth: {
      providers: {
        entra: {},
        microsoft: {
          production: { clientId: backstageApi.clientId, clientSecret: SIGN_IN_SECRET, tenantId: tenant.tenantId },
        },
      },
    },
    entraAccess: {
      tenants: [{ tenantId: tenant.tenantId, cloud: 'lab', audiences: [backstageApi.clientId] }],
      clouds: { lab: { authority: tenant.authority, graph: `${tenant.authority}/graph` } },
      pipelines: pipelinesOf(tenant.ci, ['staging']).slice(0, 1),
      groups: structuredClone(OVERAGE_GRAPH),
      policy: { rules: RULES },
    },
  };
}

/** The groups of the story, as the msgraph provider brings them */
export const CATALOG: CatalogLook = {
  known: true,
  groups: [
    { entityRef: 'group:default/payments', groupId: groups.payments.id, ...FROM_ENTRA },
    { entityRef: 'group:default/search', groupId: groups.searchEngineers.id, ...FROM_ENTRA },
  ],
  problems: [],
};
const REVIEWED: PolicyReview = { known: true, warnings: [], silent: [] };

/** Makes all checks of a configuration; `change` what is looked at */
export async function examined(config: Section, change: (subject: Subject) => Partial<Subject> = () => ({})) {
  const reader = { getOptional: (path = '') => path.split('.').reduce<any>((at, key) => at?.[key], config) };
  const configuration = readSettings(reader, []);
  const logger = new RecordingLogger();
  const core = new EntraCore({ configuration: configuration.json, logger });
  try {
    const settings = configuration.graph;
    const subject = subjectOf({
      config: reader,
      configuration,
      core,
      graphClients: settings ? new GroupResolver({ issuers: core.issuers, settings, logger }).clients : [],
      policy: JSON.stringify(config.entraAccess.policy),
      catalog: async () => CATALOG,
      review: async () => REVIEWED,
    });
    return new Findings(await examine({ ...subject, ...change(subject) }));
  } finally {
    core.close();
  }
}

/** Findings to ask about */
export class Findings {
  readonly all: readonly Finding[];

  constructor(all: readonly Finding[]) {
    this.all = all;
  }

  /** Those of a check, such as `['warning: the secret ends on ...']` */
  of(check: string): string[] {
    return this.all.filter(each => each.check === check).map(({ outcome, what }) => `${outcome}: ${what}`);
  }

  /** Those that are not ok, by check and outcome */
  get bad(): string[] {
    return this.all.filter(({ outcome }) => outcome !== 'ok').map(({ check, outcome }) => `${check} ${outcome}`);
  }
}
