import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLimits } from './limits';

test('what is left out is the usual', () => {
  assert.deepEqual(readLimits({}), { inspect: 300, explain: 600 });
  assert.deepEqual(readLimits({ limits: {} }), { inspect: 300, explain: 600 });
  assert.deepEqual(readLimits({ limits: { inspect: 1 } }), { inspect: 1, explain: 600 });
});

for (const [limits, path] of [
  [{ inspect: 0 }, 'entraAccess.limits.inspect'],
  [{ explain: 1_000_001 }, 'entraAccess.limits.explain'],
  [{ explain: 1.5 }, 'entraAccess.limits.explain'],
  [{ explain: '600' }, 'entraAccess.limits.explain'],
  [{ explain: null }, 'entraAccess.limits.explain'],
  [{ explains: 1 }, 'entraAccess.limits'],
  [null, 'entraAccess.limits'],
  [false, 'entraAccess.limits'],
  [[], 'entraAccess.limits'],
] as Array<[unknown, string]>) {
  test(`${JSON.stringify(limits)} stops the backend with the place and the fix`, () => {
    assert.throws(
      () => readLimits({ limits }),
      (error: Error & { path?: string; code?: string }) =>
        error.path === path && error.code === 'config_invalid' && /within a minute, 1 to 1000000/.test(error.message),
    );
  });
}
