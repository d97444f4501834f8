import type { IncomingMessage } from 'node:http';
import { AuthenticationError } from '@backstage/errors';
import { coded } from '../service/coded';

/** In which a direct call brings its access token, whatever header and kind of token the operator has set for the proxy */
export const DIRECT_HEADER = 'x-entra-access-direct';

type RawRequest = Pick<IncomingMessage, 'rawHeaders'>;

/**
 * The token in a request header, with or without `Bearer`.
 *
 * Node joins several values of one header with a comma, or keeps only the first: the raw list tells. Two values mean that
 * somebody other than the proxy wrote one of them.
 *
 * @throws AuthenticationError when there is no token, or more than one
 */
export function tokenFromHeader(request: RawRequest, header: string): string {
  const values = valuesOf(request, header);
  if (values.length > 1) throw coded('header_invalid', new AuthenticationError(`several ${header} headers; send one`));
  const token = /^(?:Bearer +)?(?!Bearer$)([^\s,]+)$/i.exec(values[0] ?? '')?.[1];
  if (!token)
    throw coded('header_invalid', new AuthenticationError(`no token in the ${header} header; send \`Bearer TOKEN\``));
  return token;
}

/** Whether a request has a header, even an empty one */
export function hasHeader(request: RawRequest, header: string): boolean {
  return valuesOf(request, header).length > 0;
}

/** The values of a header as they were sent */
function valuesOf({ rawHeaders }: RawRequest, header: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && isHeader(rawHeaders[at - 1], header));
}

function isHeader(name: string | undefined, header: string): boolean {
  return name?.toLowerCase() === header;
}
