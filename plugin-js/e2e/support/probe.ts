/** A plugin that hands out the services that it was given, and Backstage's own permissions service beside ours */
import diagnosticsChannel from 'node:diagnostics_channel';
import {
  coreServices,
  createBackendModule,
  createBackendPlugin,
  type AuthService,
  type PermissionsService,
} from '@backstage/backend-plugin-api';
import {
  authProvidersExtensionPoint,
  createProxyAuthenticator,
  createProxyAuthProviderFactory,
} from '@backstage/plugin-auth-node';
import { ServerPermissionClient } from '@backstage/plugin-permission-node';

export interface Probe {
  auth: AuthService;
  /** Whatever the backend has */
  permissions: PermissionsService;
  /** Over HTTP */
  stock: PermissionsService;
}

/** `probe` is filled once the backend has started */
export function probePlugin(probe: Partial<Probe>) {
  return createBackendPlugin({
    pluginId: 'probe',
    register(env) {
      env.registerInit({
        deps: {
          auth: coreServices.auth,
          config: coreServices.rootConfig,
          discovery: coreServices.discovery,
          permissions: coreServices.permissions,
        },
        async init({ auth, config, discovery, permissions }) {
          const stock = ServerPermissionClient.fromConfig(config, { auth, discovery });
          Object.assign(probe, { auth, permissions, stock });
        },
      });
    },
  });
}

/** A way to sign in that is not ours: whoever names themselves in the header is let in */
export const otherProvider = createBackendModule({
  pluginId: 'auth',
  moduleId: 'other-provider',
  register(env) {
    env.registerInit({
      deps: { providers: authProvidersExtensionPoint },
      async init({ providers }) {
        providers.registerProvider({
          providerId: 'other',
          factory: createProxyAuthProviderFactory<string>({
            authenticator: createProxyAuthenticator<undefined, string, undefined>({
              defaultProfileTransform: async () => ({ profile: {} }),
              initialize: () => undefined,
              authenticate: async ({ req }) => ({ result: String(req.headers['x-other-user']) }),
            }),
            signInResolver: async ({ result }, context) =>
              context.issueToken({ claims: { sub: result, ent: [result] } }),
          }),
        });
      },
    });
  },
});

/** A Backstage token of somebody who signed in in that other way */
export async function otherToken(backendUrl: string, entityRef: string): Promise<string> {
  const answer = await fetch(`${backendUrl}/api/auth/other/refresh`, { headers: { 'x-other-user': entityRef } });
  const body = (await answer.json()) as { backstageIdentity?: { token: string } };
  if (!body.backstageIdentity) throw new Error(`the other provider answered ${answer.status}`);
  return body.backstageIdentity.token;
}

/** How often the permission backend is asked over HTTP from now on */
export function countAuthorizeCalls() {
  const channel = diagnosticsChannel.channel('http.server.request.start');
  let count = 0;
  const look = (message: unknown) => {
    const { request } = message as { request: { url?: string } };
    if (request.url === '/api/permission/authorize') count += 1;
  };
  channel.subscribe(look);
  return { count: () => count, stop: () => channel.unsubscribe(look) };
}

/** An answer without the number that HTTP gave it, or the name and message of the error */
export async function outcome(answer: Promise<object[]>): Promise<unknown> {
  try {
    return (await answer).map(item => ({ ...item, id: undefined }));
  } catch (error) {
    const { name, message } = error as Error;
    return { error: name, message };
  }
}
