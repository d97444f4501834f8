import type { Output } from './command';
import type { Report, TestResult } from './policyTest';
import { plain } from '../service/text';

/** For people: a line for each test, and all that is known of one that failed */
export function reportText({ files, passed, failed, mistakes }: Report, { out, complain }: Output): void {
  for (const { file, tests, problems, mistake } of files) {
    out(`${plain(file)}\n`);
    for (const test of tests)
      out(`  ${test.ok ? 'ok    ' : 'FAILED'}  ${plain(test.name)}\n${test.ok ? '' : failure(test)}`);
    for (const problem of problems) complain(`catalog: ${plain(problem)}\n`);
    if (mistake !== undefined) complain(`${plain(mistake)}\n`);
  }
  const none = mistakes > 0 ? `, ${mistakes} ${mistakes === 1 ? 'file' : 'files'} with a mistake` : '';
  out(`${passed} passed, ${failed} failed${none}\n`);
}

function failure({ expected, actual }: TestResult): string {
  const rule = (id: string | null | undefined) => (id === undefined ? '' : `, rule ${id ?? 'none'}`);
  const reason = expected.reason === undefined ? '' : `, a reason with "${expected.reason}"`;
  const lines = [
    `expected  ${expected.expect}${rule(expected.rule)}${reason}`,
    `actual    ${actual.result}${rule(actual.rule)}`,
    ...actual.reasons.map((text, at) => `${at === 0 ? 'because ' : '        '}  ${text}`),
  ];
  return lines.map(line => `          ${plain(line)}\n`).join('');
}
