import { fetchPluginMetadata, type PluginMetadata } from '../permission/pluginMetadata';
import { reviewPolicy } from '../permission/review';
import type { PolicyText } from '../service/policyText';
import type { PolicyReview } from './subject';

/** Compares a policy with what the plugins of a backend declare; each is asked once */
export async function reviewPlugins(
  policy: PolicyText,
  backend: Parameters<typeof fetchPluginMetadata>[0],
): Promise<PolicyReview> {
  const silent: string[] = [];
  const asked = new Map<string, Promise<PluginMetadata | undefined>>();
  const declared = (pluginId: string) => {
    const answer =
      asked.get(pluginId) ??
      fetchPluginMetadata(backend, pluginId).catch(() => {
        silent.push(pluginId);
        return undefined;
      });
    asked.set(pluginId, answer);
    return answer;
  };
  return { known: true, warnings: await reviewPolicy(policy, declared), silent };
}
