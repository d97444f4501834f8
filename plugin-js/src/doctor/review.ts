import { askOnce, type Backend } from '../permission/pluginMetadata';
import { reviewPolicy } from '../permission/review';
import type { PolicyText } from '../service/policyText';
import type { PolicyReview } from './subject';

/** Compares a policy with what the plugins of a backend declare; each is asked once */
export async function reviewPlugins(policy: PolicyText, backend: Backend): Promise<PolicyReview> {
  const { declared, silent } = askOnce(backend);
  return { known: true, warnings: await reviewPolicy(policy, declared), silent };
}
