import type { AuthService, DiscoveryService, LoggerService } from '@backstage/backend-plugin-api';
import { askOnce } from './pluginMetadata';
import type { PolicyText } from '../service/policyText';
import { reviewPolicy } from './review';

/** A plugin that is still starting is asked again after this many milliseconds, and again */
const AGAIN_MS = [0, 1_000, 5_000, 20_000];

export interface PolicyReviewerOptions {
  auth: AuthService;
  discovery: DiscoveryService;
  logger: LoggerService;
  /** Told all warnings about the policy in force, as far as plugins could be asked */
  report: (warnings: readonly string[]) => void;
}

/** Compares policies with the plugins that are installed, and warns; each warning is logged once */
export class PolicyReviewer {
  readonly #options: PolicyReviewerOptions;
  #warned: readonly string[] = [];
  #latest?: PolicyText;

  constructor(options: PolicyReviewerOptions) {
    this.#options = options;
  }

  /** Reviews a policy that the core has taken; never throws */
  async review(policy: PolicyText): Promise<void> {
    this.#latest = policy;
    for (const delay of AGAIN_MS) {
      await new Promise(resolve => setTimeout(resolve, delay).unref());
      // Another policy came into force meanwhile.
      if (this.#latest !== policy) return;
      const { declared, silent } = askOnce(this.#options);
      const found = await reviewPolicy(policy, declared);
      if (this.#latest !== policy) return;
      found.filter(text => !this.#warned.includes(text)).forEach(text => this.#options.logger.warn(text));
      this.#warned = found;
      this.#options.report(found);
      if (silent.length === 0) return;
    }
  }
}
