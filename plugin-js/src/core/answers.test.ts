import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answers } from './answers';
import { handleOf } from './handles';
import type { Decision } from './types';

const ALLOW: Decision = { effect: 'ALLOW', ground: 'rule', rule: 'r' };
const DENY: Decision = { effect: 'DENY', ground: 'default' };
const NOW = 1_800_000_000_000;
const SESSION = 0x4000_0000;
const olivia = handleOf(1, SESSION + 7);
const soon = () => NOW + 1_000;

test('an answer holds for its caller, its permission and its time, and for nothing else', () => {
  const answers = new Answers();
  answers.keep(olivia, 3, ALLOW, NOW, soon);
  assert.equal(answers.find(olivia, 3, NOW), ALLOW);
  assert.equal(answers.find(olivia, 3, NOW + 999), ALLOW);
  assert.equal(answers.find(olivia, 3, NOW + 1_000), undefined, 'its time is over');
  assert.equal(answers.find(olivia, 4, NOW), undefined);
  // Callers that share the place: of another instance, of another generation, of another slot.
  for (const other of [
    handleOf(2, SESSION + 7),
    handleOf(1, SESSION + 7 + 0x1_0000),
    handleOf(1, SESSION + 7 + 16_384),
  ]) {
    assert.equal(answers.find(other, 3, NOW), undefined, String(other));
    answers.keep(other, 3, DENY, NOW, soon);
    assert.equal(answers.find(other, 3, NOW), DENY);
    assert.equal(answers.find(olivia, 3, NOW), undefined, 'gave its place up');
    answers.keep(olivia, 3, ALLOW, NOW, soon);
  }
});

test('how long is asked once for a caller, and again when that time is over', () => {
  const answers = new Answers();
  let asked = 0;
  const until = () => {
    asked += 1;
    return NOW + asked * 1_000;
  };
  answers.keep(olivia, 3, ALLOW, NOW, until);
  answers.keep(olivia, 4, DENY, NOW, until);
  assert.equal(asked, 1);
  answers.keep(olivia, 4, ALLOW, NOW + 1_000, until);
  assert.equal(asked, 2);
  assert.equal(answers.find(olivia, 4, NOW + 1_500), ALLOW);
  assert.equal(answers.find(olivia, 3, NOW + 1_500), undefined, 'what was answered before is not taken over');
});

test('a caller that is gone or has changed is asked about anew, and so is everybody before handles come round', () => {
  const answers = new Answers();
  answers.keep(olivia, 3, ALLOW, NOW, soon);
  answers.drop(handleOf(2, SESSION + 7));
  assert.equal(answers.find(olivia, 3, NOW), ALLOW, 'somebody else at the same place is gone');
  answers.drop(olivia);
  assert.equal(answers.find(olivia, 3, NOW), undefined);

  answers.keep(olivia, 3, ALLOW, NOW, soon);
  // 16,384 admissions at one place bring a handle back.
  for (let admissions = 0; admissions < 16_383; admissions += 1) answers.admitted();
  assert.equal(answers.find(olivia, 3, NOW), undefined);
});
