import { z } from 'zod';
import type { Issuer } from '../core';
import { isAllowed, parseJson } from '../http/bounded';

/** OpenID Connect Discovery 1.0 section 3, as far as it is used */
const documentSchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * The address of an issuer's keys, from its discovery document.
 *
 * The document must be the issuer's own (section 4.3: `issuer` is exactly the one expected) and must keep the keys on the
 * same host: an issuer whose keys are elsewhere is somebody else's word.
 *
 * @throws Error with the reason
 */
export function readDiscovery(text: string, issuer: Issuer): string {
  const parsed = documentSchema.safeParse(parseJson(text));
  if (!parsed.success)
    throw new Error(`${issuer.discoveryUrl}: not a discovery document with \`issuer\` and \`jwks_uri\``);
  if (parsed.data.issuer !== issuer.issuer) {
    throw new Error(`${issuer.discoveryUrl}: is the document of another issuer than ${issuer.issuer}`);
  }
  const keys = new URL(parsed.data.jwks_uri);
  if (!isAllowed(keys) || keys.host !== new URL(issuer.discoveryUrl).host) {
    throw new Error(`${issuer.discoveryUrl}: names keys on another host`);
  }
  return keys.href;
}
