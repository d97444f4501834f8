import type { IncomingMessage } from 'node:http';
import { AuthenticationError } from '@backstage/errors';
import { coded } from '../service/coded';

/**
 * The token in a request header, with or without `Bearer`.
 *
 * Node joins several values of one header with a comma, or keeps only the first: the raw list tells. Two values mean that
 * somebody other than the proxy wrote one of them.
 *
 * @throws AuthenticationError when there is no token, or more than one
 */
export function tokenFromHeader(request: Pick<IncomingMessage, 'rawHeaders'>, header: string): string {
  const values = request.rawHeaders.filter((_, at) => at % 2 === 1 && isHeader(request.rawHeaders[at - 1], header));
  if (values.length > 1) throw coded('header_invalid', new AuthenticationError(`several ${header} headers; send one`));
  const token = /^(?:Bearer +)?(?!Bearer$)([^\s,]+)$/i.exec(values[0] ?? '')?.[1];
  if (!token)
    throw coded('header_invalid', new AuthenticationError(`no token in the ${header} header; send \`Bearer TOKEN\``));
  return token;
}

function isHeader(name: string | undefined, header: string): boolean {
  return name?.toLowerCase() === header;
}
