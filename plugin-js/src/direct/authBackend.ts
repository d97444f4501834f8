import type { DiscoveryService } from '@backstage/backend-plugin-api';
import { AuthenticationError, ServiceUnavailableError } from '@backstage/errors';
import { z } from 'zod';
import { DIRECT_HEADER } from '../auth/header';
import { coded, unavailableCode } from '../service/coded';

const TIMEOUT_MS = 10_000;
/** What says something about the caller; any other answer is about the auth backend */
const REFUSALS: readonly number[] = [400, 401, 403, 409];

const answerSchema = z.object({ backstageIdentity: z.object({ token: z.string().min(1) }) });
const refusalSchema = z.object({
  error: z.object({ message: z.string(), code: z.string().optional(), reference: z.string().optional() }),
});

/**
 * Signs in at the auth backend with a verified access token, as a proxy would, and answers the Backstage user token.
 * @throws AuthenticationError with the code of the auth backend, ServiceUnavailableError when it cannot say
 */
export async function signInAtAuthBackend(
  discovery: Pick<DiscoveryService, 'getBaseUrl'>,
  entraToken: string,
): Promise<string> {
  const answer = await ask(`${await discovery.getBaseUrl('auth')}/entra/refresh`, entraToken);
  if (answer.status === 200) {
    const identity = answerSchema.safeParse(answer.body);
    if (identity.success) return identity.data.backstageIdentity.token;
  }
  const refusal = refusalSchema.safeParse(answer.body).data?.error;
  // Recorded there, whatever its status is: whoever is refused is told that reference, and nothing is recorded again.
  const recorded = refusal?.reference !== undefined;
  if (answer.status === 404 && !recorded) {
    throw unavailable(
      'the auth backend has no provider `entra`: set `auth.providers.entra: {}`, or `entraAccess.directCalls: false`',
    );
  }
  if (refusal && (REFUSALS.includes(answer.status) || (recorded && answer.status === 404))) {
    throw handedOn(new AuthenticationError(refusal.message), { code: 'sign_in_incomplete', ...refusal });
  }
  if (refusal && (recorded || (refusal.code && answer.status === 503))) {
    throw handedOn(new ServiceUnavailableError(refusal.message), { ...refusal, code: unavailableCode(refusal.code) });
  }
  throw unavailable(`the auth backend answered ${answer.status} to a direct call`);
}

/** With its reference, by which the auth backend has recorded it */
function handedOn(error: Error, { code, reference }: { code: string; reference?: string }): Error {
  return Object.assign(error, { code }, reference === undefined ? {} : { reference });
}

async function ask(url: string, entraToken: string): Promise<{ status: number; body: unknown }> {
  try {
    const response = await fetch(url, {
      headers: { [DIRECT_HEADER]: entraToken },
      // The token goes to the auth backend and nowhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, body: parse(text) };
  } catch {
    throw unavailable('the auth backend could not be reached for a direct call; try again');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unavailable(message: string): ServiceUnavailableError {
  return coded('sign_in_unavailable', new ServiceUnavailableError(message));
}
