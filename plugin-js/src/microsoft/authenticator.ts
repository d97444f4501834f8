import { microsoftAuthenticator } from '@backstage/plugin-auth-backend-module-microsoft-provider';

const { scopes } = microsoftAuthenticator;

/**
 * Backstage's own authenticator, made to ask for an ID token every time. It leaves `openid` out where the app wants an access
 * token for another resource, and then nobody could be signed in again.
 */
export const authenticator: typeof microsoftAuthenticator = {
  ...microsoftAuthenticator,
  scopes: {
    ...scopes,
    transform(input) {
      const { requested, granted, required, additional } = input;
      return new Set([
        ...(scopes?.transform?.(input) ?? [requested, granted, required, additional].flatMap(some => [...some])),
        'openid',
      ]);
    },
  },
};
