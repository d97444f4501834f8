/** What the documents show is what the core takes */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { configurationOf, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore } from '../core';
import { setPolicy } from '../service/policyFile';
import { parsePolicy } from '../service/policyText';

const ROOT = join(__dirname, '../../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const OBJECT_ID = '33333333-4444-5555-6666-777777777777';

function take(text: string, place: string): number {
  const configuration = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
  const core = new EntraCore({ configuration, logger: new RecordingLogger() });
  setPolicy(core, parsePolicy(text, place));
  return core.ruleIds.length;
}

for (const path of ['docs/policy.md', 'README.md']) {
  test(`the policies in ${path} are good`, () => {
    const examples = [...read(path).matchAll(/```yaml\n(rules:\n[^]*?)```/g)].map(([, text]) => text!);
    assert.ok(examples.length > 0);
    for (const example of examples) assert.ok(take(example.replaceAll('<object id>', OBJECT_ID), path) > 0);
  });
}

test('the example policy is good', () => {
  assert.ok(take(read('entra-access-policy.example.yaml'), 'example') >= 7);
});

test('every selector, requirement and condition that docs/policy.md names is one', () => {
  const rows = [...read('docs/policy.md').matchAll(/^\| (`.*?`) \|/gm)].map(([, cell]) => cell!);
  let tried = 0;
  for (const [, code] of rows.flatMap(row => [...row.matchAll(/`([^`]+)`/g)])) {
    const text = code!.replaceAll('...', '{ owned: true }').replaceAll(/<[a-z ]+ id>/g, OBJECT_ID);
    const [value] = [text.startsWith('{') ? parse(text) : text.includes(': ') ? parse(`{ ${text} }`) : undefined];
    if (value === undefined || 'pipeline' in value) continue;
    const [name] = Object.keys(value);
    const key = ['authContext', 'mfa', 'signedInWithin'].includes(name!)
      ? 'requires'
      : /^(owned|rule|not|allOf|anyOf)$/.test(name!)
        ? 'when'
        : 'principals';
    const rule = { id: 'a', effect: 'allow', permissions: ['x'], [key]: key === 'principals' ? [value] : value };
    assert.equal(take(stringify({ rules: [rule] }), text), 1);
    tried += 1;
  }
  assert.ok(tried >= 14, String(tried));
});
