/** What Microsoft Graph sends where change notifications are asked for; more than is described comes with it, and may come */
import { z } from 'zod';
import { named } from './schema';

/** Letters of Graph's own handshakes; nothing that a browser could take for a document */
export const HANDSHAKE = /^[\w .:;,=+/-]{1,1024}$/;

export const notificationsQuery = z.object({
  validationToken: z.string().regex(HANDSHAKE).optional().describe('A handshake: it is sent back, and no body is read'),
});

export const changeNotifications = named(
  'ChangeNotifications',
  z.looseObject({
    value: z
      .array(
        z.looseObject({
          subscriptionId: z.string().max(64),
          clientState: z.string().max(128).describe('The secret of the subscription: without it nobody is heard'),
          tenantId: z.string().max(64).optional(),
        }),
      )
      .max(1_000),
  }),
);

/** One of them */
export type ChangeNotification = z.output<typeof changeNotifications>['value'][number];
