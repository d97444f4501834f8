import type { IncomingMessage } from 'node:http';
import { AuthenticationError } from '@backstage/errors';
import type { Purpose } from '../core';
import { coded } from '../service/coded';
import { DIRECT_HEADER, hasHeader, tokenFromHeader } from './header';
import type { ProviderOptions } from './options';

/** A token as it was offered */
interface Offered {
  token: string;
  purpose: Purpose;
}

/**
 * The token with which somebody asks to be signed in: from the proxy, or from a direct call.
 *
 * Anybody may send the header of direct calls: the token in it is an access token, verified like any other. Beside the
 * proxy's own header it is refused, since one request has one caller.
 *
 * @throws AuthenticationError when there is no token, or more than one
 */
export function offeredToken(
  request: Pick<IncomingMessage, 'rawHeaders'>,
  { header, token }: ProviderOptions,
  { directCalls }: { directCalls: boolean },
): Offered {
  if (!directCalls || !hasHeader(request, DIRECT_HEADER)) {
    return { token: tokenFromHeader(request, header), purpose: token === 'id' ? 'sign-in' : 'access' };
  }
  if (hasHeader(request, header)) {
    throw coded('header_invalid', new AuthenticationError(`both ${DIRECT_HEADER} and ${header} headers; send one`));
  }
  return { token: tokenFromHeader(request, DIRECT_HEADER), purpose: 'access' };
}
