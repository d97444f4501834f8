/** What a running simulator offers to the story, to tests and to its own routes. */
import type { Ci } from '../ci/ci';
import type { SimulatedDirectory } from './directory';
import type { Faults } from './faults';
import type { DeltaPaging } from './graphDelta';
import type { Subscription } from './graphSubscriptions';
import type { Issuer } from './issuer';
import type { RollOptions } from './keys';
import type { IdTokenOptions, MintOptions } from './mint';
import type { Principal, User } from './people';
import type { Registrations } from './registrations';

export interface Tenant {
  /** `http://127.0.0.1:{port}`, the authority of the simulated cloud */
  readonly authority: string;
  readonly port: number;
  /** The home tenant's id */
  readonly tenantId: string;
  readonly home: Issuer;
  readonly foreign: Issuer;
  /** GitLab, Bitbucket and GitHub, which give tokens to jobs */
  readonly ci: Ci;
  /** Switch on and off at any time; they hold for all tenants */
  readonly faults: Faults;
  /** App registrations of the home tenant; change them at any time */
  readonly registrations: Registrations;
  /** Requests per route name since the start, faulty answers included; `unknown` counts the rest */
  readonly requests: Record<string, number>;
  /** Header of discovery documents and key sets */
  cacheControl: string;
  /** The `issuer` member of v2.0 keys: with the literal `{tenantid}` (default) or with the tenant's id */
  keyIssuers: 'template' | 'tenant';
  /** Accounts and groups of the home tenant, to change */
  readonly directory: SimulatedDirectory;
  directoryOf(tenantId: string): SimulatedDirectory;
  readonly deltaPaging: DeltaPaging;
  /** Delta tokens of another generation are too old; besides, they live seven days */
  deltaGeneration: number;
  /** Whether a delta query that begins lists deleted groups as removed, as Graph may */
  deltaListsRemoved: boolean;
  /** What Graph grants: each request costs its units, and without any left the answer is 429 */
  readonly quota: { units: number; left: number };
  /** Change notifications that were asked for, by id */
  readonly subscriptions: Map<string, Subscription>;
  /** Seconds since 1970 */
  clock(): number;
  /** The issuer of a tenant id, in any letter case */
  issuerOf(tenantId: string): Issuer | undefined;
  /** By the issuer of the principal's own tenant */
  mintAccessToken(principal: Principal, options?: MintOptions): string;
  mintIdToken(user: User, options?: IdTokenOptions): string;
  /** Rolls the keys of the home tenant */
  rollKeys(options: RollOptions): Promise<void>;
  close(): Promise<void>;
}
