import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationError } from '../core';
import { readFollowSettings } from './settings';

const read = (directory?: unknown, source: unknown = 'graph') =>
  readFollowSettings({ groups: { source, graph: { ...(directory === undefined ? {} : { directory }) } } });

test('left out, the defaults hold; without `source: graph` nothing is followed', () => {
  assert.deepEqual(read(), { pollSeconds: 60, groups: 'all', maxRemovedShare: 0.2 });
  assert.equal(read(undefined, 'token'), undefined);
  assert.equal(readFollowSettings({}), undefined);
});

test('what is given is read', () => {
  const url = 'https://backstage.example.com/api/entra-access/v1/notifications';
  assert.deepEqual(read({ poll: 10, groups: 'matter', maxRemovedShare: 1, notifications: { url } }), {
    pollSeconds: 10,
    groups: 'matter',
    maxRemovedShare: 1,
    notificationUrl: url,
  });
});

const MISTAKES: ReadonlyArray<[string, unknown, RegExp, unknown?]> = [
  ['.poll', { poll: 9 }, /10 to 3600/],
  ['.poll', { poll: 60.5 }, /10 to 3600/],
  ['.poll', { poll: '60' }, /10 to 3600/],
  ['.groups', { groups: 'some' }, /`all` or `matter`/],
  ['.maxRemovedShare', { maxRemovedShare: 20 }, /0 to 1/],
  ['.notifications', { notifications: { url: 'http://backstage.example.com/n' } }, /https/],
  ['.notifications', { notifications: { url: 'https://backstage.example.com/n?x=1' } }, /https/],
  ['.notifications', { notifications: {} }, /https/],
  ['.notification', { notification: {} }, /unknown key/],
  ['', 'fast', /a mapping/],
  ['', { poll: 60 }, /nothing uses this section/, 'token'],
];

for (const [path, directory, message, source] of MISTAKES) {
  test(`a mistake names its place: ${JSON.stringify(directory)}`, () => {
    assert.throws(
      () => read(directory, source),
      (error: unknown) => {
        assert.ok(error instanceof ConfigurationError);
        assert.equal(error.path, `entraAccess.groups.graph.directory${path}`);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
