import { randomUUID } from 'node:crypto';
import type { BackstageCredentials, HttpAuthService } from '@backstage/backend-plugin-api';
import { NotAllowedError, ServiceUnavailableError } from '@backstage/errors';
import type { Request } from 'express';
import { OWNING, POSSIBLE } from '../catalog/principalOwners';
import { coded } from '../service/coded';
import type { EntraAccess } from '../service/entraAccess';
import type { OwnersAnswer, OwnersQuestion } from '../service/ownersQuestion';
import { sessionsUnavailable } from '../service/sessionStoreAccess';

/** Numbers of one process mean nothing in another */
const PROCESS = randomUUID();

/**
 * The plugin `catalog` for itself: never on behalf of a user, and no external caller, whatever it is allowed.
 * @throws NotAllowedError, or AuthenticationError for nobody
 */
export async function onlyCatalog(httpAuth: HttpAuthService, request: Request): Promise<BackstageCredentials> {
  const credentials = await httpAuth.credentials(request, { allow: ['service'] });
  if (credentials.principal.subject === 'plugin:catalog') return credentials;
  throw coded('permission_needed', new NotAllowedError('only the plugin catalog asks this'));
}

/**
 * Which owners count as a principal's, by the newest that this process can get.
 * @throws ServiceUnavailableError where that is not known at the moment; nobody may take it for "not signed in"
 */
export async function ownersOf(entraAccess: EntraAccess, question: OwnersQuestion): Promise<OwnersAnswer> {
  const { core, sessions, directory } = entraAccess;
  const { principal, epoch = 0, session = 0, until = 0 } = question;
  const [looked] = await Promise.all([sessions.ensure(principal, { until, session }), directory.reach(epoch)]);
  await entraAccess.completed(principal);
  const ask = (which: typeof OWNING) =>
    core.available ? entraAccess.about(principal, handle => which(core, handle)) : undefined;
  const [owning, possible] = [ask(OWNING), ask(POSSIBLE)];
  // Afterwards: it may die of a question, and no answer does not say that nobody is signed in.
  if (!core.available) {
    throw coded('core_unavailable', new ServiceUnavailableError('the core is being restarted; try again in a second'));
  }
  // Afterwards: to be asked, a session may have been given to the core anew.
  const current = sessions.current(principal);
  if (current?.handle === undefined || owning === undefined) {
    const unavailable = sessionsUnavailable(sessions.store, looked);
    if (unavailable) throw unavailable;
    return { state: 'nobody' };
  }
  const version = [PROCESS, core.instance, core.epoch, current.sequence].join('.');
  const numbers = { epoch: directory.current, session: current.since, expiresAt: current.expiresAt };
  if (version === question.version) return { state: 'unchanged', ...numbers };
  return { state: 'signedIn', ...numbers, version, owning, possible: possible ? [...new Set(possible)] : null };
}
