import { z } from 'zod';
import { ConfigurationError } from '../core';
import { DIRECT_HEADER } from './header';

/** Without this section Backstage has no provider `entra` */
export const PLACE = 'auth.providers.entra';
/** In which Azure's built-in authentication ("Easy Auth") hands the ID token on; it is never anything else */
const ID_TOKEN_HEADER = 'x-ms-token-aad-id-token';

const optionsSchema = z
  .strictObject({
    /** Name of the request header that carries the token */
    header: z
      .string()
      .regex(/^[A-Za-z0-9-]+$/, 'a header name has letters, digits and dashes')
      .transform(name => name.toLowerCase())
      .refine(name => name !== DIRECT_HEADER, 'this header is reserved for direct calls; choose another')
      .default('authorization'),
    /** What kind of token it is */
    token: z.enum(['access', 'id'], 'either `access` or `id`').optional(),
  })
  .transform(({ header, token }) => ({ header, token: token ?? (header === ID_TOKEN_HEADER ? 'id' : 'access') }));

/** Where a proxy puts the token, and of which kind it is */
export type ProviderOptions = z.infer<typeof optionsSchema>;

/**
 * Reads the section `auth.providers.entra`.
 * @throws ConfigurationError with the place of the first mistake
 */
export function readOptions(section: unknown): ProviderOptions {
  const parsed = optionsSchema.safeParse(section);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigurationError({
    path: [PLACE, ...(issue?.path ?? [])].join('.'),
    message: issue?.message ?? 'not valid',
  });
}
