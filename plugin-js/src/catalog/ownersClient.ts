import type { AuthService, DiscoveryService } from '@backstage/backend-plugin-api';
import { parseJson, readText } from '../http/bounded';
import { ownersAnswerSchema, type OwnersAnswer, type OwnersQuestion } from '../service/ownersQuestion';
import { within } from '../service/within';

/** How long an answer may take, the way there included */
export const ANSWER_MS = 4_000;
/** Some 100,000 owners */
const MAX_BYTES = 8 * 1024 * 1024;

/** Asks who owns what where it is known. @throws Error with a reason that holds nothing of what was sent or answered */
export type AskOwners = (question: OwnersQuestion) => Promise<OwnersAnswer>;

interface OwnersClientOptions {
  auth: Pick<AuthService, 'getPluginRequestToken' | 'getOwnServiceCredentials'>;
  discovery: Pick<DiscoveryService, 'getBaseUrl'>;
  /** For tests */
  answerMs?: number;
}

/** Asks the plugin `entra-access`, as the plugin that `auth` belongs to */
export function ownersClient({ auth, discovery, answerMs = ANSWER_MS }: OwnersClientOptions): AskOwners {
  async function ask(question: OwnersQuestion): Promise<OwnersAnswer> {
    const { token } = await auth.getPluginRequestToken({
      onBehalfOf: await auth.getOwnServiceCredentials(),
      targetPluginId: 'entra-access',
    });
    const response = await fetch(`${await discovery.getBaseUrl('entra-access')}/v1/internal/owners`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
      // To nobody but whom discovery names.
      redirect: 'error',
      signal: AbortSignal.timeout(answerMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`it answers ${response.status}`);
    }
    const parsed = ownersAnswerSchema.safeParse(parseJson(await readText(response, MAX_BYTES)));
    if (!parsed.success) throw new Error('its answer is not one that this version understands');
    return parsed.data;
  }
  return question => within(answerMs, ask(question));
}
