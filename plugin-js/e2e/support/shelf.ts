/** A plugin as any company has one: books, a permission to read each of them, and a rule about their genre */
import { coreServices, createBackendPlugin } from '@backstage/backend-plugin-api';
import { AuthorizeResult, createPermission } from '@backstage/plugin-permission-common';
import {
  createConditionAuthorizer,
  createPermissionResourceRef,
  createPermissionRule,
} from '@backstage/plugin-permission-node';
import Router from 'express-promise-router';
import { z } from 'zod';

export interface Book {
  id: string;
  genre: string;
}

export const BOOKS: Book[] = [
  { id: 'atlas', genre: 'travel' },
  { id: 'ledger', genre: 'finance' },
  { id: 'novel', genre: 'fiction' },
];

const bookRef = createPermissionResourceRef<Book, { genre: string }>().with({
  pluginId: 'shelf',
  resourceType: 'shelf-book',
});

const bookReadPermission = createPermission({
  name: 'shelf.book.read',
  attributes: { action: 'read' },
  resourceType: 'shelf-book',
});

const hasGenre = createPermissionRule({
  name: 'HAS_GENRE',
  description: 'Allow books of a genre',
  resourceRef: bookRef,
  paramsSchema: z.strictObject({ genre: z.string() }),
  apply: (book, { genre }) => book.genre === genre,
  toQuery: ({ genre }) => ({ genre }),
});

export const shelfPlugin = createBackendPlugin({
  pluginId: 'shelf',
  register(env) {
    env.registerInit({
      deps: {
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        permissions: coreServices.permissions,
        registry: coreServices.permissionsRegistry,
      },
      async init({ httpAuth, httpRouter, permissions, registry }) {
        registry.addResourceType({
          resourceRef: bookRef,
          permissions: [bookReadPermission],
          rules: [hasGenre],
          getResources: async refs => refs.map(ref => BOOKS.find(({ id }) => id === ref)),
        });
        const isAllowed = createConditionAuthorizer(registry.getPermissionRuleset(bookRef));
        const router = Router();
        router.get('/books', async (request, response) => {
          const credentials = await httpAuth.credentials(request, { allow: ['user'] });
          const [decision] = await permissions.authorizeConditional([{ permission: bookReadPermission }], {
            credentials,
          });
          const denied = !decision || decision.result === AuthorizeResult.DENY;
          response.json(denied ? [] : BOOKS.filter(book => isAllowed(decision, book)).map(({ id }) => id));
        });
        httpRouter.use(router);
      },
    });
  },
});
