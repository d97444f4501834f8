import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from '../dev/story/client';
import type { Environment } from '../dev/story/environment';
import { startStory, storyClient } from '../dev/story/startStory';
import { STORY } from '../dev/story/story';
import { table } from '../dev/story/table';

let environment: Environment;
let client: Client;
before(async () => {
  environment = await startStory();
  client = await storyClient(environment);
});
after(() => environment?.stop());

for (const scene of STORY) {
  test(`${scene.who}: ${scene.what}`, async () => {
    const row = await scene.play(client, environment.tenant);
    assert.equal(row.answer.split(' ')[0], scene.expect.answer, JSON.stringify(row));
    assert.doesNotMatch(row.answer, /but explained/);
    assert.equal(row.rule, scene.expect.rule);
    assert.match(row.reason, scene.expect.reason);
  });
}

test('the table shows every cell, however long the reason', () => {
  const row = { who: 'A', what: 'b', answer: 'ALLOW', rule: 'r', reason: 'word '.repeat(100).trim() };
  const text = table([row, { ...row, who: 'Somebody' }]);
  assert.match(text, /^WHO +WHAT +ANSWER +RULE +REASON/);
  assert.equal(text.match(/word/g)?.length, 200);
});
