import type { AuthService, DiscoveryService, LoggerService, RootConfigService } from '@backstage/backend-plugin-api';
import { ConfigurationError, EntraCore } from '../core';
import {
  examine,
  misread,
  reviewPlugins,
  subjectOf,
  worstOf,
  type CatalogLook,
  type Finding,
  type Grade,
} from '../doctor';
import { readSettings } from '../service/configuration';
import type { EntraAccess } from '../service/entraAccess';
import type { CatalogDirectory } from './directory';

/** What the status route shows of the checks */
export interface ChecksState {
  /** `null` until they were made for the first time */
  ranAt: string | null;
  worst: Grade | null;
  findings: readonly Finding[];
  /** Why the last run came to nothing; what is shown is from the one before */
  error?: string;
}

/** Before the first run */
export const NOT_YET: ChecksState = { ranAt: null, worst: null, findings: [] };

/** Seconds for which the first reading of the catalog is waited for */
const FIRST_MINUTE = 60;
/** Seconds after the first group in which the others arrive */
const SETTLED = 5;

interface Options {
  entraAccess: EntraAccess;
  config: RootConfigService;
  directory: CatalogDirectory;
  auth: AuthService;
  discovery: DiscoveryService;
  logger: LoggerService;
}

/** What `entra-access doctor` checks, made by the running backend itself from time to time */
export class BackgroundChecks {
  readonly #options: Options;
  #state: ChecksState = NOT_YET;
  #told: ReadonlySet<string> = new Set();
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get state(): ChecksState {
    return this.#state;
  }

  /** Nothing is checked or told any more */
  close(): void {
    this.#closed = true;
  }

  /** A catalog that has just started has no groups yet, and every mapping would seem to be wrong: waits, not for ever */
  async catalogFilled(): Promise<void> {
    let filled = 0;
    for (let seconds = 0; seconds < FIRST_MINUTE && filled < SETTLED && !this.#closed; seconds += 1) {
      await new Promise(resolve => setTimeout(resolve, 1_000).unref());
      if (this.#options.directory.report?.groups) filled += 1;
    }
  }

  /** Makes all checks and logs what has changed; never throws */
  async run(): Promise<void> {
    if (this.#closed) return;
    try {
      const findings = await this.#examine().catch(refused);
      if (this.#closed) return;
      this.#state = { ranAt: new Date().toISOString(), worst: worstOf(findings), findings };
      this.#tell(findings);
    } catch (error) {
      // A defect of ours: what it says may hold anything.
      const reason = error instanceof Error ? error.name : 'failed';
      if (reason !== this.#state.error) this.#options.logger.warn(`the checks could not be made: ${reason}`);
      this.#state = { ...this.#state, error: reason };
    }
  }

  async #examine(): Promise<Finding[]> {
    const { auth, config, discovery, entraAccess } = this.#options;
    const configuration = readSettings(config);
    const { policy } = entraAccess;
    const quiet = { error() {}, info() {} };
    // One of its own: what a check thinks of published keys must not change by which keys tokens are judged.
    const core = new EntraCore({ configuration: configuration.json, logger: quiet });
    try {
      return await examine(
        subjectOf({
          config,
          configuration,
          core,
          graphClients: entraAccess.graphClients,
          policy: policy.json,
          catalog: () => this.#catalog(),
          review: () => reviewPlugins(policy, { auth, discovery }),
        }),
      );
    } finally {
      core.close();
    }
  }

  async #catalog(): Promise<CatalogLook> {
    const { directory } = this.#options;
    const { report } = directory;
    if (!report) {
      const why = 'the catalog has not been read yet';
      return { known: false, why, fix: 'see `directory` in `status`; it is looked at again with the next run' };
    }
    return { known: true, groups: await directory.groups(), problems: report.problems };
  }

  /** Each warning and error once, until it is gone */
  #tell(findings: readonly Finding[]): void {
    const { logger } = this.#options;
    const bad = findings.filter(({ outcome }) => outcome === 'warning' || outcome === 'error');
    for (const finding of bad) {
      if (this.#told.has(keyOf(finding))) continue;
      const { check, about, outcome, what, fix } = finding;
      logger[outcome === 'error' ? 'error' : 'warn'](`check ${check} (${about}): ${what}; ${fix}`);
    }
    const now = new Set(bad.map(keyOf));
    const gone = [...this.#told].filter(key => !now.has(key)).length;
    if (gone > 0) logger.info(`${gone} findings of the checks are gone or have changed`);
    this.#told = now;
  }
}

/** Such as the file of a certificate that was there at the start */
function refused(error: unknown): Finding[] {
  if (error instanceof ConfigurationError) return [misread(error)];
  throw error;
}

/** Without the numbers in its words, which change from one run to the next */
function keyOf({ check, about, outcome, what }: Finding): string {
  return JSON.stringify([check, about, outcome, what.replace(/\d+/g, '0')]);
}
