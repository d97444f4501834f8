import { coreServices, createBackendPlugin } from '@backstage/backend-plugin-api';
import express from 'express';
import PromiseRouter from 'express-promise-router';

/** A plugin as anybody could write it: it asks the catalog on behalf of its caller, and hands out a cookie */
export const callerPlugin = createBackendPlugin({
  pluginId: 'caller',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        discovery: coreServices.discovery,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        userInfo: coreServices.userInfo,
      },
      async init({ auth, discovery, httpAuth, httpRouter, userInfo }) {
        const router = PromiseRouter();
        router.use(express.json());

        /** Whoever Backstage takes the caller for; people only */
        router.get('/person', async (request, response) => {
          const { principal } = await httpAuth.credentials(request, { allow: ['user'] });
          response.json(principal);
        });

        router.get('/owns', async (request, response) => {
          response.json(await userInfo.getUserInfo(await httpAuth.credentials(request, { allow: ['user'] })));
        });

        /** As the scaffolder does it */
        router.all('/catalog/*', async (request, response) => {
          const { token } = await auth.getPluginRequestToken({
            onBehalfOf: await httpAuth.credentials(request),
            targetPluginId: 'catalog',
          });
          const answer = await fetch(
            `${await discovery.getBaseUrl('catalog')}${request.url.slice('/catalog'.length)}`,
            {
              method: request.method,
              headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
              body: request.method === 'POST' ? JSON.stringify(request.body) : undefined,
            },
          );
          response
            .status(answer.status)
            .type('json')
            .send(await answer.text());
        });

        router.get('/cookie', async (_, response) => {
          response.json(await httpAuth.issueUserCookie(response));
        });
        router.get('/by-cookie', async (request, response) => {
          const { principal } = await httpAuth.credentials(request, { allow: ['user'], allowLimitedAccess: true });
          response.json(principal);
        });
        httpRouter.use(router);
        httpRouter.addAuthPolicy({ path: '/by-cookie', allow: 'user-cookie' });
      },
    });
  },
});
